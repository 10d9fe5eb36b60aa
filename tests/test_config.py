"""Where settings come from, which one wins, and that no mistake in them goes unnoticed."""

from __future__ import annotations

import inspect
import math
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.main import get_command

from emotion_service import cli
from emotion_service.commands.serve import serve_command
from emotion_service.config import FILE_VARIABLE, PREFIX, LogFormat, Settings, load
from emotion_service.errors import BadInput


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(flags: dict[str, Any], file: Path | None = None) -> tuple[str, str]:
    with pytest.raises(BadInput) as error:
        load(flags, file)
    return error.value.reason, str(error.value)


# --- where they come from ---


def test_defaults() -> None:
    assert load({}).model_dump(mode="json") == {
        "listen": "127.0.0.1:50051",
        "model": None,
        "rules": None,
        "allow_remote": False,
        "tls_certificate": None,
        "tls_key": None,
        "tls_client_ca": None,
        "metrics_listen": "127.0.0.1:9464",
        "max_calls": 50,
        "max_watchers": 500,
        "max_loop_lag_ms": 50.0,
        "drain_seconds": 10.0,
        "slow_reader_seconds": 30.0,
        "reflection": False,
        "log_format": "auto",
    }


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "max_calls = 1\nmax_watchers = 2\ndrain_seconds = 3\n")
    monkeypatch.setenv("EMOTION_SERVICE_MAX_CALLS", "4")
    monkeypatch.setenv("EMOTION_SERVICE_MAX_WATCHERS", "5")
    settings = load({"max_calls": 6}, file)
    assert (settings.max_calls, settings.max_watchers) == (6, 5)
    assert (settings.drain_seconds, settings.max_loop_lag_ms) == (3.0, 50.0)


def test_every_setting_can_be_given_in_each_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "listen": "127.0.0.1:1",
        "model": "models/mine",
        "rules": "rules.yaml",
        "allow_remote": True,
        "tls_certificate": "certificate.pem",
        "tls_key": "key.pem",
        "tls_client_ca": "ca.pem",
        "metrics_listen": "",
        "max_calls": 2,
        "max_watchers": 3,
        "max_loop_lag_ms": 4.5,
        "drain_seconds": 0.0,
        "slow_reader_seconds": 0.5,
        "reflection": True,
        "log_format": "json",
    }
    assert set(values) == set(Settings.model_fields)
    assert load(values).model_dump(mode="json") == values
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    assert load({}, written(tmp_path, "\n".join(lines))).model_dump(mode="json") == values
    for name, value in values.items():
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(value))
    assert load({}).model_dump(mode="json") == values


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def test_the_file_may_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = written(tmp_path, "max_calls = 7")
    monkeypatch.setenv(FILE_VARIABLE, str(named))
    assert load({}).max_calls == 7
    given = tmp_path / "given.toml"
    given.write_text("max_calls = 8")
    assert load({}, given).max_calls == 8


def test_no_other_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("EMOTION_SERVICE_MAX_CALLS=9")
    monkeypatch.chdir(tmp_path)
    assert load({}).max_calls == 50


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        load({}).max_calls = 3


# --- mistakes ---


def test_an_unknown_name_in_the_file_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path, "max_call = 3")
    reason, message = refused({}, file)
    assert reason == "SETTING_UNKNOWN"
    assert message == (
        f"max_call in {file} is no setting; take it out, or mean one of "
        + ", ".join(Settings.model_fields)
    )


def test_an_unknown_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTION_SERVICE_MAX_CALL", "3")
    reason, message = refused({})
    assert reason == "SETTING_UNKNOWN"
    assert message.startswith("the variable EMOTION_SERVICE_MAX_CALL is no setting; take it out")


