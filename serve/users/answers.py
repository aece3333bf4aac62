"""What is answered about users."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from recsys.histories.reading import StoreState
from recsys.rules.spending import Segment
from serve.answers import Answer
from serve.bundles.info import BundleInfo


class UserRow(Answer):
    """A user of the bundle, of the store, or of both."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    interactions: Annotated[int, Meta(description="In the bundle.", examples=[7])]
    live_events: Annotated[int, Meta(description="In the store.", examples=[2])]
    last_event_at: Annotated[str | None, Meta(description="In the store.", examples=["2024-05-01T11:59:58Z"])]


class UsersResponse(Answer):
    """A page of users, ordered by id."""

    users: list[UserRow]
    next_cursor: Annotated[str | None, Meta(description="For the next page; null after the last.", examples=[None])]
    store: Annotated[
        StoreState, Meta(description="unavailable: the bundle's users alone are listed.", examples=["live"])
    ]


class HistoryItem(Answer):
    """An item that the user had to do with."""

    item_id: Annotated[str, Meta(examples=["B0009RF9DW"])]
    title: Annotated[str | None, Meta(examples=["Argan oil shampoo, 500 ml"])]
    brand: Annotated[str | None, Meta(examples=["Arganics"])]
    price: Annotated[float | None, Meta(examples=[12.95])]
    rating: Annotated[float | None, Meta(description="The latest one.", examples=[5.0])]
    at: Annotated[str | None, Meta(description="Time of the latest event.", examples=["2024-05-01T11:59:58Z"])]
    categories: Annotated[
        list[str], Meta(description="From general to specific.", examples=[["Beauty", "Hair Care", "Shampoos"]])
    ]
    image: Annotated[str | None, Meta(description="Address of a picture.", examples=["https://example.com/1.jpg"])]
    action: Annotated[
        str | None,
        Meta(
            description="What was done with the item: rating where there is one, else the type of the strongest event; "
            "null: nobody knows.",
            examples=["purchase"],
        ),
    ]


class Favourite(Answer):
    """A brand or category."""

    name: Annotated[str, Meta(examples=["Arganics"])]
    items: Annotated[int, Meta(description="Items of the history that bear it.", examples=[3])]
    share: Annotated[float, Meta(ge=0, le=1, description="Of the history's items.", examples=[0.43])]


class Totals(Answer):
    """What the store counts of the user's events."""

    events: Annotated[int, Meta(examples=[12])]
    by_type: Annotated[dict[str, int], Meta(examples=[{"view": 9, "purchase": 3}])]
    purchased: Annotated[float, Meta(description="Pieces bought.", examples=[4.0])]
    spent: Annotated[float, Meta(description="Over the purchases with a price.", examples=[51.8])]


class SpendingResponse(Answer):
    """The user among all users, by the mean price of the items in the history."""

    mean_price: Annotated[float | None, Meta(description="null: no price is known.", examples=[17.3])]
    segment: Annotated[
        Segment | None,
        Meta(
            description="Quarter of the bundle's users by mean price: small, low_average, average or high.",
            examples=["average"],
        ),
    ]
    quartiles: Annotated[list[float], Meta(description="Bounds between the quarters.", examples=[[8.5, 14.0, 22.9]])]


class ProfileResponse(Answer):
    """What the bundle and the store say of a user."""

    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    store: Annotated[StoreState, Meta(examples=["live"])]
    interactions: Annotated[int, Meta(description="Distinct items in the history.", examples=[7])]
    history: Annotated[list[HistoryItem], Meta(description="The latest first.")]
    totals: Annotated[Totals | None, Meta(description="null: the store has no event of the user, or cannot be asked.")]
    favourite_brands: Annotated[list[Favourite], Meta(description="The five most frequent.")]
    favourite_categories: Annotated[list[Favourite], Meta(description="The five most frequent.")]
    spending: SpendingResponse
    bundle: BundleInfo
