"""One bundle that makes served lists again, by the parts that a server is made of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from recsys.bundle import Bundle
from recsys.bundle.layout import FULL
from recsys.bundle.overlay import LiveBundle
from recsys.bundle.overlay.fitting import fitting
from recsys.core.errors import BundleError
from recsys.core.item_changes import ItemChange
from recsys.core.persons import Persons
from recsys.core.queries import NO_ITEM, Queries
from recsys.histories.live_histories import LiveHistories, LiveQueries
from recsys.histories.reading import HistoryReader
from recsys.pipeline.pages import page
from recsys.pipeline.policy import Policy
from recsys.pipeline.recommendations import Recommendations
from recsys.rules.base import RuleBase
from recsys.rules.buy_again import BUY_AGAIN, BuyAgain
from recsys.rules.policy import CompiledRules
from recsys.rules.rule import Rule
from recsys.sources.new_items import NewItems
from recsys.store import ListDetails, Served, StoreUnavailable


@dataclass(frozen=True)
class Replayed:
    """A list that was made again.

    Attributes:
        item_ids: best first.
        filled: whether popular items fill it, or are all of it.
        history: interactions that it was made of.
        seconds: that making it took, without reading the store.
    """

    item_ids: tuple[str, ...]
    filled: bool
    history: int
    seconds: float


@dataclass(frozen=True)
class Shop:
    """What a shop says besides events, as of one moment.

    Attributes:
        persons: who is forgotten, and which ids are one person's.
        rules: that lists obey.
        items: what became of the catalogue's items.
    """

    persons: Persons
    rules: Sequence[Rule] = ()
    items: Sequence[ItemChange] = ()


class Replayer:
    """Makes lists of one bundle.

    What the log does not keep is as a request has it that does not say: no filter, items of the history left out, no
    context for rules. Items that the bundle does not hold are in none of its lists, also where a server would have put
    them over it.
    """

    def __init__(self, bundle: Bundle, reader: HistoryReader, shop: Shop, live_events: int) -> None:
        """Nothing is recommended yet.

        Args:
            bundle: open.
            reader: of the store that the lists were served from.
            shop: what it says besides.
            live_events: most recent items of a user whose events are read.
        """
        self.bundle = _with_items(bundle, shop.items)
        self._histories = LiveHistories(self.bundle, reader, live_events, shop.persons)
        self._recommender = self.bundle.recommender()
        self._rules = CompiledRules.compile(shop.rules, RuleBase.of(self.bundle))

    def make(self, served: Served, length: int | None = None) -> Replayed:
        """The list again, from what was known of its user then.

        Args:
            served: the list.
            length: of the one to make; None: that of the list.

        Raises:
            StoreUnavailable: the store does not answer.
            BundleError: it has no such model.
        """
        if served.user_id is None:
            raise ValueError("expected a list of a user, got one of a session")
        details = served.details or ListDetails()
        buys_again = details.scenario == BUY_AGAIN
        bound = self._rules.bound(details.scenario)
        policy = BuyAgain.of(self._rules.base, bound) if buys_again else bound
        purchases = self._rules.reads_purchases or buys_again
        users = self._histories.of([served.user_id], served.timestamp, served.timestamp, purchases=purchases)
        if users.store != "live":
            raise StoreUnavailable("a store that answers", users.store, "replay the lists when it does")
        started = time.perf_counter()
        model, k = details.asked or served.model, length or len(served.item_ids)
        made = self._recommend(self._queries(users), model, k, details.offset, policy)
        seconds = time.perf_counter() - started
        listed = made.items[0] != NO_ITEM
        item_ids = tuple(self.bundle.catalogue.item_ids(made.items[0][listed]))
        history = int(users.queries.histories.lengths[0])
        return Replayed(item_ids, bool(made.popular[0][listed].any()), history, seconds)

    def _queries(self, users: LiveQueries) -> Queries:
        return users.named if self._rules.reads_user_id else users.queries

    def _recommend(self, queries: Queries, model: str, k: int, offset: int, policy: Policy | None) -> Recommendations:
        if model != FULL and model not in self.bundle.sources:
            raise BundleError(f"one of the models {FULL}, {', '.join(self.bundle.sources)}", repr(model), "train it")
        by = None if model == FULL else self.bundle.source(model)
        listing = partial(self._recommender.recommend, by=by, restrictions=self.bundle.in_stock, policy=policy)
        settled = self._recommender.settled if by is None else 0
        return page(lambda length, first: listing(queries, length, first=first), k, offset, settled)


def _with_items(bundle: Bundle, changes: Sequence[ItemChange]) -> Bundle:
    """The bundle with what became of its own items over it."""
    known = bundle.catalogue.item_rows([change.item_id for change in changes])
    own = [fitting(change, bundle.attributes.types) for change in changes if change.item_id in known]
    return LiveBundle(bundle, own, NewItems.none(bundle.item_embeddings.shape[1])) if own else bundle
