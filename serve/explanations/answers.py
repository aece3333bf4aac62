"""What is answered about why an item is in a list, or is not, and about items in a few words."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from recsys.bundle.layout import FULL
from recsys.explain.evidence import Compared, Stage
from recsys.explain.explainer import Depth
from recsys.explain.text.rule_text import Style
from recsys.histories.reading import StoreState
from serve.answers import Answer
from serve.bundles.info import BundleInfo
from serve.explanations.evidence_answers import (
    BorrowedScore,
    ContributionPart,
    CounterfactualAnswer,
    FactAnswer,
    HistoryShareAnswer,
    RuleAnswer,
    ScoredItem,
    SourceOpinionAnswer,
)
from serve.explanations.texts import GuardState, TextSource
from serve.histories.summary import UserSummary
from serve.variants.info import VariantInfo

Share = Annotated[float, Meta(ge=0, le=1)]
Cosine = Annotated[float, Meta(ge=-1, le=1)]


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
            "behind the finalists' gate; forbidden: by what was asked for, or by the shop; unproposed: by no source.",
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
    rank_before: Annotated[
        int | UnsetType,
        Meta(
            description="Of an item in the list, its rank before the shop's rules moved anything; absent where no rule "
            "is in force.",
            examples=[4],
        ),
    ] = UNSET
    moved_by: Annotated[
        list[str] | UnsetType,
        Meta(
            description="Ids of the shop's rules that put it where it is; absent likewise. Contributions compare "
            "scores as they are without rules.",
            examples=[["spring-promotion"]],
        ),
    ] = UNSET
    kept_out_by: Annotated[
        list[str] | UnsetType,
        Meta(
            description="Of an item that is not in the list, ids of the shop's rules that moved it out: without any "
            "single one of them it would be in it; where none is enough, those that keep it out together. Found by "
            "running the recommender without them, at depth full; absent where there are none.",
            examples=[["end-of-line"]],
        ),
    ] = UNSET
    experiments: Annotated[
        list[VariantInfo] | UnsetType,
        Meta(
            description="The experiments that the user is in: the list explained is the one that they make, and where "
            "one is not delivered, as without it. A list that is drafted from two is explained by the first variant's. "
            "Absent: none.",
        ),
    ] = UNSET


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
