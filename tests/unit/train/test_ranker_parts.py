"""Which sources propose candidates, and which score them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys.config import Config, parse_config
from recsys.sources.fitting import FitData
from recsys.sources.hybrid import Hybrid
from recsys.sources.registry import HYBRID, TWO_TOWER
from recsys.train.source_fits import Hybrids, TunedSources
from recsys.train.steps import ranker_parts
from recsys.train.steps.context import FittedSources
from recsys.train.steps.ranker_parts import Composition
from recsys.train.tuning import Tuned
from tests.support.fixed_scores import FixedScores
from tests.support.training import N_ITEMS, make_histories

NAMES = ["popularity", "neighbours_bm25", "neighbours_cosine", "transitions", "als", "bpr"]
SETTINGS: dict[str, Any] = {
    "name": "tiny",
    "data": {"format": "events", "interactions": ["unused"]},
    "retrieval": {"retrievers": NAMES},
    "ranking": {"retrievers": ["transitions"], "scorers": ["als"]},
}
CONFIG = parse_config(SETTINGS, "test")


class Scanning(FixedScores):
    """One that looks at every item."""

    scans = True


def nothing(name: str) -> FixedScores:
    """A source that scores no item; a factorisation scans the catalogue."""
    kind = Scanning if name in ("als", "bpr") else FixedScores
    return kind(np.zeros((1, N_ITEMS), np.float32), name)


def composition(figures: dict[str, float], members: list[str], config: Config = CONFIG) -> Composition:
    """Of sources with these figures on validation, none of which may be known, and a hybrid of these members."""

    def tuned(name: str) -> Tuned:
        tried: list[dict[str, Any]] = [{"ndcg@10": 0.0}, {"ndcg@10": figures[name]}] if figures else []
        return Tuned(nothing(name), {}, {"metric": "ndcg@10", "tried": tried})

    alone = TunedSources({name: tuned(name) for name in NAMES}, {})
    weights = dict.fromkeys(members, 1.0)
    hybrid = Hybrid({name: nothing(name) for name in members}, weights, HYBRID)
    data = FitData(make_histories()[0], N_ITEMS)
    return Composition.of(config, FittedSources(data, alone, Hybrids({HYBRID: hybrid}, [], {})))


FIGURES = dict(zip(NAMES, (0.9, 0.3, 0.2, 0.1, 0.1, 0.1), strict=True))


@pytest.mark.parametrize(
    ("members", "proposers"),
    [
        # Of those that read the history BM25 did best alone; popularity, the same for everyone, proposes nothing.
        ([TWO_TOWER], ["transitions", "neighbours_bm25"]),
        ([TWO_TOWER, "popularity", "transitions"], ["transitions", "neighbours_bm25"]),
        ([TWO_TOWER, "bpr", "neighbours_cosine"], ["transitions", "neighbours_bm25", "neighbours_cosine", "bpr"]),
    ],
)
def test_the_best_source_and_the_members_of_the_hybrid_propose(members: list[str], proposers: list[str]) -> None:
    of = composition(FIGURES, members)
    assert of.proposers == proposers
    assert of.scorers == [*proposers, "als"]
    assert set(of.needed) == {*proposers, "als", *members} - {TWO_TOWER}


def test_a_scorer_that_the_hybrid_holds_proposes() -> None:
    of = composition(FIGURES, [TWO_TOWER, "als"])
    assert of.proposers == of.scorers == ["transitions", "neighbours_bm25", "als"]


@pytest.mark.parametrize(("most", "proposers"), [(N_ITEMS, ["als", "bpr"]), (N_ITEMS - 1, [])])
def test_what_scans_the_catalogue_proposes_in_a_small_one(
    most: int, proposers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is the best source alone or a member of the hybrid; one that the config names does anywhere."""
    monkeypatch.setattr(ranker_parts, "SCANNED_ITEMS", most)
    of = composition({**FIGURES, "als": 0.95}, [TWO_TOWER, "bpr"])
    assert of.proposers == ["transitions", *proposers]
    assert set(of.needed) == {"transitions", "als", "bpr"}
    named = parse_config({**SETTINGS, "ranking": {"retrievers": ["bpr"], "scorers": []}}, "test")
    assert composition(FIGURES, [TWO_TOWER], named).proposers == ["bpr", "neighbours_bm25"]


def test_without_validation_the_config_alone_says_who_proposes() -> None:
    """Every source is then a member of the hybrid, which nothing speaks for."""
    of = composition({}, [TWO_TOWER, *NAMES])
    assert of.proposers == ["transitions"]
    assert of.scorers == ["transitions", "als"]
    assert set(of.needed) == set(NAMES)
