"""What is answered about why an item is in a list, or is not, and about items in a few words."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from recsys.bundle.layout import FULL
from recsys.explain.evidence import Compared, Stage
from recsys.explain.explainer import Depth
from recsys.explain.fact import Kind, Polarity, Unit
from recsys.explain.text.rule_text import Style
from serve.answers import Answer
from serve.bundles.info import BundleInfo
from serve.explanations.texts import GuardState, TextSource
from serve.histories.summary import UserSummary
from serve.store.link import StoreState

Share = Annotated[float, Meta(ge=0, le=1)]
Cosine = Annotated[float, Meta(ge=-1, le=1)]


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
    action: Annotated[
        str | None, Meta(description="What the user did with it; null: nobody knows.", examples=["purchase"])
    ]
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
    weight: Annotated[float, Meta(description="Of its score in the source sum.", examples=[0.7])]
    rank: Annotated[
        int | None,
        Meta(description="Among all items that the list may hold; null where it has no score.", examples=[3]),
    ]
    depth: Annotated[int, Meta(description="How many items it proposes; 0 for one that only scores.", examples=[50])]
    proposed: Annotated[bool, Meta(examples=[True])]
    rest: Annotated[float, Meta(description="Of the score, what is no item of the history's share.", examples=[0.0])]


class BorrowedScore(Answer):
    """What an item that nobody has chosen yet borrows of items of similar text."""

    source: Annotated[str, Meta(description="Whose score is borrowed.", examples=["transitions"])]
    lenders: Annotated[list[ScoredItem], Meta(description="With what each lends.")]


class RuleAnswer(Answer):
    """A rule of the request, and whether it lets the item in."""

    name: Annotated[
        str,
        Meta(
            description="seen (it is in the history), bought (the user bought it), price, category or brand.",
            examples=["seen"],
        ),
    ]
    allows: Annotated[bool, Meta(examples=[True])]


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
    action: Annotated[
        str | None, Meta(description="What the user did with that; null: nobody knows.", examples=["purchase"])
    ]
    count: Annotated[
        int,
        Meta(
            description="How many items of the history it speaks of; of next_purchase and co_purchase, how many "
            "customers chose so; of an average rating, how many ratings.",
            examples=[12],
        ),
    ]


class GuardAnswer(Answer):
    """What became of the language model's answers."""

    state: Annotated[
        GuardState,
        Meta(
            description="not_asked: by the rules; passed: the text is the model's; refused: the guard refused what it "
            "said; no_answer: none was to be had in time.",
            examples=["not_asked"],
        ),
    ]
    reasons: Annotated[list[str], Meta(description="Why, each once.", examples=[[]])]


