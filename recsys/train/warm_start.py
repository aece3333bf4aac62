"""Start a two-tower from the weights of one that was trained before, as far as both know the same things."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import tensorflow as tf

from recsys.bundle import Bundle
from recsys.bundle.layout import TF_FOLDER
from recsys.core.errors import BundleError
from recsys.core.tower_io import FIRST_ID_ROW, ITEM_TOWER, QUERY_TOWER
from recsys.core.types import Float32Array, Int64Array
from recsys.encoding.files import ITEM_INPUTS_FILE
from recsys.encoding.vocabulary import UNKNOWN, ItemVocabulary
from recsys.models import TwoTower

ITEMS, USERS = "item_tower/item_id/embeddings:0", "users:0"
BRANDS, CATEGORIES = "item_tower/brand/embeddings:0", "item_tower/categories/embeddings:0"
_READS_TEXT = "item_tower/text/"
_COLD = ("rating_head/", "step:0")  # begins at what the ratings say; counts the steps of this run
WARM_FILE = "warm_start.json"  # of a bundle whose two-tower started from the weights of another


class WarmNotes(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of its start.

    Attributes:
        origin: whose weights it started from.
        cold_epochs: after how many epochs a fit from nothing was best, the last time that there was one.
    """

    origin: str
    cold_epochs: int


@dataclass(frozen=True)
class Known:
    """What the rows of a model's tables stand for.

    Attributes:
        items, users: ids by row.
        vocabulary: of brands and categories.
        text_weights_sha256: of the encoder of the items' texts.
    """

    items: Sequence[str]
    users: Sequence[str]
    vocabulary: ItemVocabulary
    text_weights_sha256: str

    @property
    def tables(self) -> dict[str, tuple[int, Sequence[str]]]:
        """Of each table by name: how many rows stand for nothing known, and what each row behind them stands for."""
        return {
            ITEMS: (FIRST_ID_ROW, self.items),
            USERS: (FIRST_ID_ROW, self.users),
            BRANDS: (UNKNOWN + 1, self.vocabulary.brands),
            CATEGORIES: (UNKNOWN + 1, self.vocabulary.categories),
        }


@dataclass(frozen=True)
class TrainedWeights:
    """Weights of a trained two-tower.

    Attributes:
        origin: whose they are, for people.
        values: by name of the variable.
        known: what their rows stand for.
        cold_epochs: after how many epochs a fit from nothing was best, the last time that there was one.
    """

    origin: str
    values: Mapping[str, Float32Array]
    known: Known
    cold_epochs: int

    @classmethod
    def of_model(cls, origin: str, model: TwoTower, known: Known, cold_epochs: int) -> Self:
        """Those that a model has now."""
        return cls(origin, {one.name: one.numpy() for one in model.variables}, known, cold_epochs)

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> Self:
        """Those of both towers of a bundle.

        Raises:
            BundleError: its TensorFlow functions or what its tables stand for cannot be read.
        """
        try:
            values = cls.tower_values(bundle.path)
            described = json.loads((bundle.path / ITEM_INPUTS_FILE).read_text("utf8"))
            brands, categories = (tuple(described["vocabulary"][name]) for name in ("brands", "categories"))
            epochs = cold_epochs(bundle)
        except (OSError, ValueError, KeyError, AttributeError, msgspec.MsgspecError, tf.errors.OpError) as error:
            raise BundleError(
                f"the weights of a two-tower in {bundle.path}", str(error)[:200], "train without training.warm_start"
            ) from error
        catalogue = bundle.catalogue
        known = Known(
            catalogue.item_ids(np.arange(bundle.n_items)),
            catalogue.user_ids(np.arange(catalogue.n_users)),
            ItemVocabulary(brands, categories),
            described["text_weights_sha256"],
        )
        return cls(f"{bundle.name}, version {bundle.version}", values, known, epochs)

    @staticmethod
    def tower_values(folder: Path) -> dict[str, Float32Array]:
        """Weights of both towers by name, as their TensorFlow functions in the folder of a bundle hold them."""
        values: dict[str, Float32Array] = {}
        for tower in (ITEM_TOWER, QUERY_TOWER):
            loaded = tf.saved_model.load(str(folder / TF_FOLDER / tower.name))
            values |= {one.name: one.numpy() for one in loaded.weights}
        return values


