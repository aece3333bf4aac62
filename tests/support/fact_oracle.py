"""Whether a fact is true, by looking everything up anew: in catalogue, histories, neighbour lists and scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from recsys.bundle import Bundle
from recsys.core.queries import Queries
from recsys.explain.evidence import Evidence
from recsys.explain.fact import OF_SHOP, Fact, Kind
from recsys.sources.item_to_item.source import ItemToItem
from tests.support.counting import both, later


def falsehoods(facts: Sequence[Fact], bundle: Bundle, query: Queries, evidence: Evidence) -> list[Fact]:
    """Those facts that are not true of the item and the query's history."""
    oracle = _Oracle(bundle, query, evidence)
    return [fact for fact in facts if not getattr(oracle, fact.kind.value)(fact)]


class _Oracle:
    def __init__(self, bundle: Bundle, query: Queries, evidence: Evidence) -> None:
        self.bundle, self.query, self.evidence, self.item = bundle, query, evidence, evidence.item
        self.history = query.histories.items.tolist()
        self.records = {record.row: record for record in bundle.catalogue.items(list(range(bundle.n_items)))}
        self.counts = Counter(bundle.histories.items.tolist())

    def _lists(self) -> list[ItemToItem]:
        sources = [self.bundle.source(name) for name in self.bundle.sources]
        return [source for source in sources if isinstance(source, ItemToItem)]

    def _of_history(self, fact: Fact) -> bool:
        assert fact.history_item is not None
        return fact.history_item in self.history and fact.value == self.records[fact.history_item].title

    def _followers(self, fact: Fact) -> int:
        assert fact.history_item is not None
        return later(self.bundle.histories, fact.history_item, self.item, 50)

    def next_purchase(self, fact: Fact) -> bool:
        followers = self._followers(fact)
        if self.item in self.history:  # the user may be one of them
            return self._of_history(fact) and followers > fact.count == 1
        return self._of_history(fact) and 1 <= fact.count == followers

    def co_purchase(self, fact: Fact) -> bool:
        assert fact.history_item is not None
        count = both(self.bundle.histories, fact.history_item, self.item)
        if self.item in self.history:
            return self._of_history(fact) and count > fact.count == 1
        # Told of one where `transitions` alone has the pair, from the other direction or from one moment.
        turned = fact.count == 1 and self._followers(fact) == 0
        return self._of_history(fact) and count >= 1 and (fact.count == count or turned)

    def similar_text(self, fact: Fact) -> bool:
        if not self._of_history(fact):
            return False
        first = max(10, self.bundle.n_items // 100)
        lists = [source.neighbours[:, :first] for source in self._lists() if source.similar_by == "content"]
        if any(self.item in near[fact.history_item] for near in lists if fact.history_item < len(near)):
            return True
        two_tower = self.bundle.two_tower()
        assert two_tower.match is not None
        one, other = two_tower.item_embeddings[[self.item, fact.history_item], -two_tower.match.dim :].astype(float)
        return one @ other >= 0.5 * math.hypot(*one) * math.hypot(*other) - 1e-9

    def taste(self, fact: Fact) -> bool:
        sources = [self.bundle.source(name) for name in ("two_tower", "bpr", "hybrid", "blend")]
        ranks = []
        for source in sources:
            scores = source.score(self.query)[0]
            others = [s for row, s in enumerate(scores.tolist()) if row not in self.history and s > scores[self.item]]
            ranks.append(len(others) + 1)
        return fact.value in ranks and 1 <= fact.value <= max(10, self.bundle.n_items // 100)

    def shared_brand(self, fact: Fact) -> bool:
        sharing = {row for row in self.history if self.records[row].brand == fact.value and row != self.item}
        own = self.records[self.item].brand
        return own == fact.value and fact.history_item in sharing and len(sharing) == fact.count

    def shared_category(self, fact: Fact) -> bool:
        bearing = [row for row, record in self.records.items() if fact.value in record.categories]
        sharing = set(bearing) & set(self.history) - {self.item}
        specific = len(bearing) <= 0.1 * len(self.records)
        return specific and self.item in bearing and fact.history_item in sharing and len(sharing) == fact.count

    def price_near_habit(self, fact: Fact) -> bool:
        price = self.records[self.item].price
        if fact.polarity == "against":
            return fact.value == price
        total = weight = 0.0
        others = False
        for steps_back, row in enumerate(reversed(self.history)):
            paid = self.records[row].price
            if paid is not None:
                total += 0.8**steps_back * math.log(paid)
                weight += 0.8**steps_back
                others = others or 1 / 1.25 <= fact.value / paid <= 1.25
        habit = math.exp(total / weight)
        return others and fact.value == price and 1 / 1.25 <= fact.value / habit <= 1.25

    def predicted_rating(self, fact: Fact) -> bool:
        predictor = self.bundle.rating_predictor
        assert predictor is not None
        vectors = self.bundle.two_tower().encode(self.query)
        rating = predictor.predict(vectors, self.query.histories, np.array([[self.item]], np.int32))[0, 0]
        return abs(fact.value - rating) < 1e-4 and 1 <= fact.value <= 5

    def average_rating(self, fact: Fact) -> bool:
        histories = self.bundle.histories
        pairs = zip(histories.items.tolist(), histories.ratings.tolist(), strict=True)
        given = [rating for row, rating in pairs if row == self.item and not math.isnan(rating)]
        return len(given) == fact.count >= 5 and abs(fact.value - sum(given) / len(given)) < 1e-9

    def popularity(self, fact: Fact) -> bool:
        ahead = [row for row, count in self.counts.items() if count > self.counts[self.item]]
        return fact.value == len(ahead) + 1

    def trend(self, fact: Fact) -> bool:
        histories = self.bundle.histories
        bound = np.quantile(histories.timestamps, 0.9)
        recent = [row for row, at in zip(histories.items, histories.timestamps, strict=True) if at >= bound]
        expected = self.counts[self.item] * len(recent) / len(histories.items)
        more = (recent.count(self.item) + 1) / (expected + 1) - 1
        undamped = recent.count(self.item) / max(expected, 1e-9) - 1  # what the sentence speaks of
        told = 0 <= 100 * more - fact.value < 1.001 and fact.value <= 100 * undamped
        return self.counts[self.item] > 0 and more >= 0.25 and told

    def rule(self, fact: Fact) -> bool:
        forbidding = fact.value in self.evidence.standing.forbidden_by
        return forbidding == (fact.polarity == "against")


KINDS_OF_A_LIST = frozenset(Kind) - {Kind.BRAND, Kind.CATEGORY, Kind.PRICE} - OF_SHOP
