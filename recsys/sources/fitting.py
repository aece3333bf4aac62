"""What fits a source: data, and a `Fit` in the module beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.core.histories import Histories
from recsys.core.types import Float32Array, Float64Array
from recsys.sources.base import Source


@dataclass(frozen=True)
class FitData:
    """What sources are fitted on.

    Attributes:
        histories: training interactions of all users, row u is user u.
        n_items: N, size of the catalogue.
        texts: of all items, "" where there is none; empty sequence: no texts.
        text_vectors: float32 [N, D] of a text encoder, zero where there is no text; None: no encoder.
        prices: float64 [N] of the catalogue, NaN where unknown; None: no prices.
        quantities: float32 [T], units bought, beside `histories.items`, NaN where unknown; None: no quantities.
        seed: of ALS and BPR.
        repeats: whether people choose the same item again, so that an item may lead to itself.
    """

    histories: Histories
    n_items: int
    texts: Sequence[str] = ()
    text_vectors: Float32Array | None = None
    prices: Float64Array | None = None
    quantities: Float32Array | None = None
    seed: int = 0
    repeats: bool = False


def _always(_: FitData, __: Any) -> str | None:
    return None


@dataclass(frozen=True)
class Fit:
    """How a source is fitted.

    Attributes:
        fit: of data and settings, and of one value for each setting that is `Tried`, by name of its argument.
        obstacle: of data and settings; why it cannot be fitted, in words for the report, or None.
    """

    fit: Callable[..., Source]
    obstacle: Callable[[FitData, Any], str | None] = _always
