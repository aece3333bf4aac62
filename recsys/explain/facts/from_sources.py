"""Facts of what the sources know: what follows, who chose it too, what is described alike, taste.

Which source tells what:

- next_purchase: `transitions`, where users chose the item after one of the history; the count is their number.
- co_purchase: item-to-item lists fitted on behaviour (`neighbours_*`, `ease`), where users chose both items; the count
  is their number. Also a transition that nobody took this way round: the list has it from those who chose the item
  before or at the same time, so it is told of one. A weight of EASE that nobody stands behind says nothing.
- similar_text: item-to-item lists fitted on content (`content_*`), where the item is among the first of the list, see
  `most_fitting`; and the text part of the two-tower where the cosine of both items' texts is at least `LEAST_LIKENESS`.
- taste: all others that know the user: the learned part of the two-tower, factors, hybrids, sources from outside. The
  source must have the item among its best, see `most_fitting`.

Of an item that the user chose before, one of those who chose both may be the user, who is no customer to be told of:
another one must be among them, and no number is told.

A score that is borrowed says what the lenders' buyers chose: no fact of behaviour follows from it. Neither does one
from a source that does not count its users (`recsys.sources.base.Source.supporters`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from recsys.explain.evidence import HistoryShare, SourceOpinion
from recsys.explain.fact import OF_BEHAVIOUR, Fact, Kind
from recsys.explain.facts.case import Case, polarity
from recsys.sources.base import Source
from recsys.sources.item_to_item.source import ItemToItem
from recsys.sources.registry import NOT_PERSONAL, TWO_TOWER

LEAST_LIKENESS = 0.5  # of random pairs of Amazon's Beauty items one in two hundred has so similar texts
MOST_OF_KIND = 3  # facts of one kind about different items of the history
_NEXT = "transitions"
_BEST_SHARE, _BEST_LEAST = 0.01, 10


def kind_of_source(source: Source) -> Kind | None:
    """What a history item's share of the source's score says; None for a source that says the same of everyone."""
    if source.name in NOT_PERSONAL:
        return None
    if source.name == TWO_TOWER:
        return Kind.SIMILAR_TEXT
    if source.name == _NEXT:
        return Kind.NEXT_PURCHASE
    return {"behaviour": Kind.CO_PURCHASE, "content": Kind.SIMILAR_TEXT, None: Kind.TASTE}[source.similar_by]


def kind_of(case: Case, source: str) -> Kind | None:
    """The same of the bundle's source of that name."""
    return kind_of_source(case.base.source(source))


def most_fitting(n_items: int) -> int:
    """Up to which rank of a source an item fits a taste, or of a list of content is like the list's item.

    It is the best hundredth of the catalogue, at least ten items; of a small catalogue the better half.
    """
    return min(max(_BEST_LEAST, int(_BEST_SHARE * n_items)), n_items // 2)


def told_by(source: Source, chosen: int, item: int) -> tuple[Kind, int] | None:
    """What a source says where an item of the history gives to the score of another: the kind, and the fact's count.

    Args:
        source: whose score it is.
        chosen: row of the item of the history.
        item: row of the other.

    Returns:
        None where it says nothing that is true of both items.
    """
    kind = kind_of_source(source)
    if kind is Kind.SIMILAR_TEXT:
        return (kind, 1) if described_alike(source, chosen, item) else None
    if kind is None or kind is Kind.TASTE:
        return None
    supporters = source.supporters(chosen, item)
    if supporters:
        return kind, supporters
    return (Kind.CO_PURCHASE, 1) if kind is Kind.NEXT_PURCHASE and supporters is not None else None


def described_alike(source: Source, chosen: int, item: int) -> bool:
    """Whether an item is among the first of a list of content, as many as fit a taste; True of what is no list."""
    if not isinstance(source, ItemToItem):
        return True
    known = chosen < len(source.neighbours)
    return known and item in source.neighbours[chosen, : most_fitting(source.n_items)].tolist()


@dataclass
class _Told:
    """What sources say of one item of the history."""

    strength: float = 0.0
    count: int = 1


def history_facts(case: Case) -> Iterator[Fact]:
    """Facts of items of the history: for each kind the strongest `MOST_OF_KIND`.

    What several sources say of the same item is one fact, with all their strength and the largest count.
    """
    borrowed = {entry.source for entry in case.evidence.borrowed}
    found: dict[Kind, dict[int, _Told]] = defaultdict(lambda: defaultdict(_Told))
    for opinion in case.evidence.sources:
        if opinion.source in borrowed or not case.compared(opinion.source):
            continue
        for share in case.evidence.history:
            if (said := _said(case, opinion, share)) is not None:
                kind, count = said
                told = found[kind][share.item]
                told.strength += case.history_strength(share, opinion.source)
                told.count = max(told.count, count)
    for kind, of_items in found.items():
        strongest = sorted(of_items, key=lambda item: -of_items[item].strength)[:MOST_OF_KIND]
        for item in strongest:
            fact = case.of_items(kind, case.title(item), "title", [item], of_items[item].strength)
            yield fact if fact.sensitive else replace(fact, count=of_items[item].count)


def _said(case: Case, opinion: SourceOpinion, share: HistoryShare) -> tuple[Kind, int] | None:
    """What the share of the source's score says, see `told_by`; None where that is not true."""
    if share.item not in case.recent or share.shares.get(opinion.source, 0.0) <= 0:
        return None
    if opinion.source == TWO_TOWER:
        likeness = case.base.text_likeness(case.item, share.item)
        if likeness is None or likeness < LEAST_LIKENESS:
            return None
    said = told_by(case.base.source(opinion.source), share.item, case.item)
    return _of_others(*said) if said is not None and case.item in case.past.items else said


def _of_others(kind: Kind, count: int) -> tuple[Kind, int] | None:
    """The same where one of the users may be the one who asks; None where there may be no other."""
    if kind not in OF_BEHAVIOUR:
        return kind, count
    return (kind, 1) if count > 1 else None


def taste_facts(case: Case) -> Iterator[Fact]:
    """One fact for all that know the history as a whole; its value is the best rank that they give to the item."""
    ranks, strength = [], 0.0
    for opinion in case.evidence.sources:
        known = case.compared(opinion.source) or len(case.evidence.sources) == 1
        if not case.recent or not known or not _knows_taste(case, opinion) or opinion.rank is None:
            continue
        if opinion.rank <= most_fitting(case.base.n_items):
            ranks.append(opinion.rank)
            strength += _taste_strength(case, opinion)
    if ranks:
        yield Fact("", Kind.TASTE, min(ranks), "rank", polarity=polarity(strength), strength=strength, personal=True)


def _knows_taste(case: Case, opinion: SourceOpinion) -> bool:
    return opinion.source == TWO_TOWER or kind_of(case, opinion.source) is Kind.TASTE


def _taste_strength(case: Case, opinion: SourceOpinion) -> float:
    source = opinion.source
    if not case.compared(source):  # a hybrid, whose members contribute
        return sum(value for group, value in case.groups.items() if group not in NOT_PERSONAL)
    if source == TWO_TOWER:  # its text part is told by other facts
        return case.rest_strength(source)
    return sum(case.history_strength(share, source) for share in case.evidence.history)
