"""What is answered of evidence: contributions, history, sources, rules and facts, with items as people call them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from recsys.explain.fact import Kind, Polarity, Unit
from serve.answers import Answer, Done


class NamedItem(Answer):
    """An item, as people call it."""

    item_id: Annotated[str, Meta(examples=["B000142FVW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil conditioner"])]


class ScoredItem(Answer):
    """An item with a number."""

    item_id: Annotated[str, Meta(examples=["B00ARGAN03"])]
    title: Annotated[str | None, Meta(examples=["Argan oil hair mask"])]
    score: Annotated[float, Meta(examples=[2.0])]


class ContributionPart(Answer):
    """What a group of numbers gives to the difference of the item's score and the reference's."""

    group: Annotated[
        str,
        Meta(description="Heading of the numbers that the ranker reads, or a source's name.", examples=["transitions"]),
    ]
    value: Annotated[float, Meta(description="In units of the score; below 0 it speaks against.", examples=[0.31])]


class HistoryShareAnswer(Answer):
    """What an item of the history does for the explained item."""

    item_id: Annotated[str, Meta(examples=["B000142FVW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil conditioner"])]
    action: Done
    times: Annotated[int, Meta(description="How often it is in the history.", examples=[1])]
    shares: Annotated[
        dict[str, float],
        Meta(description="By source, what it gives to the source's score.", examples=[{"transitions": 0.42}]),
    ]
    total: Annotated[float, Meta(description="The shares, each times its source's weight, together.", examples=[0.294])]
    tried: Annotated[
        bool,
        Meta(
            description="Whether the recommender was run without it: at depth full, for a long history for the most "
            "influential and the latest items.",
            examples=[True],
        ),
    ]
    rank_without: Annotated[
        int | None,
        Meta(
            description="Rank of the explained item among all ranked if the user had never had to do with this one; "
            "null: it would not be ranked, or that was not tried.",
            examples=[14],
        ),
    ]
    score_without: Annotated[float | None, Meta(description="Its score then; null likewise.", examples=[1.52])]


class CounterfactualAnswer(Answer):
    """A small set of the user's own actions without which the item leaves the list, found by running it again."""

    without: Annotated[list[NamedItem], Meta(description="At most 3; empty: no such set was found.")]
    rank: Annotated[
        int | None,
        Meta(description="Rank of the item without them; null: it would not be ranked.", examples=[14]),
    ]
    replacement: Annotated[
        NamedItem | None,
        Meta(
            description="What comes into the list in its place; null: nothing does.",
            examples=[{"item_id": "B00ARGAN03", "title": "Argan oil hair mask"}],
        ),
    ]


class SourceOpinionAnswer(Answer):
    """What a source thinks of the item."""

    source: Annotated[str, Meta(examples=["transitions"])]
    score: Annotated[float, Meta(description="0 where it has none.", examples=[0.42])]
    weight: Annotated[
        float, Meta(description="Of its score in the source sum; 0 where it borrows that.", examples=[0.7])
    ]
    rank: Annotated[
        int | None,
        Meta(description="Among all items that the list may hold; null where it has no score.", examples=[3]),
    ]
    proposes: Annotated[int, Meta(description="How many items it proposes; 0 for one that only scores.", examples=[50])]
    proposed: Annotated[bool, Meta(examples=[True])]
    rest: Annotated[float, Meta(description="Of the score, what is no item of the history's share.", examples=[0.0])]


class BorrowedScore(Answer):
    """What an item that nobody has chosen yet borrows of items of similar text."""

    source: Annotated[str, Meta(description="Whose score is borrowed.", examples=["transitions"])]
    lenders: Annotated[list[ScoredItem], Meta(description="With what each lends.")]


class RuleAnswer(Answer):
    """What the request or the shop asks of items, and whether it lets the item in."""

    name: Annotated[
        str,
        Meta(
            description="seen (it is in the history), bought (the user bought it), price, category or brand; stock "
            "(it is sold out); of the shop the id of a rule.",
            examples=["seen"],
        ),
    ]
    allows: Annotated[bool, Meta(examples=[True])]
    by: Annotated[
        Literal["shop"] | UnsetType, Meta(description="Of rules of the shop, named where they forbid the item.")
    ] = UNSET


class FactAnswer(Answer):
    """A single true statement, on which texts rest."""

    id: Annotated[str, Meta(description="By which texts cite it.", examples=["f1"])]
    kind: Annotated[Kind, Meta(examples=["next_purchase"])]
    text: Annotated[
        str | None,
        Meta(
            description="The statement in words; null for one that is not told.",
            examples=["12 customers chose it after “Argan oil conditioner”, which you bought."],
        ),
    ]
    value: Annotated[str | float, Meta(examples=["Argan oil conditioner"])]
    unit: Annotated[Unit, Meta(examples=["title"])]
    polarity: Annotated[Polarity, Meta(description="Whether it speaks for the item.", examples=["for"])]
    strength: Annotated[
        float | None,
        Meta(
            description="Of the contribution that it stands for, in units of the score; no reason where it is at most "
            "0; null where nothing was scored.",
            examples=[0.31],
        ),
    ]
    personal: Annotated[bool, Meta(description="Whether it is true of this user alone.", examples=[True])]
    sensitive: Annotated[
        bool, Meta(description="Texts never tell it; shown where the request says so.", examples=[False])
    ]
    history_item: Annotated[NamedItem | None, Meta(description="Item of the history that it speaks of.")]
    action: Done
    count: Annotated[
        int,
        Meta(
            description="How many items of the history it speaks of; of next_purchase and co_purchase, how many "
            "customers chose so; of an average rating, how many ratings.",
            examples=[12],
        ),
    ]
