"""Settings come from the environment, options win, and what does not fit is named."""

from pathlib import Path

import pytest

from recsys.core.errors import ConfigError
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


def test_a_file_below_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "serve.toml"
    path.write_text('port = 9001\nworkers = 3\nbundle = "saved_model/file"\nrate_limit = 2.5\n')
    monkeypatch.setenv("RECSYS_WORKERS", "4")
    settings = load_settings(config=str(path), port="9002")
    assert (settings.port, settings.workers, settings.bundle) == (9002, 4, Path("saved_model/file"))
    assert settings.rate_limit == 2.5
    monkeypatch.setenv("RECSYS_CONFIG", str(path))
    assert load_settings().port == 9001


@pytest.mark.parametrize(
    ("content", "problem"), [("port = 'http'", "RECSYS_PORT"), ("colour = 1", "COLOUR"), ("port = ", "serve.toml")]
)
def test_a_file_that_does_not_fit_is_named(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "serve.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=problem):
        load_settings(config=str(path))
    with pytest.raises(ConfigError, match="absent"):
        load_settings(config=str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("none", "none"),
        ("sqlite:///data/store.sqlite", "sqlite:///data/store.sqlite"),
        ("postgresql://u:swordfish@db.example:5432/shop?password=swordfish", "postgresql://db.example:5432/shop"),
        ("postgresql://u:sword@fish@db.example/shop", "postgresql://db.example/shop"),
    ],
)
def test_no_password_is_shown(store: str, shown: str) -> None:
    public = load_settings(store=store).public()
    assert public["store"] == shown
    assert "fish" not in str(public)


def test_origins_are_a_list() -> None:
    assert load_settings(cors_origins=" https://a.example,https://b.example , ").origins == [
        "https://a.example",
        "https://b.example",
    ]
    assert load_settings().origins == []