class ExplainedItem(Answer):
    """The item that is explained."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    price: Annotated[float | None, Meta(examples=[12.95])]


class ExplanationResponse(Answer):
    """Why an item stands where it does in the list of a user or a session, or why it is not in it."""

    user_id: Annotated[str | None, Meta(description="null: an anonymous session.", examples=["A1YJEY40YUW4SE"])]
    user: UserSummary
    item: ExplainedItem
    bundle: BundleInfo
    model: Annotated[str, Meta(description="The model that was asked for.", examples=[FULL])]
    as_of: Annotated[str | None, Meta(description="Nothing later was read; null: everything was.", examples=[None])]
    k: Annotated[int, Meta(description="Length of the list.", examples=[10])]
    depth: Annotated[Depth, Meta(examples=["full"])]
    stage: Annotated[
        Stage,
        Meta(
            description="How far the item came. listed: it is in the list; filled: likewise, because it is popular; "
            "arranged: an arrangement preferred others; ranked: behind the list's last item; candidate: proposed, and "
            "behind the finalists' gate; forbidden: by a rule; unproposed: by no source.",
            examples=["listed"],
        ),
    ]
    rank: Annotated[
        int | None,
        Meta(description="In the list, from 1; behind it among all ranked; null: not ranked.", examples=[1]),
    ]
    score: Annotated[float | None, Meta(description="What the list is ordered by; null: it has none.", examples=[2.31])]
    confidence: Annotated[
        Share | None,
        Meta(description="As of recommendations; null without a score.", examples=[0.91]),
    ]
    semantic_similarity: Annotated[
        Cosine | None,
        Meta(
            description="Cosine of the item's text and the texts of the history, as the two-tower sees them; null for "
            "an empty history, or a bundle whose two-tower keeps no texts.",
            examples=[0.62],
        ),
    ]
    source_sum: Annotated[
        float | None,
        Meta(description="Weighted sum of the sources' scores, which chooses the finalists.", examples=[0.294]),
    ]
    sum_rank: Annotated[int | None, Meta(description="Among the candidates by the source sum.", examples=[2])]
    gate: Annotated[
        float | None,
        Meta(description="Source sum of the last finalist; null: all candidates are finalists.", examples=[0.11]),
    ]
    set_back: Annotated[
        bool,
        Meta(description="It stands behind all others at the gate, since it repeats a choice.", examples=[False]),
    ]
    reference: Annotated[
        ScoredItem | None,
        Meta(description="What the item is compared with, and its score or source sum; null: no item is."),
    ]
    reference_score: Annotated[
        float | None,
        Meta(
            description="The number that the contributions start from: the reference's score or source sum; without a "
            "reference the ranker's score of an item of which nothing is known, of a source alone 0. null without "
            "contributions.",
            examples=[2.0],
        ),
    ]
    contributions: Annotated[
        list[ContributionPart] | None,
        Meta(
            description="Of the difference of both scores, by falling absolute value: exact Shapley values. null for "
            "an item that was not scored, and one that fills the list up."
        ),
    ]
    contributions_of: Annotated[
        Compared | None,
        Meta(
            description="What they make the difference of. score: final scores. source_sum: the source sums of a "
            "candidate that the ranker did not see and of the last one that it did. null without contributions.",
            examples=["score"],
        ),
    ]
    contributions_exact: Annotated[
        bool | None,
        Meta(description="Whether all coalitions were computed; null without contributions.", examples=[True]),
    ]
    additivity_error: Annotated[
        float | None,
        Meta(description="Of the contributions' sum, from the difference of both scores.", examples=[1e-7]),
    ]
    sources: list[SourceOpinionAnswer]
    history: Annotated[
        list[HistoryShareAnswer],
        Meta(
            description="At depth full the item first without which the explained one falls furthest; at depth cheap "
            "by falling absolute total."
        ),
    ]
    borrowed: Annotated[
        list[BorrowedScore],
        Meta(description="Of an item that nobody has chosen yet, and then no reason by itself.", examples=[[]]),
    ]
    counterfactual: Annotated[
        CounterfactualAnswer | None,
        Meta(description="null where it was not looked for: at depth cheap, and for items that are not in the list."),
    ]
    rules: list[RuleAnswer]
    features: Annotated[
        dict[str, float | None],
        Meta(
            description="What the ranker read of the item; empty where it did not see it.",
            examples=[{"transitions_score": 0.42}],
        ),
    ]
    facts: Annotated[list[FactAnswer], Meta(description="Strongest first.")]
    reasoning_factors: Annotated[
        list[str],
        Meta(
            description="The facts that give a reason, in words, strongest first.",
            examples=[["12 customers chose it after “Argan oil conditioner”, which you bought."]],
        ),
    ]
    text: Annotated[
        str,
        Meta(
            description="The explanation in words; where no fact speaks for the item it says that.",
            examples=["12 customers chose it after “Argan oil conditioner”, which you bought."],
        ),
    ]
    style: Annotated[Style, Meta(examples=["sentence"])]
    language: Annotated[str, Meta(description="Of texts and numbers.", examples=["en"])]
    cites: Annotated[list[str], Meta(description="Ids of the facts that the text rests on.", examples=[["f1"]])]
    text_source: Annotated[
        TextSource, Meta(description="Who wrote the text: rules, or a language model.", examples=["rule"])
    ]
    guard: GuardAnswer
    fallback_used: Annotated[
        bool,
        Meta(description="The item fills the list up because it is popular: no personal reason.", examples=[False]),
    ]
    fallback_reason: Annotated[str | None, Meta(description="Why, if fallback_used.", examples=[None])]
    store: Annotated[StoreState, Meta(description="As of recommendations.", examples=["live"])]
    generated_at: Annotated[str, Meta(examples=["2024-05-01T12:00:00.123Z"])]


class BlurbResponse(Answer):
    """An item in a few words, from what the catalogue says of it."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    text: Annotated[
        str,
        Meta(
            description="Empty where the catalogue knows nothing of the item.",
            examples=["By Arganics. In Hair Care. It costs 12.95."],
        ),
    ]
    text_source: Annotated[
        TextSource, Meta(description="Who wrote the text: rules, or a language model.", examples=["rule"])
    ]
    cached: Annotated[bool, Meta(description="It was written before, and kept.", examples=[False])]
    language: Annotated[str, Meta(description="Of text and numbers.", examples=["en"])]
    bundle: BundleInfo
