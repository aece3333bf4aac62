"""Users: a listing and a profile."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serve.bundles.price_segments import Segment
from serve.http.schemas import MAX_K, Answer, BundleInfo, Cursor, Limit, Query
from serve.store.link import StoreState


class UsersQuery(Query):
    """Which page."""

    cursor: Cursor = None
    limit: Limit = 20


class UserRow(Answer):
    """A user of the bundle, of the store, or of both."""

    user_id: str = Field(examples=["A1YJEY40YUW4SE"])
    interactions: int = Field(description="In the bundle.", examples=[7])
    live_events: int = Field(description="In the store.", examples=[2])
    last_event_at: str | None = Field(description="In the store.", examples=["2024-05-01T11:59:58Z"])


class UsersResponse(Answer):
    """A page of users, ordered by id."""

    users: list[UserRow]
    next_cursor: str | None = Field(description="For the next page; null after the last.", examples=[None])
    store: StoreState = Field(description="unavailable: the bundle's users alone are listed.", examples=["live"])


class ProfileQuery(Query):
    """How much of it."""

    limit: Annotated[int, Field(ge=1, le=MAX_K, description="Most recent items of the history shown.")] = 20


class HistoryItem(Answer):
    """An item that the user had to do with."""

    item_id: str = Field(examples=["B0009RF9DW"])
    title: str | None = Field(examples=["Argan oil shampoo, 500 ml"])
    brand: str | None = Field(examples=["Arganics"])
    price: float | None = Field(examples=[12.95])
    rating: float | None = Field(description="The latest one.", examples=[5.0])
    at: str | None = Field(description="Time of the latest event.", examples=["2024-05-01T11:59:58Z"])


class Favourite(Answer):
    """A brand or category."""

    name: str = Field(examples=["Arganics"])
    items: int = Field(description="Items of the history that bear it.", examples=[3])
    share: float = Field(ge=0, le=1, description="Of the history's items.", examples=[0.43])


class Totals(Answer):
    """What the store counts of the user's events."""

    events: int = Field(examples=[12])
    by_type: dict[str, int] = Field(examples=[{"view": 9, "purchase": 3}])
    purchased: float = Field(description="Pieces bought.", examples=[4.0])
    spent: float = Field(description="Over the purchases with a price.", examples=[51.8])


class SpendingResponse(Answer):
    """The user among all users, by the mean price of the items in the history."""

    mean_price: float | None = Field(description="null: no price is known.", examples=[17.3])
    segment: Segment | None = Field(
        description="Quarter of the bundle's users by mean price: small, low_average, average or high.",
        examples=["average"],
    )
    quartiles: list[float] = Field(description="Bounds between the quarters.", examples=[[8.5, 14.0, 22.9]])


class ProfileResponse(Answer):
    """What is known of a user."""

    user_id: str = Field(examples=["A1YJEY40YUW4SE"])
    store: StoreState = Field(examples=["live"])
    interactions: int = Field(description="Distinct items in the history.", examples=[7])
    history: list[HistoryItem] = Field(description="The latest first.")
    totals: Totals | None = Field(description="null: the store has no event of the user, or cannot be asked.")
    favourite_brands: list[Favourite] = Field(description="The five most frequent.")
    favourite_categories: list[Favourite] = Field(description="The five most frequent.")
    spending: SpendingResponse
    bundle: BundleInfo
