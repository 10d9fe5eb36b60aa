"""`rules`: checks a file of rules, and tries it out on a recording."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from emotion_service.console.lines import advice_line, nothing_scored
from emotion_service.fronts.wire import to_json_line
from emotion_service.playback import RecordedCall
from emotion_service.routing import rule_file
from emotion_service.routing.ruleset import Rule, RuleSet
from emotion_service.types import seconds
from emotion_service.v1 import emotion_service_pb2 as pb


def check(file: Path | None) -> None:
    """Prints a file's rules, one a line; by default the shipped ones.

    Raises:
        BadInput: RULES_UNREADABLE or RULES_INVALID.
    """
    rules = rule_file.load(file)
    width = max((len(rule.name) for rule in rules.rules), default=0)
    for rule in rules.rules:
        print(f"{rule.name:{width}}  {_rule_text(rule)}")
    print(f"{len(rules.rules)} rules, all fine (SHA-256 {rules.sha256}).")


def _rule_text(rule: Rule) -> str:
    action = " ".join([rule.action.name.replace("_", " ").lower(), rule.skill]).rstrip()
    rests_on = "the customer's voice" if rule.inferred else "nothing inferred"
    return (
        f"{action} after {seconds(rule.hold):g} s, for {seconds(rule.expires):g} s; "
        f"rests on {rests_on}: {', '.join(sorted(rule.facts))}"
    )


def replay(recorded: RecordedCall, file: Path, model: Path | None, json: bool) -> None:
    """Prints what the rules of a file would have advised on a recorded call, when and why.

    Raises:
        BadInput: the file, or the call, as a server would refuse it. ModelMismatch: no model.
    """
    rules = rule_file.load(file)
    given: Counter[str] = Counter()
    summary = pb.CallSummary()
    for response in _replayed(recorded, rules, model):
        if response.HasField("summary"):
            summary = response.summary
        elif response.HasField("advice"):
            given[response.advice.rule] += response.advice.phase == pb.ADVICE_PHASE_GIVEN
            print(to_json_line(response) if json else advice_line(response.advice), flush=True)
    told = sys.stderr if json else sys.stdout
    print(f"{len(given)} of {len(rules.rules)} rules gave advice.", file=told)
    if sentence := nothing_scored(summary):
        print(sentence, file=told)


def _replayed(
    recorded: RecordedCall, rules: RuleSet, model: Path | None
) -> Iterator[pb.StreamingAnalyzeResponse]:
    # What only this needs takes a second to import.
    from emotion_service import offline  # noqa: PLC0415
    from emotion_service.app import load_scorer  # noqa: PLC0415
    from emotion_service.delivery.notice import Address  # noqa: PLC0415
    from emotion_service.fronts.wire import config_from_proto, event_to_proto  # noqa: PLC0415

    config = config_from_proto(recorded.config)
    for event in offline.analyze(config, recorded.chunks(), load_scorer(model), rules):
        yield event_to_proto(Address.of(config), config.contact_id, event, None, 0)
