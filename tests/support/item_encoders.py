"""A hand-made text encoder for bundles of tests: the mean of a fixed random vector for each letter of a text."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from recsys.bundle import ItemRecord
from recsys.core.item_texts import item_text
from recsys.core.types import BoolArray
from recsys.encoding import ItemEncoderParts
from recsys.encoding.files import (
    MODEL_FILE,
    TOKENIZER_FILE,
    EncoderNotes,
    ItemInputs,
    PriceNotes,
    VocabularyNotes,
)
from recsys.encoding.text_encoder import OnnxTextEncoder
from recsys.encoding.vocabulary import ItemVocabulary
from recsys.sources.text_lenders import TextLenders

TEXT_DIM = 16
LETTERS = string.ascii_letters + string.digits
MAX_TOKENS, MAX_CHARS = 32, 200


def make_item_encoder_parts(
    folder: Path, records: Sequence[ItemRecord], chosen: BoolArray, learned_dim: int
) -> ItemEncoderParts:
    """A text encoder in the files of `folder`, and those of the items that are `chosen`, which lend."""
    model, tokenizer = folder / MODEL_FILE, folder / TOKENIZER_FILE
    write_text_encoder(model)
    write_tokenizer(tokenizer)
    notes = EncoderNotes(
        fingerprint="letters",
        weights_sha256="0" * 64,
        layers=[1],
        pooling="mean",
        dim=TEXT_DIM,
        max_tokens=MAX_TOKENS,
        text_max_chars=MAX_CHARS,
        category_separator=" > ",
        learned_dim=learned_dim,
    )
    texts = [
        item_text(record.title or "", record.brand or "", record.categories, record.description or "", MAX_CHARS)
        for record in records
    ]
    vectors = OnnxTextEncoder(folder, TEXT_DIM, MAX_TOKENS).encode(texts)
    return ItemEncoderParts(model, tokenizer, notes, TextLenders.of(vectors, chosen))


def make_item_inputs(records: Sequence[ItemRecord]) -> str:
    """`ITEM_INPUTS_FILE` of a catalogue."""
    vocabulary = ItemVocabulary.fit([record.brand for record in records], [record.categories for record in records])
    inputs = ItemInputs(
        text_encoder="letters",
        text_weights_sha256="0" * 64,
        price_scale=PriceNotes(mean=3.0, std=1.0),
        vocabulary=VocabularyNotes(brands=list(vocabulary.brands), categories=list(vocabulary.categories)),
    )
    return msgspec.json.encode(inputs).decode()


def write_tokenizer(path: Path) -> None:
    """Each letter and digit is a token, whatever else is unknown."""
    vocabulary = {"[UNK]": 0, **{letter: number for number, letter in enumerate(LETTERS, 1)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\S"), "isolated")
    path.write_text(tokenizer.to_str(), "utf8")


def write_text_encoder(path: Path) -> None:
    """ids and mask [B, L] to the mean of a row of a table for each token."""
    table = np.random.default_rng(7).normal(size=(len(LETTERS) + 1, TEXT_DIM)).astype(np.float32)
    constants = [
        helper.make_tensor("table", TensorProto.FLOAT, table.shape, table.ravel()),
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        helper.make_tensor("tokens", TensorProto.INT64, [1], [1]),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["hidden"]),
        helper.make_node("Cast", ["mask"], ["flat"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["flat", "last"], ["weights"]),
        helper.make_node("Mul", ["hidden", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "tokens"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["weights", "tokens"], ["count"], keepdims=0),
        helper.make_node("Div", ["total", "count"], ["text"]),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, ["B", "L"]) for name in ("ids", "mask")]
    output = helper.make_tensor_value_info("text", TensorProto.FLOAT, ["B", TEXT_DIM])
    graph = helper.make_graph(nodes, "encoder", inputs, [output], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
