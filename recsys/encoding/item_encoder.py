"""From items that a bundle does not hold to what its sources need of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.core.disk import link
from recsys.core.errors import BundleError
from recsys.core.item_texts import item_text
from recsys.core.parameters import read_parameters, write_parameters
from recsys.core.stored_arrays import REMEDY
from recsys.core.tower_io import ITEM_TOWER
from recsys.core.types import Float32Array
from recsys.encoding.entry import CatalogueEntry
from recsys.encoding.files import (
    ENCODER_FOLDER,
    ITEM_INPUTS_FILE,
    MODEL_FILE,
    NOTES_FILE,
    TOKENIZER_FILE,
    EncoderNotes,
    ItemInputs,
)
from recsys.encoding.new_item_tower import NewItemTower
from recsys.encoding.price_scale import PriceScale
from recsys.encoding.text_encoder import OnnxTextEncoder
from recsys.encoding.vocabulary import ItemVocabulary
from recsys.sources.new_items import NewItems
from recsys.sources.onnx_session import OnnxModel
from recsys.sources.text_lenders import TextLenders

_MOST_INPUTS = 1 << 26  # bytes of the file with all brands and categories


class ItemEncoder:
    """The text encoder and the item tower of a bundle. Safe to call from several threads at once.

    Args:
        folder: of a bundle's version.
        notes: what goes with the text encoder.
        inputs: what the item tower's inputs are made with.
        lenders: items of the bundle that lend.
        embeddings: float16 [N, D], vectors of the bundle's items.
    """

    def __init__(
        self,
        folder: Path,
        notes: EncoderNotes,
        inputs: ItemInputs,
        lenders: TextLenders,
        embeddings: NDArray[np.floating],
    ) -> None:
        self._folder, self._notes, self._inputs = folder, notes, inputs
        self._lenders, self._embeddings = lenders, embeddings
        self._texts = OnnxTextEncoder(folder / ENCODER_FOLDER, notes.dim, notes.max_tokens)

    @classmethod
    def load(cls, folder: Path, embeddings: NDArray[np.floating]) -> Self:
        """Read it from a bundle; the graphs, the larger part, are read when they are first needed.

        Args:
            folder: of the bundle's version.
            embeddings: float16 [N, D], vectors of its items.

        Raises:
            BundleError: a file is missing, or not what an export writes.
        """
        home = folder / ENCODER_FOLDER
        notes = read_parameters(home / NOTES_FILE, EncoderNotes)
        if notes.learned_dim > embeddings.shape[1]:
            got = f"{notes.learned_dim} learned numbers in {home / NOTES_FILE}"
            raise BundleError(f"at most the {embeddings.shape[1]} numbers of an item's vector", got, REMEDY)
        for name in (MODEL_FILE, TOKENIZER_FILE):
            if not (home / name).is_file():
                raise BundleError(f"a text encoder in {home}", f"no {name}", REMEDY)
        inputs = read_parameters(folder / ITEM_INPUTS_FILE, ItemInputs, _MOST_INPUTS)
        return cls(folder, notes, inputs, TextLenders.load(home, len(embeddings), notes.dim), embeddings)

    @property
    def fingerprint(self) -> str:
        """Of all that a text's vector depends on beside the text: encoders of one fingerprint give it the same one."""
        return self._notes.fingerprint

    @property
    def dim(self) -> int:
        """E, width of a text's vector."""
        return self._notes.dim

    def text_of(self, entry: CatalogueEntry) -> str:
        """What the text encoder reads of an item, as preparing a dataset makes it; empty where it has no text."""
        parts = entry.title, entry.brand, entry.categories, entry.description
        return item_text(*parts, self._notes.text_max_chars, separator=self._notes.category_separator)

    def encode_texts(self, texts: Sequence[str]) -> Float32Array:
        """Vectors float32 [M, E] of texts; zero for an empty one. Takes milliseconds a text.

        Which texts are encoded together changes no more than the last digits of a vector.

        Raises:
            BundleError: the text encoder is missing or damaged.
        """
        return self._texts.encode(texts)

    def new_items(self, entries: Sequence[CatalogueEntry], text_vectors: Float32Array) -> NewItems:
        """Vectors and lenders of M items, as a training run exports them for items without interactions.

        Args:
            entries: of the items.
            text_vectors: float32 [M, E], what `encode_texts` gave for their texts.

        Raises:
            BundleError: the item tower is missing, damaged or of another model.
        """
        return self._tower.new_items(entries, text_vectors)

    @cached_property
    def _tower(self) -> NewItemTower:
        return NewItemTower(
            OnnxModel(self._folder / ITEM_TOWER.onnx_file),
            ItemVocabulary(tuple(self._inputs.vocabulary.brands), tuple(self._inputs.vocabulary.categories)),
            PriceScale(self._inputs.price_scale.mean, self._inputs.price_scale.std),
            self._lenders,
            self._embeddings,
            self._notes.learned_dim,
        )


@dataclass(frozen=True)
class ItemEncoderParts:
    """What a bundle needs beyond item tower, its inputs and items' vectors, to encode new items.

    Attributes:
        model, tokenizer: files of the text encoder.
        notes: what goes with it.
        lenders: items of the bundle that lend.
    """

    model: Path
    tokenizer: Path
    notes: EncoderNotes
    lenders: TextLenders

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists. Files of the text encoder are linked where the file system can."""
        link(self.model, folder / MODEL_FILE)
        link(self.tokenizer, folder / TOKENIZER_FILE)
        write_parameters(folder / NOTES_FILE, self.notes)
        self.lenders.save(folder)
