"""Settings come from the environment, options win, and what does not fit is named."""

from pathlib import Path

import pytest

from recsys.errors import ConfigError
from serve.settings import load_settings


def test_environment_then_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_BUNDLE", "saved_model/beauty")
    monkeypatch.setenv("RECSYS_PORT", "9001")
    settings = load_settings(port="9002", host=None)
    assert settings.bundle == Path("saved_model/beauty")
    assert settings.port == 9002
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "70000"), ("port", "http"), ("workers", "0"), ("candidates", "-5"), ("log_level", "loud"), ("host", "")],
)
def test_a_value_that_does_not_fit_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=f"RECSYS_{name.upper()}.*got '{value}'"):
        load_settings(**{name: value})
    monkeypatch.setenv(f"RECSYS_{name.upper()}", value)
    with pytest.raises(ConfigError, match=f"RECSYS_{name.upper()}.*got '{value}'"):
        load_settings()
