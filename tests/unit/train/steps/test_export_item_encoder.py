"""Why a bundle cannot encode new items is said, in its manifest and in the log."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from recsys.config import parse_config
from recsys.core.progress import Steps
from recsys.train.steps.context import ExportedItemEncoder
from recsys.train.steps.export_item_encoder import export_item_encoder


def exported(folder: Path, said: io.StringIO, **sections: dict[str, Any]) -> ExportedItemEncoder:
    (folder / "config.json").write_text(json.dumps({"hidden_size": 4, "num_hidden_layers": 1}))
    (folder / "vocab.txt").write_text("[UNK]\n")
    (folder / "model.safetensors").write_bytes(b"weights")
    settings: dict[str, Any] = {"name": "tiny", "data": {"format": "events", "interactions": ["unused"]}}
    text = {"encoder": [str(folder)], "cache_dir": str(folder / "cache")} | sections.pop("text", {})
    context: Any = SimpleNamespace(config=parse_config(settings | {"text": text} | sections, "the test"))
    text_of_run = SimpleNamespace(weights_sha256="those of another file", encoder="the encoder")
    trained: Any = SimpleNamespace(inputs=SimpleNamespace(text=text_of_run))
    steps = Steps(Console(file=said, width=300), ["export"])
    with steps.step("export") as step:
        return export_item_encoder(context, trained, step)


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"bundle": {"encoder": False}}, "bundle.encoder is false"),
        (
            {"text": {"trainable_layers": 1}, "training": {"retrieval_loss": "sampled"}},
            "its text encoder is fine-tuned (text.trainable_layers)",
        ),
        ({}, "the text encoder the encoder of this run is no longer there"),
    ],
)
def test_the_reason(tmp_path: Path, sections: dict[str, dict[str, Any]], reason: str) -> None:
    said = io.StringIO()
    outcome = exported(tmp_path, said, **sections)
    assert outcome.parts is None
    assert reason in outcome.reason
    assert f"The bundle will encode no new items: {reason}" in said.getvalue()
    assert not (tmp_path / "cache").exists()
