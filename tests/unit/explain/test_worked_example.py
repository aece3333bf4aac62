"""The worked example of the documentation, computed by the code that a server runs."""

from __future__ import annotations

import re
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from recsys.explain.coalitions import coalition_scores, players_of
from recsys.explain.contributions import by_ranker
from recsys.pipeline.features.source_sum import SOURCE_SUM
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.ranker_tables import RankerTables
from tests.support.rankers import Pair, columns_of, scorer_of

PAGE = (Path(__file__).parents[3] / "docs/explanations.md").read_text("utf8")
GROUPS = ("two_tower", "transitions", "price")


def table(after: str) -> list[list[str]]:
    """The cells of the first table behind those words, without its head."""
    lines = PAGE[PAGE.index(after) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("*") for cell in line.strip("|").split("|")])
    return rows


def numbers(cells: list[str]) -> list[float]:
    return [float(cell.replace("−", "-")) for cell in cells]


def formula(pattern: str) -> list[float]:
    found = re.search(pattern, PAGE)
    assert found
    return [float(number) for number in found.groups()]


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    """The page's formulas as tables: each feature is one bin from 0 to 1, and the hidden layer has one unit."""
    weights = formula(r"source sum = ([\d.]+) · two_tower \+ ([\d.]+) · transitions\n")
    hinge, slope, sum_weight = formula(
        r"score = ([\d.]+) · max\(0, transitions − price\) \+ ([\d.]+) · two_tower \+ ([\d.]+) · source sum\n"
    )
    features = columns_of(dict.fromkeys(GROUPS, 1), sum_at=3)
    first = np.array([[0], [1], [-1], [0]], np.float32)
    layers = [first, np.float32([[hinge]])]
    biases = [np.zeros(1, np.float32), np.zeros(1, np.float32)]
    model = RankerTables(
        np.tile(np.float32([0, 1]), (4, 1)),
        layers,
        biases,
        np.float32([slope, 0, 0, 0]),
        sum_weight=sum_weight,
        sum_column=features.column(SOURCE_SUM),
    )
    scorer = scorer_of(dict(zip(GROUPS[:2], weights, strict=True)), GROUPS)
    return Ranker(scorer, features, model, repeat_log_odds=0.0, finalists=2)


@pytest.fixture(scope="module")
def pair(ranker: Ranker) -> Pair:
    rows = [numbers(row[1:4]) for row in table("In this shop")]
    features = np.array([[*row, 0] for row in rows], np.float32)
    return Pair.of(ranker, features, features[:, :2].T.copy())


def test_sums_and_scores_of_item_and_reference(pair: Pair) -> None:
    sums, scores = pair.ranked.finalists.sums[0].tolist(), pair.ranked.scores[0].tolist()
    assert [numbers(row[4:]) for row in table("In this shop")] == [
        list(both) for both in zip(sums, scores, strict=True)
    ]
    assert f"The item is {scores[0] - scores[1]} ahead" in PAGE


def test_coalitions(ranker: Ranker, pair: Pair) -> None:
    players = players_of(ranker)
    found = coalition_scores(ranker, players[:3], pair.item.numbers, pair.reference.numbers)
    rows, (item, reference) = table("The eight coalitions"), pair.ranked.features[0]
    assert len(rows) == 8
    for coalition, row in enumerate(rows):
        members = [group for bit, group in enumerate(GROUPS) if coalition >> bit & 1]
        mixed = [(item if group in members else reference)[bit] for bit, group in enumerate(GROUPS)]
        assert row[0] == (", ".join(members) or "none")
        assert numbers(row[1:4]) == mixed
        assert numbers(row[4:5]) == [mixed[0] + 2 * mixed[1]]
        assert numbers(row[5:]) == [found[coalition]]


def test_orders_and_contributions(ranker: Ranker, pair: Pair) -> None:
    scores = {row[0]: float(row[5]) for row in table("The eight coalitions")}
    *rows, mean = table("The groups can join in six orders")
    assert [row[0] for row in rows] == [", ".join(order) for order in permutations(GROUPS)]
    for row in rows:
        order = row[0].split(", ")
        joined = [", ".join(group for group in GROUPS if group in order[:count]) or "none" for count in range(4)]
        changes = dict(zip(order, (scores[after] - scores[before] for before, after in pairwise(joined)), strict=True))
        assert numbers(row[1:]) == [changes[group] for group in GROUPS]
    found = {one.group: one.value for one in by_ranker(ranker, pair.item, pair.reference).groups}
    assert dict(zip(GROUPS, numbers(mean[1:]), strict=True)) == pytest.approx(
        {group: found[group] for group in GROUPS}, abs=1e-12
    )
    total = " + ".join(mean[1:]) + f" = {sum(numbers(mean[1:]))}."
    assert f"\n{total}" in PAGE
