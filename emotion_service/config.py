"""The settings of a service: flags, then the environment, then a file, then the defaults.

A name that no setting has is an error wherever it comes from: a typing mistake would otherwise
leave a default in force that nobody wanted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from emotion_service.errors import BadInput

PREFIX = "EMOTION_SERVICE_"
DAY_SECONDS = 86_400.0
FILE_VARIABLE = f"{PREFIX}CONFIG"
# Kubernetes sets these in every container beside a Service that is called emotion-service.
KUBERNETES = re.compile(rf"{PREFIX}(SERVICE_HOST|SERVICE_PORT.*|PORT(_\d.*)?)")


class LogFormat(StrEnum):
    """AUTO is TEXT on a terminal and JSON elsewhere."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """What may be set; each name is also a flag (--max-calls), a variable
    (EMOTION_SERVICE_MAX_CALLS) and a key of the file (max_calls)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    listen: str = "127.0.0.1:50051"
    model: Path | None = None  # a model folder; None is the shipped one
    rules: Path | None = None  # what to advise when; None are the shipped ones
    allow_remote: bool = False  # other machines may connect without encryption
    tls_certificate: Path | None = None  # PEM files; the API's are read again when they change
    tls_key: Path | None = None
    tls_client_ca: Path | None = None  # who signs the certificates that clients must show
    metrics_listen: str = "127.0.0.1:9464"  # empty: no metrics
    max_calls: int = Field(default=50, ge=1)  # two cores carry more: docs/performance.md
    max_watchers: int = Field(default=500, ge=1)
    # Above this no new call is taken.
    max_loop_lag_ms: float = Field(default=50.0, gt=0, allow_inf_nan=False)
    drain_seconds: float = Field(default=10.0, ge=0, le=DAY_SECONDS)  # for calls to end in
    slow_reader_seconds: float = Field(default=30.0, gt=0, le=DAY_SECONDS)  # unread, it is cut
    reflection: bool = False
    log_format: LogFormat = LogFormat.AUTO

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Highest first. No .env file and no folder of secrets: one file is enough."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(flags: Mapping[str, Any], file: Path | None = None) -> Settings:
    """The settings in force; `file` defaults to the one that EMOTION_SERVICE_CONFIG names.

    Raises:
        BadInput: CONFIG_UNREADABLE, SETTING_UNKNOWN or SETTING_INVALID.
    """
    named = os.environ.get(FILE_VARIABLE)
    path = file or (Path(named) if named else None)
    for variable in os.environ:
        if (
            _is_ours(variable)
            and variable.removeprefix(PREFIX).lower() not in Settings.model_fields
        ):
            raise _unknown(f"the variable {variable}")

    class FromFile(Settings, toml_file=path):
        """With this file as the lowest source."""

    try:
        if path and not path.is_file():
            raise FileNotFoundError(path)
        return FromFile(**flags)
    except (OSError, UnicodeDecodeError, TOMLDecodeError) as error:
        raise BadInput(
            "CONFIG_UNREADABLE",
            f"the settings in {path} cannot be read ({type(error).__name__}: {error}): give a "
            "TOML file with lines such as max_calls = 50",
        ) from error
    except ValidationError as error:
        raise _refused(error, flags, path) from None


def _is_ours(variable: str) -> bool:
    ours = variable.startswith(PREFIX) and variable != FILE_VARIABLE
    return ours and not KUBERNETES.fullmatch(variable)


def _refused(error: ValidationError, flags: Mapping[str, Any], file: Path | None) -> BadInput:
    first = error.errors()[0]
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _unknown(f"{name} in {file}")
    variable = f"{PREFIX}{name.upper()}"
    place = f"in {file}"
    if name in flags:
        place = f"from --{name.replace('_', '-')}"
    elif variable in os.environ:
        place = f"from {variable}"
    return BadInput(
        "SETTING_INVALID",
        f"{name} is {first['input']!r} {place}: {first['msg']}; correct it or leave it out",
    )


def _unknown(what: str) -> BadInput:
    known = ", ".join(Settings.model_fields)
    return BadInput("SETTING_UNKNOWN", f"{what} is no setting; take it out, or mean one of {known}")
