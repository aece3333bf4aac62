"""From evidence and facts to what answers show of them: rows become items, and what is no number becomes null."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET

from recsys.bundle import ItemCard
from recsys.core.attributes import STOCK
from recsys.explain.evidence import Evidence, Stage
from recsys.explain.fact import Fact
from recsys.explain.stages import BOUGHT, SEEN
from recsys.explain.text.phrases import Phrases
from recsys.explain.text.rule_text import reasons, sentence
from recsys.histories.live_histories import LiveQueries
from recsys.pipeline.allow import PURCHASES
from recsys.sources.registry import FALLBACK
from serve.bundles.loaded import LoadedBundle
from serve.explanations.answers import ExplainedItem, ExplanationResponse, GuardAnswer
from serve.explanations.evidence_answers import (
    BorrowedScore,
    ContributionPart,
    CounterfactualAnswer,
    FactAnswer,
    HistoryShareAnswer,
    NamedItem,
    RuleAnswer,
    ScoredItem,
    SourceOpinionAnswer,
)
from serve.explanations.options import ExplanationRequest
from serve.explanations.texts import ExplanationText
from serve.histories.summary import fallback_reason, summaries
from serve.times import now_text, time_text
from serve.variants.info import Variants


@dataclass(frozen=True)
class Explained:
    """All that is known of an item in a list, before it is told.

    Attributes:
        request: what was wanted.
        loaded: bundle that answers.
        users: the one user or session, and its history.
        evidence: of the item.
        similarity: of the item's text and those of the history, a cosine; None where nobody can tell.
        facts: that follow from it, strongest first.
        actions: what was done at each position of the history; None: nobody knows.
        rules: names of those of the request.
        phrases: of the language that it is told in.
        variants: what answers say of the experiments that the list is of.
    """

    request: ExplanationRequest
    loaded: LoadedBundle
    users: LiveQueries
    evidence: Evidence
    similarity: float | None
    facts: tuple[Fact, ...]
    actions: tuple[str | None, ...]
    rules: tuple[str, ...]
    phrases: Phrases
    variants: Variants = UNSET


def tell(answer: ExplanationResponse, text: ExplanationText) -> ExplanationResponse:
    """Put the text into an answer."""
    answer.text, answer.text_source, answer.cites = text.text, text.text_source, list(text.cites)
    answer.guard = GuardAnswer(state=text.guard.state, reasons=list(text.guard.reasons))
    return answer


def assembled(explained: Explained) -> ExplanationResponse:
    """The answer, before it has a text."""
    request, loaded, evidence = explained.request, explained.loaded, explained.evidence
    options, standing, items = request.options, evidence.standing, Items(loaded, evidence)
    (user,) = summaries(explained.users)
    contributions, filled = evidence.contributions, standing.stage is Stage.FILLED
    shown = [fact for fact in explained.facts if request.sensitive or not fact.sensitive]
    return ExplanationResponse(
        user_id=request.subject if isinstance(request.subject, str) else None,
        user=user,
        item=ExplainedItem(**items.card(evidence.item)._asdict()),
        bundle=loaded.info,
        model=evidence.model,
        as_of=time_text(options.as_of),
        k=evidence.k,
        depth=request.depth,
        stage=standing.stage,
        rank=standing.rank,
        score=number(standing.score),
        confidence=_confidence(loaded, evidence),
        semantic_similarity=number(explained.similarity),
        source_sum=number(standing.source_sum),
        sum_rank=standing.sum_rank,
        gate=number(standing.gate),
        set_back=standing.set_back,
        reference=None
        if contributions is None or contributions.reference is None
        else items.scored(contributions.reference, contributions.reference_score),
        reference_score=None if contributions is None else rounded(contributions.reference_score),
        contributions=None
        if contributions is None
        else [ContributionPart(group=part.group, value=rounded(part.value)) for part in contributions.groups],
        contributions_of=None if contributions is None else contributions.of,
        contributions_exact=None if contributions is None else contributions.exact,
        additivity_error=None if contributions is None else contributions.additivity_error,
        sources=_opinions(evidence),
        history=_history(explained, items),
        borrowed=_borrowed(evidence, items),
        counterfactual=_counterfactual(evidence, items),
        rules=_rules(explained),
        features={name: number(value) for name, value in evidence.features.items()},
        facts=[_fact(explained.phrases, fact, items) for fact in shown],
        reasoning_factors=[sentence(fact, explained.phrases) for fact in reasons(shown)],
        text="",
        style=request.style,
        language=str(explained.phrases.locale),
        cites=[],
        text_source="rule",
        guard=GuardAnswer(state="not_asked", reasons=[]),
        fallback_used=filled,
        fallback_reason=fallback_reason(options, request.subject, user, cut=standing.cut) if filled else None,
        store=explained.users.store,
        generated_at=now_text(),
        rank_before=UNSET if standing.rank_before is None else standing.rank_before,
        moved_by=UNSET if standing.rank_before is None else list(standing.moved_by),
        kept_out_by=list(standing.kept_out_by) or UNSET,
        experiments=explained.variants,
    )


class Items:
    """What is shown of the items that evidence names, read at once."""

    def __init__(self, loaded: LoadedBundle, evidence: Evidence) -> None:
        self._cards: Mapping[int, ItemCard] = loaded.cards(list(dict.fromkeys(_rows(evidence))))

    def card(self, row: int) -> ItemCard:
        """All that is shown of an item."""
        return self._cards[row]

    def named(self, row: int) -> NamedItem:
        """Id and title."""
        card = self._cards[row]
        return NamedItem(item_id=card.item_id, title=card.title)

    def scored(self, row: int, score: float) -> ScoredItem:
        """Id, title and a number."""
        card = self._cards[row]
        return ScoredItem(item_id=card.item_id, title=card.title, score=rounded(score))


def _rows(evidence: Evidence) -> Iterable[int]:
    yield evidence.item
    if evidence.contributions is not None and evidence.contributions.reference is not None:
        yield evidence.contributions.reference
    yield from (share.item for share in evidence.history)  # items that facts name are among them
    for borrowed in evidence.borrowed:
        yield from borrowed.lenders
    if evidence.counterfactual is not None:
        yield from evidence.counterfactual.without
        if evidence.counterfactual.replacement is not None:
            yield evidence.counterfactual.replacement


def _confidence(loaded: LoadedBundle, evidence: Evidence) -> float | None:
    """As recommendations have it: of a popular item its share of all interactions, of others the calibrated score."""
    if not math.isfinite(evidence.standing.score):
        return None
    scores = np.array([evidence.standing.score], np.float32)
    if evidence.standing.stage is Stage.FILLED or evidence.model == FALLBACK:
        return rounded(loaded.share_of_interactions(scores)[0])
    return rounded(loaded.confidence(evidence.model, scores)[0])


def _opinions(evidence: Evidence) -> list[SourceOpinionAnswer]:
    return [
        SourceOpinionAnswer(
            source=opinion.source,
            score=rounded(opinion.score),
            weight=rounded(opinion.weight),
            rank=opinion.rank,
            proposes=opinion.depth,
            proposed=opinion.proposed,
            rest=rounded(opinion.rest),
        )
        for opinion in evidence.sources
    ]


def _history(explained: Explained, items: Items) -> list[HistoryShareAnswer]:
    answers = []
    for share in explained.evidence.history:
        named = items.named(share.item)
        answers.append(
            HistoryShareAnswer(
                item_id=named.item_id,
                title=named.title,
                action=explained.actions[share.positions[-1]],
                times=len(share.positions),
                shares={source: rounded(value) for source, value in share.shares.items() if value},
                total=rounded(share.total),
                tried=share.tried,
                rank_without=share.rank_without,
                score_without=number(share.score_without),
            )
        )
    return answers


def _borrowed(evidence: Evidence, items: Items) -> list[BorrowedScore]:
    return [
        BorrowedScore(source=one.source, lenders=[items.scored(row, lent) for row, lent in one.lenders.items()])
        for one in evidence.borrowed
    ]


def _counterfactual(evidence: Evidence, items: Items) -> CounterfactualAnswer | None:
    found = evidence.counterfactual
    if found is None:
        return None
    return CounterfactualAnswer(
        without=[items.named(row) for row in found.without],
        rank=found.rank,
        replacement=None if found.replacement is None else items.named(found.replacement),
    )


def _rules(explained: Explained) -> list[RuleAnswer]:
    """Those that the request made, by name; the stock, and the shop's rules, where they forbid the item."""
    named = {True: [SEEN], PURCHASES: [BOUGHT]}.get(explained.request.options.exclude_seen, [])
    forbidding = explained.evidence.standing.forbidden_by
    asked = [RuleAnswer(name=name, allows=name not in forbidding) for name in [*named, *explained.rules]]
    by_stock = [RuleAnswer(name=STOCK, allows=False)] if STOCK in forbidding else []
    by_shop = explained.evidence.standing.ruled_out_by
    return [*asked, *by_stock, *(RuleAnswer(name=rule, allows=False, by="shop") for rule in by_shop)]


def _fact(phrases: Phrases, fact: Fact, items: Items) -> FactAnswer:
    return FactAnswer(
        id=fact.id,
        kind=fact.kind,
        text=sentence(fact, phrases) or None,
        value=fact.value if isinstance(fact.value, str | int) else rounded(fact.value),
        unit=fact.unit,
        polarity=fact.polarity,
        strength=_strength(fact.strength),
        personal=fact.personal,
        sensitive=fact.sensitive,
        history_item=None if fact.history_item is None else items.named(fact.history_item),
        action=fact.action,
        count=fact.count,
    )


def _strength(value: float) -> float | None:
    """Of six digits, so that what gives little is still told from what gives nothing."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def number(value: float | None) -> float | None:
    """A number as lists show it, of six decimals; null for what is none or infinite, which JSON has no word for."""
    return None if value is None or not math.isfinite(value) else rounded(value)


def rounded(value: float) -> float:
    """A number of six decimals, as lists show it."""
    return round(float(value), 6)
