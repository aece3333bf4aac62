from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.queries import NO_ITEM
from recsys.core.types import Float32Array, Float64Array
from recsys.measure.metrics import ranking_metrics
from recsys.measure.protocol import HeldOut
from recsys.sources.hybrid import Hybrid
from recsys.train import candidate_scores
from recsys.train.candidate_scores import LEAST_TYPICAL, CandidateScores, typical
from tests.support.datasets import TRAIN, VALIDATION, make_dataset
from tests.support.fixed_scores import FixedScores

N_USERS, N_ITEMS = 40, 25
RANDOM = np.random.default_rng(11)


def sparse_table(share: float) -> Float32Array:
    scores = RANDOM.random((N_USERS, N_ITEMS)).astype(np.float32)
    return np.where(RANDOM.random(scores.shape) < share, scores, np.float32(-np.inf))


MEMBERS = {
    "dense": FixedScores(RANDOM.normal(size=(N_USERS, N_ITEMS)).astype(np.float32)),
    "sparse": FixedScores(sparse_table(0.3)),
    "rare": FixedScores(sparse_table(0.05) * 10),
}


@pytest.fixture(scope="module")
def held() -> HeldOut:
    """One to three held-out items each, some seen before; user 3 has an empty history."""
    rows = []
    for user in range(N_USERS):
        items = RANDOM.permutation(N_ITEMS)
        known = 0 if user == 3 else 1 + user % 6
        rows += [(user, int(item), at, None, TRAIN) for at, item in enumerate(items[:known])]
        held = [*items[known : known + 1 + user % 3], *items[: user % 2]]
        rows += [(user, int(item), 100 + at, None, VALIDATION) for at, item in enumerate(held)]
    return HeldOut.of(make_dataset(rows, N_USERS, N_ITEMS, path=Path("tiny")), VALIDATION)


def exact(weights: Float64Array, held: HeldOut, cutoff: int) -> dict[str, float]:
    """Figures of the hybrid itself, over the users with an unseen relevant item."""
    blend = Hybrid(MEMBERS, dict(zip(MEMBERS, weights, strict=True)))
    candidates = blend.propose(held.queries, cutoff)
    histories = held.queries.histories
    seen = [histories.items[a:b] for a, b in zip(histories.indptr, histories.indptr[1:], strict=False)]
    fresh = [item not in seen[user] for user, item in zip(held.relevant.owners, held.relevant.items, strict=True)]
    figures = ranking_metrics(candidates.items, held.relevant.keep(np.array(fresh)), [cutoff])
    return {name: float(np.nanmean(figures[name])) for name in (f"ndcg@{cutoff}", f"recall@{cutoff}")}


@pytest.mark.parametrize("weights", [[1, 1, 1], [0.2, 0, 3], [0, 1, 0], [0, 0, 2], [5, 0.1, 0.3]])
@pytest.mark.parametrize("cutoff", [1, 5])
def test_figures_are_those_of_the_hybrid(held: HeldOut, weights: list[float], cutoff: int) -> None:
    figures = CandidateScores.of(MEMBERS, held).figures(np.array(weights), cutoff)
    assert figures == pytest.approx(exact(np.array(weights, float), held, cutoff), rel=1e-6)
    assert 0 < figures[f"ndcg@{cutoff}"] < 1


def test_blocks_of_users_change_nothing(held: HeldOut, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = CandidateScores.of(MEMBERS, held)
    monkeypatch.setattr(candidate_scores, "BLOCK_USERS", 7)
    blocks = CandidateScores.of(MEMBERS, held)
    for name in ("contributions", "items", "scales"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))
    np.testing.assert_array_equal(blocks.relevant.items, whole.relevant.items)


def test_candidates_are_the_first_of_each_member(held: HeldOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_scores, "DEPTH", 2)
    found = CandidateScores.of(MEMBERS, held)
    first = [member.propose(held.queries, 2).items for member in MEMBERS.values()]
    wanted = [
        (set(np.concatenate([items[row] for items in first]).tolist()) - {NO_ITEM}) if row != 3 else set()
        for row in range(N_USERS)
    ]
    targets = [set(held.relevant.select(np.array([row])).items.tolist()) for row in range(N_USERS)]
    kept = [items for items, target in zip(wanted, targets, strict=True) if items & target]
    assert [set(row.tolist()) - {NO_ITEM} for row in found.items] == kept
    assert 0 < len(kept) < found.users


def test_a_user_who_chose_nothing_unseen_does_not_count(held: HeldOut) -> None:
    assert CandidateScores.of(MEMBERS, held).users == N_USERS
    histories, relevant = held.queries.histories, held.relevant
    known = histories.items[histories.indptr[9] : histories.indptr[10]]
    repeats = relevant.keep((relevant.owners != 9) | np.isin(relevant.items, known))
    assert repeats.counts[9] == 1
    fewer = CandidateScores.of(MEMBERS, HeldOut(held.split, held.queries, repeats, held.ratings))
    assert fewer.users == N_USERS - 1


def test_some_of_the_members(held: HeldOut) -> None:
    found = CandidateScores.of(MEMBERS, held)
    part = found.only(["rare", "dense"])
    assert part.names == ("rare", "dense")
    assert part.figures(np.array([2.0, 1.0]), 5) == found.figures(np.array([1.0, 0.0, 2.0]), 5)
    assert part.scales.tolist() == [found.scales[2], found.scales[0]]


def test_some_of_the_users(held: HeldOut) -> None:
    found = CandidateScores.of(MEMBERS, held)
    chosen = np.arange(N_USERS) % 3 == 0
    part, alone = found.of_users(chosen), CandidateScores.of(MEMBERS, held.select(np.flatnonzero(chosen)))
    weights = np.array([1.0, 0.5, 2.0])
    assert part.users == alone.users == (np.arange(N_USERS) % 3 == 0).sum()
    assert part.figures(weights, 5) == pytest.approx(alone.figures(weights, 5), rel=1e-6)
    np.testing.assert_array_equal(part.rows, alone.rows)
    np.testing.assert_array_equal(part.scales, found.scales)


def test_the_typical_highest_contribution_by_hand() -> None:
    best = np.array([[1.0, 5, 2, 0], [0, 0, 4, 0], [0, 0, 0, 0], [1e-7, 0, 0, 0]], np.float32)
    assert typical(best).tolist() == [2, 4, 1, LEAST_TYPICAL], "what is as good as nothing is not made loud"


def test_scales_leave_seen_items_out(held: HeldOut) -> None:
    found = CandidateScores.of(MEMBERS, held)
    first = MEMBERS["sparse"].propose(held.queries, 1).scores[:, 0]
    first[3] = -np.inf  # an empty history
    assert found.scales[1] == pytest.approx(np.median(first[first > 0]))