def cold_epochs(bundle: Bundle) -> int:
    """After how many epochs the two-tower of a bundle was best, or that of the cold run which it goes back to."""
    path = bundle.path / WARM_FILE
    if not path.is_file():
        return bundle.manifest.metrics.best_epoch
    return msgspec.json.decode(path.read_bytes(), type=WarmNotes).cold_epochs


@dataclass(frozen=True)
class WarmStart:
    """What of a model was taken over.

    Attributes:
        rows: of each table by name: rows taken over, and rows that stand for something.
        copied: other variables that were taken over, by name.
        anew: variables that begin as in any run, by name.
    """

    rows: Mapping[str, tuple[int, int]]
    copied: tuple[str, ...]
    anew: tuple[str, ...]

    def says(self) -> str:
        """The same in a line."""
        words = {ITEMS: "items", USERS: "users", BRANDS: "brands", CATEGORIES: "categories"}
        rows = ", ".join(f"{own} of {every} {words[name]}" for name, (own, every) in self.rows.items())
        layers = dict.fromkeys(name.partition(":")[0].partition("/")[0] for name in self.anew)
        anew = f"; {len(self.anew)} begin anew ({', '.join(layers)})" if self.anew else ""
        return f"rows of {rows or 'no table'}, and {len(self.copied)} other variables{anew}"


def warm_start(model: TwoTower, known: Known, trained: TrainedWeights) -> WarmStart:
    """Take over the weights of a trained model, row by row where a row stands for the same thing, else as they are.

    What is new, and what has another shape, keeps the weights that the model has. The rating head does: it starts at a
    fit of the ratings, and no bundle has all of its weights.

    Args:
        model: with all its variables, as a run begins it.
        known: what its rows stand for.
        trained: weights to start from.
    """
    rows: dict[str, tuple[int, int]] = {}
    copied: list[str] = []
    anew: list[str] = []
    same_text = known.text_weights_sha256 == trained.known.text_weights_sha256
    tables = known.tables
    for variable in model.trainable_variables:
        name, value = variable.name, trained.values.get(variable.name)
        fits = value is not None and value.shape[1:] == tuple(variable.shape[1:])
        if value is None or not fits or name.startswith(_COLD) or (name.startswith(_READS_TEXT) and not same_text):
            anew.append(name)
        elif name in tables:
            rows[name] = _take_rows(variable, value, tables[name], trained.known.tables[name])
        elif value.shape == tuple(variable.shape):
            variable.assign(value)
            copied.append(name)
        else:
            anew.append(name)
    return WarmStart(rows, tuple(copied), tuple(anew))


def _take_rows(
    variable: tf.Variable, value: Float32Array, new: tuple[int, Sequence[str]], old: tuple[int, Sequence[str]]
) -> tuple[int, int]:
    """Copy the rows of what both know, and those of nothing known; how many of the former, and of how many."""
    (nothing, names), (_, before) = new, old
    own, others = _shared(names, before)
    table = variable.numpy()
    table[:nothing] = value[:nothing]
    table[nothing + own] = value[nothing + others]
    variable.assign(table)
    return len(own), len(names)


def _shared(names: Sequence[str], before: Sequence[str]) -> tuple[Int64Array, Int64Array]:
    """Places of the names that are in both, in the one and in the other."""
    place = {name: number for number, name in enumerate(before)}
    pairs = [(number, place[name]) for number, name in enumerate(names) if name in place]
    own, others = np.array(pairs, np.int64).reshape(-1, 2).T
    return own, others
