"""The analyze driver: the pipeline of the service over a recording, without server or clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from emotion_service.calls.call import Call
from emotion_service.calls.scorer import Scorer
from emotion_service.delivery.notice import Ready
from emotion_service.routing.ruleset import NO_RULES, RuleSet
from emotion_service.types import CallConfig, CallEvent, EncodedAudio


def analyze(
    config: CallConfig,
    chunks: Iterable[EncodedAudio],
    scorer: Scorer,
    rules: RuleSet = NO_RULES,
) -> Iterator[Ready | CallEvent]:
    """What a server would say of this call, each event as soon as its audio has been pushed.

    Raises:
        BadInput: from the config or a chunk, as a server would refuse it.
    """
    call = Call(config, scorer, rules)
    yield Ready(scorer.model_version, scorer.model_licence, config.latency_budget_ms)
    yield from call.start()
    for chunk in chunks:
        yield from call.push(chunk)
        yield from _resolved(call, scorer)
    yield from call.finish()
    yield from _resolved(call, scorer)
    yield from call.close()


def _resolved(call: Call, scorer: Scorer) -> Iterator[CallEvent]:
    for request in call.take_requests():
        for score in scorer.score([request]).scores:
            yield from call.resolve(score)
