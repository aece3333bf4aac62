"""Why the items of lists are there, in words: a sentence and two facts each, for a few microseconds an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from recsys.bundle.layout import FULL
from recsys.core.events import RATING
from recsys.core.queries import NO_ITEM
from recsys.core.types import Int32Array, Int64Array
from recsys.explain.actions import Action
from recsys.explain.cheap import CheapReasons, Told
from recsys.explain.cheap.facts import KINDS
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import sentence
from recsys.pipeline.recommendations import Recommendations
from serve.bundles.loaded import LoadedBundle
from serve.cache import BoundedCache
from serve.histories.live_histories import LiveHistories, LiveQueries
from serve.recommendations.answers import Why, WhyFact

MAX_TOLD: Final = 50_000
VARIANTS: Final = 3  # ways in which one list tells the same thing, one after the other
_NOTHING = -1
# Kind, value, item of the history, what was done with it, how many items, variant of the sentence.
_Key = tuple[int, int, int, int, int, int]


class Whys:
    """Says why, by one bundle in one language. For one thread at a time."""

    def __init__(self, loaded: LoadedBundle, phrases: Phrases) -> None:
        """Get ready; sentences are written when they are first needed, and remembered."""
        self._loaded, self._phrases = loaded, phrases
        self._of_models: dict[str, CheapReasons] = {}
        self._told = BoundedCache[_Key, tuple[str, WhyFact]](self._tell, MAX_TOLD)

    def of(self, made: Recommendations, model: str, users: LiveQueries, live: LiveHistories) -> list[Why]:
        """One for each item of the lists, one list after the other.

        Args:
            made: the lists of B users.
            model: that made them.
            users: whose they are.
            live: where their histories came from.
        """
        facts = self._loaded.cheap_facts.of(self._reasons(model), users.queries, made)
        columns = self._columns(facts, made, users, live)[made.items != NO_ITEM]
        keys: list[_Key] = list(map(tuple, columns.reshape(-1, columns.shape[-1]).tolist()))
        told, silent = self._told(keys), Why(text=self._phrases.strings.no_reason, facts=[])
        whys = []
        for first, second in zip(keys[::2], keys[1::2], strict=True):
            if first[0] == _NOTHING:
                whys.append(silent)
                continue
            text, fact = told[first]
            whys.append(Why(text=text, facts=[fact] if second[0] == _NOTHING else [fact, told[second][1]]))
        return whys

    def _reasons(self, model: str) -> CheapReasons:
        """What finds the reasons of a model's lists."""
        if model not in self._of_models:
            loaded, hidden = self._loaded, self._loaded.fact_base.sensitive
            self._of_models[model] = (
                CheapReasons.of_recommender(loaded.recommender, hidden)
                if model == FULL
                else CheapReasons.of_source(loaded.source(model), hidden)
            )
        return self._of_models[model]

    def _columns(self, facts: Told, made: Recommendations, users: LiveQueries, live: LiveHistories) -> Int64Array:
        """The facts as keys: int64 [B, K, 2, 6]."""
        histories = users.queries.histories
        named = facts.positions != _NOTHING
        places = (histories.indptr[:-1, None, None] + facts.positions)[named]
        columns = np.full((*facts.kinds.shape, 6), _NOTHING)
        columns[..., 0], columns[..., 1], columns[..., 4] = facts.kinds, facts.values, facts.counts
        columns[named, 2] = histories.items[places]
        columns[named, 3] = self._actions(users, live, np.nonzero(named)[0], places)
        first = facts.kinds[..., 0] * (1 << 40) + facts.values[..., 0]
        earlier = np.tri(made.items.shape[1], k=-1, dtype=np.bool_)
        columns[..., 0, 5] = ((first[:, :, None] == first[:, None]) & earlier).sum(axis=2) % VARIANTS
        return columns

    def _actions(self, users: LiveQueries, live: LiveHistories, rows: Int64Array, places: Int64Array) -> Int64Array:
        """What was done at places of the histories, as indices in `_action_names`.

        Args:
            users: B of them.
            live: where their histories came from.
            rows: int64 [T], of the users.
            places: int64 [T], among all their interactions.
        """
        histories, codes = users.queries.histories, np.zeros(len(places), np.int64)
        weights = histories.weights[places]
        for weight, action in self._loaded.actions.by_weight.items():
            codes[weights == np.float32(weight)] = self._action_codes[action]
        codes[~np.isnan(histories.ratings[places])] = self._action_codes[RATING]
        sessions = [not isinstance(subject, str) for subject in users.subjects]
        if any(sessions):
            codes[np.array(sessions)[rows]] = 0
        if users.events:
            self._add_told(users, live, rows, histories.items[places], codes)
        return codes

    def _add_told(
        self, users: LiveQueries, live: LiveHistories, rows: Int64Array, items: Int32Array, codes: Int64Array
    ) -> None:
        """Write what events of the store tell where the histories leave it open."""
        types: dict[int, Mapping[int, str]] = {}
        for index in np.flatnonzero(codes == 0).tolist():
            row = int(rows[index])
            subject = users.subjects[row]
            if isinstance(subject, str) and subject in users.events:
                if row not in types:
                    types[row] = live.types_of(users.events[subject])
                codes[index] = self._action_codes.get(types[row].get(int(items[index])), 0)

    @cached_property
    def _action_names(self) -> tuple[Action, ...]:
        """All there are; None, which is the first: nobody knows."""
        return (None, *dict.fromkeys((RATING, *self._loaded.event_types.weights)))

    @cached_property
    def _action_codes(self) -> dict[Action, int]:
        return {action: code for code, action in enumerate(self._action_names)}

    def _tell(self, keys: Sequence[_Key]) -> dict[_Key, tuple[str, WhyFact]]:
        """Sentences and facts."""
        cards = self._loaded.cards([key[2] for key in keys if key[2] != NO_ITEM])
        told = {}
        for key in keys:
            code, value, item, action, count, variant = key
            if code == _NOTHING:
                continue
            card = None if item == NO_ITEM else cards[item]
            title, done = (card.title or "") if card else "", self._action_names[max(action, 0)]
            fact = self._loaded.cheap_facts.fact(KINDS[code], value, count, None if card is None else item, title, done)
            text = sentence(fact, self._phrases, variant)
            item_id = None if card is None else card.item_id
            told[key] = text, WhyFact(kind=fact.kind, value=fact.value, item_id=item_id, action=done, count=count)
        return told
