"""Settings of the item-to-item sources."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.settings import Positive, Section, Share
from recsys.sources.tried import Tried


class ItemToItemSettings(Section):
    """Of every item-to-item source."""

    decay: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Tried("decay", refit=False)] = Field(
        [0.3, 0.4, 0.5, 0.6, 0.8, 1.0],
        min_length=1,
        description="Weights of a step back in the history tried for every item-to-item source.",
    )


class NeighbourSettings(ItemToItemSettings):
    """Of items of common users."""

    neighbours_k: Annotated[list[Positive], Tried("k")] = Field(
        [20, 100], min_length=1, description="Lengths of neighbour lists tried."
    )


class Bm25Settings(NeighbourSettings):
    """Of items of common users, BM25-weighted."""

    bm25_k1: Annotated[list[Annotated[float, Field(ge=0)]], Tried("k1")] = Field(
        [1.2], min_length=1, description="BM25 K1 tried."
    )
    bm25_b: Annotated[list[Share], Tried("b")] = Field([0.2, 0.75], min_length=1, description="BM25 B tried.")


class TransitionSettings(ItemToItemSettings):
    """Of what is chosen after what."""

    transitions_k: Annotated[list[Positive], Tried("k")] = Field(
        [100], min_length=1, description="Lengths of transition lists tried."
    )
    transitions_reverse: Annotated[list[Share], Tried("reverse")] = Field(
        [0.3, 0.5, 1.0], min_length=1, description="Weights tried of a transition taken backwards."
    )
    transitions_target_power: Annotated[list[Share], Tried("target_power")] = Field(
        [0.3, 0.5],
        min_length=1,
        description="Powers tried of the target item's popularity by which its transitions are divided.",
    )
    transitions_days: Annotated[list[Annotated[float, Field(gt=0)] | None], Tried("days")] = Field(
        [None], min_length=1, description="Days over which a transition's weight falls to 1/e, tried; null: no limit."
    )


class EaseSettings(ItemToItemSettings):
    """Of the linear item-item model."""

    ease_l2: Annotated[list[Annotated[float, Field(gt=0)]], Tried("l2")] = Field(
        [50.0, 300.0], min_length=1, description="EASE's L2 tried."
    )
    ease_max_items: Positive = Field(
        15000, description="Catalogues above get no EASE of all items: it inverts a matrix of items x items."
    )
    ease_most_chosen: Annotated[int, Field(ge=0, le=30_000)] = Field(
        0,
        description="In such a catalogue EASE is that of so many items, the most often chosen; 0: there is none. For "
        "30,000 each matrix takes 4 GB.",
    )
