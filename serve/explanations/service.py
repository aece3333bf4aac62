"""Explanations from a bundle and the store: what the server does, without HTTP."""

from __future__ import annotations

import time
from dataclasses import replace

from recsys.bundle import Bundle
from recsys.bundle.overlay import LiveBundle
from recsys.core.attributes import STOCK
from recsys.core.queries import Queries
from recsys.explain.actions import Action, nothing_known
from recsys.explain.errors import QuestionError
from recsys.explain.facts import Past, facts_of
from recsys.histories.live_histories import LiveHistories, LiveQueries
from serve.bundles.loaded import LoadedBundle
from serve.bundles.restrictions import Asked, filters_of
from serve.errors import UnfitRequestError, UnknownItemError
from serve.explanations.assembly import Explained
from serve.explanations.options import ExplanationRequest
from serve.parts import Parts
from serve.shop_rules.in_force import bound_for, policy_of, reads_purchases
from serve.variants.deliveries import Delivery, Recipe, delivery_of
from serve.variants.info import variants_of


class ExplanationService:
    """Explains by the bundle of the moment. For any number of threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._languages, self._metrics = parts, parts.languages, parts.metrics

    def explained(self, request: ExplanationRequest) -> Explained:
        """Evidence and facts of an item, all from the same bundle and the same history.

        Of a user who is in experiments, the list that they make is explained; of a drafted list, the control's.

        Raises:
            NotReadyError: no bundle is loaded.
            UnknownModelError: the bundle has no such model.
            UnknownItemError: the catalogue holds no such item.
            UnfitRequestError: the item to compare with was not ranked, or there is no such language.
        """
        started = time.perf_counter()
        delivery = self._delivery(request)
        (loaded, options, ruled, _), *_ = delivery.recipes
        request = replace(request, options=options)
        phrases = self._languages.of(request.language)
        loaded.require_model(options.model)
        item = item_row(loaded, request.item_id)
        reference = None if request.reference is None else _reference_row(loaded, request.reference)
        live, rules = self._parts.histories.of(loaded), self._parts.rules.of_list(loaded, ruled=ruled)
        purchases = reads_purchases(rules, options)
        users = live.of([request.subject], time.time(), options.as_of, purchases=purchases)
        filters, named = filters_of(loaded, options.filter), Asked.of(loaded, options).named
        try:
            evidence = loaded.explainer.explain(
                users.named if rules.reads_user_id else users.queries,
                item,
                options.length,
                model=options.model,
                exclude_seen=options.exclude_seen,
                restrictions={**filters, **named, **dict(zip([STOCK], loaded.bundle.in_stock, strict=False))},
                policy=policy_of(rules, options, bound_for(rules, options)),
                reference=reference,
                depth=request.depth,
            )
        except QuestionError as error:
            raise UnfitRequestError(f"reference: expected {error.expected}, got {error.got}") from None
        actions = _actions(loaded, live, users)
        past = Past.of(users.queries.histories, actions)
        facts = facts_of(evidence, loaded.fact_base, past, tuple(filters))
        self._metrics.explained(request.depth, evidence.standing.stage, time.perf_counter() - started)
        similarity = _semantic_similarity(loaded, users.queries, item)
        restricting = (*filters, *named)
        return Explained(
            request, loaded, users, evidence, similarity, facts, actions, restricting, phrases, variants_of(delivery)
        )

    def _delivery(self, request: ExplanationRequest) -> Delivery:
        """How the list is made that is explained."""
        parts = self._parts
        unit = request.subject if isinstance(request.subject, str) else request.visitor_id
        plain = Recipe(parts.bundles.loaded, request.options)
        return delivery_of(plain, unit, parts.experiments.now, parts.held).undrafted("explained")


def item_row(loaded: LoadedBundle, item_id: str) -> int:
    """The row of an item.

    Raises:
        UnknownItemError: the catalogue holds no such item, or the shop has deleted it since.
    """
    row = loaded.bundle.catalogue.item_row(item_id)
    if row is None or _is_deleted(loaded.bundle, row):
        raise UnknownItemError(f"the catalogue holds no item {item_id[:60]!r}")
    return row


def _is_deleted(bundle: Bundle, row: int) -> bool:
    """Whether an item has a row for histories alone."""
    change = bundle.live.changes.get(row) if isinstance(bundle, LiveBundle) else None
    return change is not None and change.deleted


def _actions(loaded: LoadedBundle, live: LiveHistories, users: LiveQueries) -> tuple[Action, ...]:
    """What the one user did at each place of the history; of a session nothing is known."""
    histories = users.queries.histories
    (subject,) = users.subjects
    if not isinstance(subject, str):
        return nothing_known(histories)
    return loaded.actions.of_history(histories, live.types_of(users.events.get(subject, ())))


def _reference_row(loaded: LoadedBundle, item_id: str) -> int:
    try:
        return item_row(loaded, item_id)
    except UnknownItemError as error:
        raise UnfitRequestError(f"reference: {error}") from None


def _semantic_similarity(loaded: LoadedBundle, query: Queries, item: int) -> float | None:
    """How much the item's text is like those of the history, by the two-tower; None where nobody can tell."""
    two_tower = loaded.bundle.two_tower()
    if two_tower.match is None:
        return None
    read = query.histories.items[-two_tower.tower.max_history :]
    return two_tower.match.likeness(two_tower.item_embeddings, read, item)
