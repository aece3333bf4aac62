"""What people did in a time, as a bundle sees it: one form for its own histories, a store and a prepared dataset."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recsys.bundle import Bundle
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int64Array
from recsys.histories.event_types import EventTypes
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.store import Event, Store

RATED, OTHER = "rating", "other"
MOST_EVENTS = 500_000  # of a store that are held at once; of more, those of some users are
_MOST_HALVES = 20


@dataclass(frozen=True)
class Behaviour:
    """Interactions, one of each user and item unless repeats are kept, in no order.

    Attributes:
        users, items: int64 [T], rows of the bundle; what it does not know has numbers behind its rows.
        times: float64 [T], seconds since 1970.
        weights: float32 [T], of the strongest event.
        rated: bool [T].
        share: of the users who did something then, those that are in it.
    """

    users: Int64Array
    items: Int64Array
    times: Float64Array
    weights: Float32Array
    rated: BoolArray
    share: float = 1.0

    def __len__(self) -> int:
        return len(self.users)

    def where(self, kept: BoolArray) -> Self:
        """Only some of them."""
        return replace(
            self,
            users=self.users[kept],
            items=self.items[kept],
            times=self.times[kept],
            weights=self.weights[kept],
            rated=self.rated[kept],
        )

    def between(self, since: float, until: float) -> Self:
        """Those after a time, up to another one."""
        return self.where((self.times > since) & (self.times <= until))

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> Self:
        """All interactions that it holds."""
        histories = bundle.histories
        return cls(
            histories.rows,
            histories.items.astype(np.int64),
            histories.timestamps.astype(np.float64),
            np.asarray(histories.weights),
            ~np.isnan(histories.ratings),
        )

    @classmethod
    def of_dataset(cls, dataset: PreparedDataset, bundle: Bundle, since: float, until: float) -> Self:
        """What a prepared dataset has of a time."""
        times = dataset.interactions[c.TIMESTAMP].to_numpy(np.float64)
        rows = dataset.interactions[(times > since) & (times <= until)]
        users = dataset.user_ids[rows[c.USER].to_numpy()].astype(str)
        items = dataset.item_ids[rows[c.ITEM].to_numpy()].astype(str)
        return cls(
            _numbers(users.tolist(), bundle.catalogue.user_rows, bundle.catalogue.n_users),
            _numbers(items.tolist(), bundle.catalogue.item_rows, bundle.n_items),
            rows[c.TIMESTAMP].to_numpy(np.float64),
            rows[c.WEIGHT].to_numpy(np.float32),
            ~np.isnan(rows[c.RATING].to_numpy(np.float32, na_value=np.nan)),
        )

    @classmethod
    def of_store(cls, store: Store, bundle: Bundle, since: float, until: float) -> Self:
        """What a store has of a time: events of types that the bundle knows, without those taken back.

        Raises:
            StoreError, StoreUnavailable: it does not answer.
        """
        types = EventTypes.of(bundle)
        in_time = (
            [one for one in part if since < one.timestamp <= until and one.event_type in types.accepted]
            for part in store.all_events()
        )
        events, share = of_some_users(in_time, MOST_EVENTS)
        of_users: dict[str, list[Event]] = {}
        for event in sorted(events, key=lambda one: one.timestamp):
            of_users.setdefault(event.user_id, []).append(event)
        events = [event for own in of_users.values() for event in types.standing(own)]
        made = cls(
            _numbers([one.user_id for one in events], bundle.catalogue.user_rows, bundle.catalogue.n_users),
            _numbers([one.item_id for one in events], bundle.catalogue.item_rows, bundle.n_items),
            np.array([one.timestamp for one in events], np.float64),
            np.array([types.weights[one.event_type] for one in events], np.float32),
            np.array([one.rating is not None for one in events], np.bool_),
            share,
        )
        return made if bundle.manifest.config.get("data", {}).get("repeats") == "all" else made.once()

    def once(self) -> Self:
        """One of each user and item: the latest, with the greatest weight, rated if any is."""
        if not len(self):
            return self
        order = np.lexsort((self.times, self.items, self.users))
        users, items = self.users[order], self.items[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (np.diff(users) != 0) | (np.diff(items) != 0)
        starts = np.flatnonzero(first)
        last = np.append(starts[1:], len(order)) - 1
        return type(self)(
            users[starts],
            items[starts],
            self.times[order][last],
            np.maximum.reduceat(self.weights[order], starts),
            np.logical_or.reduceat(self.rated[order], starts),
            self.share,
        )

    def types(self, weights: Mapping[str, float]) -> list[str]:
        """Of each the type that its weight tells, all of them where several weigh alike; what is rated is a rating."""
        named: dict[float, list[str]] = {}
        for name, weight in sorted(weights.items()):
            if name != RATED:
                named.setdefault(float(np.float32(weight)), []).append(name)
        labels = {weight: "/".join(names) for weight, names in named.items()}
        return [
            RATED if rated else labels.get(float(weight), OTHER)
            for weight, rated in zip(self.weights.tolist(), self.rated.tolist(), strict=True)
        ]


def of_some_users(parts: Iterable[Sequence[Event]], most: int) -> tuple[list[Event], float]:
    """The events of as many users as it takes to have `most` at most, all that they did, and their share.

    Users are told by a hash of their ids: half of them, a quarter, and so on.
    """
    events: list[Event] = []
    halves = 0
    for part in parts:
        events += _of_kept_users(part, halves)
        while len(events) > most and halves < _MOST_HALVES:
            halves += 1
            events = _of_kept_users(events, halves)
    return events, 0.5**halves


def _of_kept_users(events: Sequence[Event], halves: int) -> list[Event]:
    mask = (1 << halves) - 1
    return [one for one in events if zlib.crc32(one.user_id.encode("utf8", "surrogatepass")) & mask == 0]


def _numbers(ids: Sequence[str], rows_of: Callable[[Sequence[str]], Mapping[str, int]], n_rows: int) -> Int64Array:
    """The rows of ids; those without one get numbers from `n_rows` on, the same for the same id."""
    rows = rows_of(sorted(set(ids)))
    numbers = dict(rows)
    for one in ids:
        if one not in numbers:
            numbers[one] = n_rows + len(numbers) - len(rows)
    found: NDArray[np.int64] = np.array([numbers[one] for one in ids], np.int64)
    return found
