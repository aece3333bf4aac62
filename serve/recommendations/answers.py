"""What is answered about recommendations."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from recsys.bundle.layout import FULL
from recsys.explain.fact import Kind
from recsys.histories.reading import StoreState
from serve.answers import Answer, Done, ShortenedBy, Unknown
from serve.bundles.info import BundleInfo
from serve.histories.summary import UserSummary
from serve.variants.info import Variants


class WhyFact(Answer):
    """A true statement of an item."""

    kind: Annotated[
        Kind,
        Meta(
            description="next_purchase, co_purchase, similar_text: of an item of the history; taste: it fits the "
            "history as a whole; shared_brand, shared_category, price_near_habit, predicted_rating, popularity; "
            "shop_rule: it is in the list because the shop has put it there, see `rules` of the item.",
            examples=["next_purchase"],
        ),
    ]
    value: Annotated[
        str | float,
        Meta(
            description="Title of the item of the history, name of the brand or category, price, rating, or rank by "
            "popularity; empty for a taste and a shop_rule.",
            examples=["Argan oil conditioner"],
        ),
    ]
    item_id: Annotated[
        str | None,
        Meta(description="Item of the history that it speaks of, or the latest of several.", examples=["B000142FVW"]),
    ]
    action: Done
    count: Annotated[
        int,
        Meta(
            description="How many items of the history it speaks of; of next_purchase and co_purchase, how many "
            "customers chose so.",
            examples=[12],
        ),
    ]


class Why(Answer):
    """Why an item is in the list: what gives most to the sum of the sources' scores, and what else is true of it."""

    text: Annotated[
        str,
        Meta(
            description="One sentence, which says the first of the facts.",
            examples=["12 customers chose it after “Argan oil conditioner”, which you bought."],
        ),
    ]
    facts: Annotated[
        list[WhyFact],
        Meta(description="At most two. Of popular items that fill the list up their popularity alone."),
    ]


class RecommendedItem(Answer):
    """One item of a list."""

    rank: Annotated[int, Meta(description="Position in the list, from 1.", examples=[1])]
    item_id: Annotated[str, Meta(description="The catalogue's id of the item.", examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    price: Annotated[float | None, Meta(description="In the catalogue's currency; null if unknown.", examples=[12.95])]
    score: Annotated[
        float,
        Meta(
            description="What items of the same model_source are ordered by; comparable within one answer only.",
            examples=[2.31],
        ),
    ]
    confidence: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Grows with the score: logistic function of scale * score + offset, which the bundle gives "
            "for each model (1 and 0 where it does not, see GET /models); of popular items, their share of all "
            "interactions.",
            examples=[0.91],
        ),
    ]
    retrieval_score: Annotated[
        float | None,
        Meta(
            description="Inner product of the user's and the item's vector; null where it was not computed.",
            examples=[7.1],
        ),
    ]
    predicted_rating: Annotated[
        float | None,
        Meta(
            description="Rating the user would give, on the dataset's scale; null if the model predicts none.",
            examples=[4.4],
        ),
    ]
    source: Annotated[str, Meta(description="The first source that proposed the item.", examples=["two_tower"])]
    sources: Annotated[
        list[str], Meta(description="All sources that proposed the item.", examples=[["two_tower", "transitions"]])
    ]
    model_source: Annotated[
        str,
        Meta(
            description="What gave the score: ranker, a source, or popularity where the list was filled up.",
            examples=["ranker"],
        ),
    ]
    why: Annotated[Why | UnsetType, Meta(description="With explain=cheap alone.")] = UNSET
    rank_before: Annotated[
        int | UnsetType,
        Meta(
            description="Rank before the shop's rules moved anything, from 1; absent where no rule is in force.",
            examples=[4],
        ),
    ] = UNSET
    rules: Annotated[
        list[str] | UnsetType,
        Meta(
            description="Ids of the shop's rules that put the item where it is; absent where no rule is in force.",
            examples=[["spring-promotion"]],
        ),
    ] = UNSET


class Timing(Answer):
    """Milliseconds; requests that wait at the same moment are computed together and share all but the total."""

    store_ms: Annotated[float, Meta(description="Reading the events of the users.", examples=[0.4])]
    query_tower_ms: Annotated[float, Meta(examples=[0.6])]
    ann_ms: Annotated[float, Meta(description="Search in the index.", examples=[0.2])]
    ranking_ms: Annotated[float, Meta(description="The other sources and the ranker.", examples=[2.2])]
    total_ms: Annotated[float, Meta(description="From the request's arrival to this answer.", examples=[4.1])]


class RecommendationResponse(Answer):
    """The list for one user and where it came from."""

    recommendation_id: Annotated[
        str,
        Meta(
            description="Names this list, and no other: events say by it which list they follow, see POST /events.",
            examples=["3f2a9c0e5b7d41688a1c0d9e2f4b6a73"],
        ),
    ]
    user_id: Annotated[str | None, Meta(description="null: an anonymous session.", examples=["A1YJEY40YUW4SE"])]
    user: UserSummary
    primary_model: Annotated[
        str,
        Meta(description="The model that was asked for, or popularity where it had nothing to offer.", examples=[FULL]),
    ]
    fallback_used: Annotated[
        bool, Meta(description="The list was filled up with popular items, the same for everyone.", examples=[False])
    ]
    fallback_reason: Annotated[str | None, Meta(description="Why, if fallback_used.", examples=[None])]
    shortfall: Annotated[int, Meta(description="Items fewer than k: no more of the catalogue fit.", examples=[0])]
    store: Annotated[
        StoreState,
        Meta(
            description="live: the user's latest events were read; off: there is no store; unavailable: the list comes "
            "from the bundle alone.",
            examples=["live"],
        ),
    ]
    bundle: BundleInfo
    timing: Timing
    generated_at: Annotated[str, Meta(examples=["2024-05-01T12:00:00.123Z"])]
    items: Annotated[list[RecommendedItem], Meta(description="Best first.")]
    unknown_items: Unknown = UNSET
    shortened_by: Annotated[
        ShortenedBy | UnsetType,
        Meta(description="Where rules of the shop, or that nothing else is due, are why there is a shortfall."),
    ] = UNSET
    experiments: Variants = UNSET
    order: Annotated[
        Literal["drawn"] | UnsetType,
        Meta(
            description="drawn: chance put the ranked items in order, better ones rather earlier, see "
            "`randomised_share`; absent: they stand in the order of their scores, or as rules want them.",
        ),
    ] = UNSET


class RecommendationList(Answer):
    """One answer for each user asked for, in their order."""

    results: list[RecommendationResponse]
