"""Why the items of lists are there, in words: a sentence and two facts each, for a few microseconds an item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from struct import Struct
from typing import Final, NamedTuple, cast

import msgspec
import numpy as np

from recsys.bundle import ItemCard
from recsys.bundle.layout import FULL
from recsys.core.bounded_cache import BoundedCache
from recsys.core.events import RATING
from recsys.core.histories import Histories
from recsys.core.queries import NO_ITEM
from recsys.core.types import BoolArray, Float32Array, Int64Array
from recsys.explain.actions import Action
from recsys.explain.cheap import CheapReasons
from recsys.explain.cheap.facts import FACTS, KINDS
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import sentence
from recsys.histories.live_histories import LiveHistories, LiveQueries
from recsys.pipeline.recommendations import Recommendations
from serve.bundles.loaded import LoadedBundle
from serve.kernels import write_reason_keys
from serve.recommendations.answers import Why, WhyFact

MAX_WRITTEN: Final = 25_000
VARIANTS: Final = 3  # ways in which one list tells the same thing, one after the other
_NOTHING = -1
_encoder = msgspec.json.Encoder()
# A `Why` that is encoded already: encoders copy it as it is. Answers are typed as what they are read as.
_Encoded = cast("Callable[[bytes], Why]", msgspec.Raw)


class _Key(NamedTuple):
    """A fact, and how it is told; -1 for what there is none of.

    Attributes:
        kind: index in `KINDS`.
        value: see `recsys.explain.cheap.CheapFacts.fact`.
        item: row of the item of the history that it speaks of.
        action: index of what was done with that.
        counted: see `recsys.explain.fact.Fact.count`.
        variant: of the sentence; -1 for one that is not told in words.
    """

    kind: int
    value: int
    item: int
    action: int
    counted: int
    variant: int


class Whys:
    """Says why, by one bundle in one language. For one thread at a time."""

    def __init__(self, loaded: LoadedBundle, phrases: Phrases) -> None:
        """Get ready; sentences are written when they are first needed, and remembered."""
        self._loaded, self._phrases = loaded, phrases
        self._of_models: dict[str, CheapReasons] = {}
        self._written = BoundedCache[bytes, bytes](self._write, MAX_WRITTEN)

    def of(
        self, made: Recommendations, model: str, users: LiveQueries, live: LiveHistories
    ) -> tuple[list[Why], list[int]]:
        """Why each item of the lists is there, one list after the other.

        Args:
            made: the lists of B users.
            model: that made them.
            users: whose they are.
            live: where their histories came from.

        Returns:
            One `Why` for each, encoded already, see `_Encoded`; the kind of each reason, as its index in `KINDS`, -1
            for none.
        """
        facts = self._loaded.cheap_facts.of(self.reasons(model), users.queries, made)
        numbers = self._numbers(facts, made, users, live)
        # The keys of both facts, as bytes: a tuple of twelve numbers takes ten times as long to make.
        keys = numbers.reshape(len(numbers), FACTS * len(_Key._fields)).view(f"V{FACTS * _KEY_BYTES}")[:, 0].tolist()
        written = self._written(keys)
        return [_Encoded(written[key]) for key in keys], numbers[:, 0, 0].tolist()

    def _write(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Why, encoded, by the keys of both facts."""
        pairs = [_unpacked(key) for key in keys]
        cards = self._loaded.cards({fact.item for pair in pairs for fact in pair if fact.item != NO_ITEM})
        return {
            key: _encoder.encode(
                Why(text=self._sentence(pair, cards), facts=[self._shown(fact, cards.get(fact.item)) for fact in pair])
            )
            for key, pair in zip(keys, pairs, strict=True)
        }

    def reasons(self, model: str) -> CheapReasons:
        """What finds the reasons of a model's lists."""
        if model not in self._of_models:
            loaded, hidden = self._loaded, self._loaded.fact_base.sensitive
            self._of_models[model] = (
                CheapReasons.of_recommender(loaded.recommender, hidden)
                if model == FULL
                else CheapReasons.of_source(loaded.source(model), hidden)
            )
        return self._of_models[model]

    def _numbers(self, facts: Int64Array, made: Recommendations, users: LiveQueries, live: LiveHistories) -> Int64Array:
        """The keys of the facts of n listed items: int64 [n, 2, 6]."""
        sessions = np.array([not isinstance(subject, str) for subject in users.subjects])
        keys, rows = keys_of(facts, made, users.queries.histories, sessions, self._types)
        if users.events:
            self._add_told(users, live, rows, keys)
        return keys

    def _add_told(self, users: LiveQueries, live: LiveHistories, rows: Int64Array, keys: Int64Array) -> None:
        """Write what events of the store tell where the histories leave it open."""
        told = np.array([subject in users.events for subject in users.subjects])  # a session's items are no such key
        places, facts = np.nonzero((keys[..., 3] == 0) & told[rows][:, None])
        of_rows, of_items = rows[places].tolist(), keys[places, facts, 2].tolist()
        distinct = list(dict.fromkeys(of_rows))
        events = [users.events[subject] for row in distinct if isinstance(subject := users.subjects[row], str)]
        codes = {
            (row, item): self._action_codes[action]
            for row, types in zip(distinct, live.types_of_users(events), strict=True)
            for item, action in types.items()
        }
        keys[places, facts, 3] = [codes.get(pair, 0) for pair in zip(of_rows, of_items, strict=True)]

    @cached_property
    def _action_names(self) -> tuple[Action, ...]:
        """All there are; None, which is the first: nobody knows."""
        told = self._loaded.actions.by_weight.values()
        return (None, *dict.fromkeys((RATING, *self._loaded.event_types.weights, *told)))

    @cached_property
    def _types(self) -> Float32Array:
        """By index of the action, the weight that tells it; NaN where none does."""
        weights = {action: weight for weight, action in self._loaded.actions.by_weight.items()}
        return np.array([weights.get(action or "", np.nan) for action in self._action_names], np.float32)

    @cached_property
    def _action_codes(self) -> dict[Action, int]:
        return {action: code for code, action in enumerate(self._action_names)}

    def _sentence(self, pair: Sequence[_Key], cards: Mapping[int, ItemCard]) -> str:
        """The first fact in words; `cards`: of the items that facts speak of."""
        if not pair:
            return self._phrases.strings.no_reason
        key = pair[0]
        card, action = cards.get(key.item), self._action_names[max(key.action, 0)]
        item, title = (None, "") if card is None else (key.item, card.title or "")
        fact = self._loaded.cheap_facts.fact(KINDS[key.kind], key.value, key.counted, item, title, action)
        return sentence(fact, self._phrases, key.variant)

    def _shown(self, key: _Key, card: ItemCard | None) -> WhyFact:
        """A fact as answers show it; `card`: of the item that it speaks of."""
        item_id, title = (None, "") if card is None else (card.item_id, card.title or "")
        kind, action = KINDS[key.kind], self._action_names[max(key.action, 0)]
        value = self._loaded.cheap_facts.shown(kind, key.value, title)
        return WhyFact(kind=kind, value=value, item_id=item_id, action=action, count=key.counted)


def keys_of(
    facts: Int64Array, made: Recommendations, histories: Histories, untold: BoolArray, types: Float32Array
) -> tuple[Int64Array, Int64Array]:
    """What decides how the facts of n listed items are told.

    Args:
        facts: see `CheapFacts.of`.
        made: the lists of B users.
        histories: of these.
        untold: bool [B], users of whom nobody knows what they did.
        types: weights that tell an action, see `write_reason_keys`.

    Returns:
        int64 [n, 2, 6], a `_Key` for each fact; int64 [n], whose list it is.
    """
    count = int((made.items != NO_ITEM).sum())
    keys, rows = np.empty((count, FACTS, len(_Key._fields)), np.int64), np.empty(count, np.int64)
    read = histories.indptr, histories.items, histories.weights, histories.ratings
    write_reason_keys(made.items, facts, *read, untold, types, VARIANTS, keys, rows)
    return keys, rows


_PACKED: Final = Struct(f"={len(_Key._fields)}q")
_KEY_BYTES: Final = _PACKED.size


def _unpacked(key: bytes) -> list[_Key]:
    """The keys of an item's facts."""
    return [_Key(*fact) for fact in _PACKED.iter_unpack(key) if fact[0] != _NOTHING]
