"""The commands `rules …`: what a file says, what it would have said, and that a server says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from emotion_service.commands.demo import service
from emotion_service.routing.rule_file import SHIPPED
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
CALL = ROOT / "examples" / "demo_calls" / "english.flac"
AGREED = ("--disclosure-given", "--consent", "granted")
RULE = """\
  - name: {name}
    when: '{when}'
    hold_seconds: {hold}
    advise: {advise}
    expires_seconds: 12
    reason: {{en: why, de: warum}}
"""
RULES = "rules:\n" + "".join(
    RULE.format(name=name, when=when, hold=hold, advise=advise)
    for name, when, hold, advise in (
        ("felt", 'state in ["agitated", "distressed", "happy"]', 1.5, "raise_priority"),
        ("known", "state_seconds >= 3 && confidence > 0.5", 0, "{prefer_skill: retention}"),
        ("spoken", "agent_talk_share > 0.2", 2, "alert_supervisor"),
        ("timed", 'phase == "agent" && elapsed_seconds >= 20', 0.5, "offer_callback"),
        ("never", 'queue == "nobody"', 0, "hand_over_to_person"),
    )
)

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(RULES, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def server(rules: Path) -> Iterator[str]:
    """A service in a process of its own, with these rules."""
    with service("--rules", str(rules)) as address:
        yield address


def advice(output: str) -> list[dict[str, Any]]:
    messages = [json.loads(line) for line in output.splitlines()]
    return [message["advice"] for message in messages if "advice" in message]


def test_check_prints_what_each_rule_does(run: Run, rules: Path) -> None:
    code, out, _ = run("rules", "check", rules)
    assert code == 0
    lines = out.splitlines()
    assert lines[1] == (
        "known   prefer skill retention after 0 s, for 12 s; "
        "rests on the customer's voice: confidence, state_seconds"
    )
    assert lines[3].endswith("rests on nothing inferred: elapsed_seconds, phase")
    assert lines[5].startswith("5 rules, all fine (SHA-256 ")


def test_check_takes_the_shipped_rules_by_default(run: Run) -> None:
    assert run("rules", "check") == run("rules", "check", SHIPPED)


def test_check_gives_the_line_of_a_mistake(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.replace('"nobody"', "3 +"), encoding="utf-8")
    code, out, err = run("rules", "check", file)
    assert (code, out) == (2, "")
    assert f"{file}, line 27: the condition of never is no CEL (line 1, column 13 of" in err


def test_a_service_does_not_start_with_rules_that_have_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("rules: 3", encoding="utf-8")
    command = [sys.executable, "-m", "emotion_service", "serve", "--rules", str(file)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == (
        f"emotion-service: {file}, line 1: rules is no list: begin each rule with '- name:'"
    )


def test_a_replay_says_what_a_server_does(run: Run, rules: Path, server: str) -> None:
    told = (*AGREED, "--json", "--call-id", "c1", "--chunk-ms", 70)
    code, replayed, err = run("rules", "replay", rules, CALL, *told)
    assert code == 0
    code, streamed, _ = run("stream", CALL, *told, "--fast", "--server", server)
    assert code == 0
    assert advice(replayed) == advice(streamed)
    assert {each["rule"] for each in advice(replayed)} == {"felt", "known", "spoken", "timed"}
    assert err == "4 of 5 rules gave advice.\n"


def test_a_replay_in_words(run: Run, rules: Path) -> None:
    code, out, _ = run("rules", "replay", rules, CALL)
    assert code == 0
    lines = out.splitlines()
    assert " 0:20.5  advice: offer callback, until 0:32.5: why (rule timed)" in lines
    assert " 1:04.6  advice: offer callback, ended (rule timed)" in lines
    assert lines[-2] == "2 of 5 rules gave advice."
    assert lines[-1].startswith("Nothing was scored: the customer was not told")


def test_what_a_platform_would_say_can_be_given(run: Run, rules: Path) -> None:
    _, out, _ = run("rules", "replay", rules, CALL, "--queue", "nobody")
    assert "advice: hand over to person" in out
    told = ("--attribute", "language=de", "--party", "customer,bot")
    _, out, _ = run("rules", "replay", SHIPPED, CALL, *told)
    assert "advice: require skill german" in out
    _, out, _ = run("rules", "replay", SHIPPED, CALL, *told, "--agent-id", "a")
    assert out.startswith("0 of 8 rules gave advice.")
