"""Settings of the server: typed, from the environment (`RECSYS_BUNDLE`, `RECSYS_PORT`, ...), defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from recsys.errors import ConfigError

ENV_PREFIX = "RECSYS_"


class Settings(BaseSettings):
    """How the server runs; nothing in it is secret."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True)

    bundle: Path = Field(
        Path("saved_model/sample"), description="Bundle to serve: saved_model/NAME, or one version of it."
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0: all interfaces.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to listen on; 0: a free one.")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(1, description="Server processes.")
    verify: Literal["full", "quick"] = Field(
        "full", description="Check of a bundle before it is served. full: checksums of its files; quick: their sizes."
    )
    candidates: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Items that the two-tower proposes; unset: as many as the bundle was made with."
    )
    onnx_threads: Annotated[int, Field(ge=1)] = Field(1, description="Threads of ONNX Runtime in each process.")
    max_batch: Annotated[int, Field(ge=1)] = Field(32, description="Most concurrent requests scored together.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe lines logged: debug, info, warning or error."
    )
    access_log: bool = Field(False, description="Log one line a request.")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with `overrides` (None: not given) on top.

    Raises:
        ConfigError: a value does not fit; every offending setting is named.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic converts and checks each value
    except ValidationError as error:
        problems = [f"{_names(e['loc'])}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        raise ConfigError(
            "settings that fit serve/settings.py", "; ".join(problems), "correct them; see python -m serve --help"
        ) from None


def _names(location: tuple[int | str, ...]) -> str:
    setting = str(location[0]) if location else "settings"
    return f"{ENV_PREFIX}{setting.upper()} or --{setting.replace('_', '-')}"
