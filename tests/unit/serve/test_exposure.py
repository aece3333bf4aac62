"""A server that strangers reach asks for keys, unless it is said that it is meant to be open."""

import socket
from pathlib import Path

import pytest

from recsys.core.errors import ConfigError
from serve.__main__ import main
from serve.exposure import check_exposure, is_loopback
from serve.settings import load_settings


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_what_this_machine_alone_reaches(address: str) -> None:
    assert is_loopback(address)
    check_exposure(load_settings(), address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "fe80::1%eth0", "::ffff:10.0.0.7"])
def test_what_others_reach(address: str) -> None:
    assert not is_loopback(address)
    with pytest.raises(ConfigError) as caught:
        check_exposure(load_settings(), address)
    for way in ("--api-keys", "--open"):
        assert way in caught.value.remedy
    check_exposure(load_settings(open=True), address)
    check_exposure(load_settings(api_keys="keys.json"), address)


def test_it_is_refused_before_anything_listens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("serve.__main__._listen", lambda *_: pytest.fail("it listened"))
    monkeypatch.setattr("serve.__main__._check", lambda *_: pytest.fail("it checked"))
    for options in ([], ["--check"]):
        assert main(["--host", "0.0.0.0", "--port", "0", *options]) == 2
        assert "--open" in capsys.readouterr().err


def test_a_name_is_what_it_means(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def meaning(address: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]
        monkeypatch.setattr("serve.__main__.socket.getaddrinfo", lambda *_, **__: found)

    monkeypatch.setattr("serve.__main__._check", lambda *_: 0)
    meaning("127.0.1.1")
    assert main(["--host", "shop", "--check"]) == 0
    meaning("10.0.0.7")
    assert main(["--host", "shop", "--check"]) == 2
    assert "10.0.0.7" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--open"], ["--open", "true"]])
def test_openness_is_a_flag_that_may_have_a_value(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("serve.__main__._check", lambda settings: seen.append(settings.open) or 0)
    assert main(["--host", "0.0.0.0", "--port", "0", *options, "--check"]) == 0
    monkeypatch.setenv("RECSYS_OPEN", "true")
    assert main(["--host", "0.0.0.0", "--port", "0", "--check"]) == 0
    assert seen == [True, True]


def test_openness_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text("open = true\n")
    assert load_settings(config=str(tmp_path / "serve.toml")).open is True