@pytest.mark.parametrize(
    "variable",
    [
        "EMOTION_SERVICE_SERVICE_HOST",
        "EMOTION_SERVICE_SERVICE_PORT",
        "EMOTION_SERVICE_SERVICE_PORT_GRPC",
        "EMOTION_SERVICE_PORT",
        "EMOTION_SERVICE_PORT_50051_TCP",
        "EMOTION_SERVICE_PORT_50051_TCP_ADDR",
    ],
)
def test_variables_that_kubernetes_sets_are_none_of_ours(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load({}).model_dump()
    monkeypatch.setenv(variable, "10.0.0.1")
    assert load({}).model_dump() == before


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("max_calls", 0, "greater than or equal to 1"),
        ("max_calls", "many", "valid integer"),
        ("max_watchers", 0, "greater than or equal to 1"),
        ("max_loop_lag_ms", 0, "greater than 0"),
        ("max_loop_lag_ms", math.inf, "finite number"),
        ("drain_seconds", -1, "greater than or equal to 0"),
        ("drain_seconds", math.inf, "less than or equal to 86400"),
        ("slow_reader_seconds", 0, "greater than 0"),
        ("reflection", "perhaps", "valid boolean"),
        ("log_format", "xml", "'auto', 'text' or 'json'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(
    name: str, value: object, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, variable = f"--{name.replace('_', '-')}", f"{PREFIX}{name.upper()}"
    file = written(tmp_path, f"{name} = {_toml(value)}")
    reason, message = refused({name: value})
    assert reason == "SETTING_INVALID"
    assert message.startswith(f"{name} is {value!r} from {flag}: ")
    assert message.endswith("; correct it or leave it out")
    assert what in message
    assert refused({}, file)[1].startswith(f"{name} is {value!r} in {file}: ")
    monkeypatch.setenv(variable, str(value))
    assert refused({}, file)[1].startswith(f"{name} is {str(value)!r} from {variable}: ")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"max_calls 3", "TOMLDecodeError"),
        (b"max_calls = \xff", "UnicodeDecodeError"),
        (None, "FileNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    content: bytes | None, error: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_bytes(content)
    reason, message = refused({}, file)
    assert reason == "CONFIG_UNREADABLE"
    assert message.startswith(f"the settings in {file} cannot be read ({error}")
    assert message.endswith("give a TOML file with lines such as max_calls = 50")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refused({}, tmp_path)[0] == "CONFIG_UNREADABLE"


# --- the flags of `serve` ---


def test_serve_has_a_flag_for_each_setting_and_one_for_the_file() -> None:
    assert set(inspect.signature(serve_command).parameters) == {*Settings.model_fields, "config"}
    serve = get_command(cli.app).commands["serve"]  # type: ignore[attr-defined]
    flags = {option for parameter in serve.params for option in parameter.opts}
    names = ["config", *Settings.model_fields]
    assert flags == {f"--{name.replace('_', '-')}" for name in names}


def test_what_is_not_given_is_left_to_the_other_sources() -> None:
    parameters = inspect.signature(serve_command).parameters.values()
    assert {parameter.default for parameter in parameters} == {None}


def test_the_help_tells_the_defaults_in_force() -> None:
    serve = get_command(cli.app).commands["serve"]  # type: ignore[attr-defined]
    for parameter in serve.params:
        _, says, rest = (parameter.help or "").partition("(default: ")
        if says and parameter.name not in ("model", "rules"):
            default = Settings.model_fields[parameter.name].default
            assert (
                rest == f"{getattr(default, 'value', default):{'g' * isinstance(default, float)}})"
            )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--max-calls", "3"], {"max_calls": 3}),
        (["--reflection"], {"reflection": True}),
        (["--metrics-listen", ""], {"metrics_listen": ""}),
        (["--log-format", "json"], {"log_format": LogFormat.JSON}),
        (["--drain-seconds", "0"], {"drain_seconds": 0.0}),
    ],
)
def test_flags_reach_the_settings(
    arguments: list[str], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("emotion_service.app.serve", served.append)
    with pytest.raises(SystemExit) as ended:
        cli.app(["serve", *arguments], prog_name="emotion-service")
    assert ended.value.code == 0
    assert served[0].model_dump() == load({}).model_copy(update=expected).model_dump()
