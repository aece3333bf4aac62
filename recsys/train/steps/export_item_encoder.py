"""Step: export what encodes new items while a server runs, or say why it cannot be done."""

from __future__ import annotations

import hashlib

from rich.console import Console

from recsys.bundle.manifest import file_sha256
from recsys.config import Config
from recsys.core.disk import writing
from recsys.core.errors import TrainingError
from recsys.core.item_texts import category_separator
from recsys.core.progress import Step
from recsys.encoding import ItemEncoderParts
from recsys.encoding.files import EncoderNotes
from recsys.sources.text_lenders import TextLenders
from recsys.text.choices import choose_encoder
from recsys.text.encoder import layer_numbers
from recsys.train.encoder_export import ExportedEncoder, NotExportable, export_encoder
from recsys.train.steps.context import ExportedItemEncoder, RunContext, Trained


def export_item_encoder(context: RunContext, trained: Trained, step: Step) -> ExportedItemEncoder:
    """The text encoder of the run without TensorFlow, and the texts of the items that lend.

    Args:
        context: of the run.
        trained: the two-tower.
        step: hears what was exported, or why new items will be refused.

    Raises:
        TrainingError: the text encoder cannot be loaded, or its file not be written.
    """
    exported = _export(context.config, trained)
    if exported.parts is None:
        step.print(f"The bundle will encode no new items: {exported.reason}")
    else:
        step.print(f"Text encoder as ONNX, at most {exported.difference:.1e} from TensorFlow")
    return exported


def _export(config: Config, trained: Trained) -> ExportedItemEncoder:
    if not config.bundle.encoder:
        return ExportedItemEncoder.none("bundle.encoder is false")
    if config.text.trainable_layers:
        return ExportedItemEncoder.none(
            "its text encoder is fine-tuned (text.trainable_layers), and only a frozen one is exported"
        )
    text = trained.inputs.text
    files = choose_encoder(config.text, Console(quiet=True))
    if files.weights_sha256 != text.weights_sha256:
        return ExportedItemEncoder.none(f"the text encoder {text.encoder} of this run is no longer there")
    try:
        with writing(f"the exported text encoder in {config.text.cache_dir}", TrainingError, "free space there"):
            exported = export_encoder(files, config.text)
    except NotExportable as reason:
        return ExportedItemEncoder.none(f"its text encoder {files.name} cannot be exported: {reason}")
    notes = EncoderNotes(
        fingerprint=_fingerprint(exported, config.text.max_tokens),
        weights_sha256=files.weights_sha256,
        layers=list(layer_numbers(config.text.layers, files.n_layers)),
        pooling="mean",
        dim=files.dim,
        max_tokens=config.text.max_tokens,
        text_max_chars=config.data.text_max_chars,
        category_separator=category_separator(are_tags=config.data.format == "recbole"),
        learned_dim=config.model.dim,
    )
    lenders = TextLenders.of(text.embeddings, trained.inputs.item_counts > 0)
    return ExportedItemEncoder(
        ItemEncoderParts(exported.model, exported.tokenizer, notes, lenders), "", exported.difference
    )


def _fingerprint(exported: ExportedEncoder, max_tokens: int) -> str:
    """Of all that a text's vector depends on."""
    parts = file_sha256(exported.model), file_sha256(exported.tokenizer), str(max_tokens)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
