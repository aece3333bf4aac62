"""Facts of what the sources know: what follows, who chose it too, what is described alike, taste.

Which source tells what:

- next_purchase: `transitions`, the lists of what is chosen soon after an item.
- co_purchase: item-to-item lists fitted on behaviour (`neighbours_*`, `ease`): the item is in the list of an item of
  the history, with a positive share of the score.
- similar_text: item-to-item lists fitted on content (`content_*`), in the same way; and the text part of the two-tower
  where the cosine of both items' texts is at least `LEAST_LIKENESS`.
- taste: all others that know the user: the learned part of the two-tower, factors, hybrids, sources from outside. The
  source must have the item among its best, see `most_fitting`.

A score that is borrowed says what the lenders' buyers chose: no fact of behaviour follows from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from recsys.explain.evidence import HistoryShare, SourceOpinion
from recsys.explain.fact import Fact, Kind
from recsys.explain.facts.case import Case, polarity
from recsys.sources.base import Source
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
    """Up to which rank of a source an item fits a taste: the best hundredth of the catalogue, at least ten items."""
    return max(_BEST_LEAST, int(_BEST_SHARE * n_items))


def history_facts(case: Case) -> Iterator[Fact]:
    """Facts of items of the history: for each kind the strongest `MOST_OF_KIND`."""
    borrowed = {entry.source for entry in case.evidence.borrowed}
    strengths: dict[Kind, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for opinion in case.evidence.sources:
        kind = kind_of(case, opinion.source)
        if kind is None or kind is Kind.TASTE or opinion.source in borrowed or not case.compared(opinion.source):
            continue
        for share in case.evidence.history:
            if _true(case, opinion, share):
                strengths[kind][share.item] += case.history_strength(share, opinion.source)
    for kind, of_items in strengths.items():
        strongest = sorted(of_items, key=lambda item: -of_items[item])[:MOST_OF_KIND]
        for item in strongest:
            yield case.of_items(kind, case.title(item), "title", [item], of_items[item])


def _true(case: Case, opinion: SourceOpinion, share: HistoryShare) -> bool:
    """Whether the share of the source's score means what its kind says."""
    if share.item not in case.recent or share.shares.get(opinion.source, 0.0) <= 0:
        return False
    if opinion.source != TWO_TOWER:
        return True
    likeness = case.base.text_likeness(case.item, share.item)
    return likeness is not None and likeness >= LEAST_LIKENESS


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
