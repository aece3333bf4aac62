"""The hybrid: a weighted sum of what other sources score. NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np

from recsys.core.queries import Candidates, Queries
from recsys.core.types import Float32Array, Float64Array, Int32Array
from recsys.sources.base import Source, scores_of
from recsys.sources.exact import block_rows
from recsys.sources.leads import FLOOR_RANK, Leads
from recsys.sources.loading import load_source
from recsys.sources.shares import Shares

_QUERIES = 512  # that candidates are sought for at a time
PARAMETERS_FILE = "hybrid.json"


def above_floor(scores: Float32Array) -> Float32Array:
    """Scores of one source as contributions to a sum: how far each lies above the query's floor, else 0.

    The floor is the query's 1000th highest score; with fewer items scored the lowest of them, or 0 if that is
    lower. So a count or a similarity of a few items stays as it is, a logit or a predicted preference of every item
    becomes its lead over the rest, and an item without a score contributes nothing, like the worst one scored.

    They are not divided by the query's maximum: that would make a weak best match as loud as a strong one. On
    Beauty such a division takes the best blend's validation NDCG@10 from .0777 to .0742.

    Args:
        scores: float32 [B, N], -inf where there is none.

    Returns:
        float32 [B, N], finite, at least 0.
    """
    contributions: Float32Array = np.maximum(scores - _floors(scores)[:, None], np.float32(0))
    return contributions


def _floors(scores: Float32Array) -> Float32Array:
    """float32 [B], see `above_floor`."""
    scored = np.isfinite(scores)
    counts = scored.sum(axis=1)
    floor = np.minimum(np.where(scored, scores, 0).min(axis=1, initial=0), 0)
    many = np.flatnonzero(counts >= FLOOR_RANK)
    rank = scores.shape[1] - FLOOR_RANK  # in ascending order
    if len(many):
        floor[many] = np.partition(scores[many], rank, axis=1)[:, rank]
    return np.asarray(floor, np.float32)


class Hybrid(Source):
    """score(j) = sum over members of weight * (member's score of j above its floor); see `above_floor`.

    Items to which no member contributes have no score. Neither has a query with an empty history, whatever a member
    such as popularity would say: what to answer then is the caller's policy.

    Attributes:
        name: "hybrid", or "blend" for one of baselines alone.
        members: those of a positive weight, by name.
        weights: their weights, by name, in units of each member's own scores.
    """

    def __init__(self, members: Mapping[str, Source], weights: Mapping[str, float], name: str = "hybrid") -> None:
        """Combine `members`; one without a weight, or of weight 0, is left out.

        Raises:
            ValueError: no weight is positive, one is negative or of no member, or the catalogues differ in size.
        """
        if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
            raise ValueError(f"weights must be 0 or more and not all 0, got {dict(weights)}")
        if unknown := sorted(set(weights) - set(members)):
            raise ValueError(f"weights of no member: {', '.join(unknown)}")
        self.name = name
        self.weights = {member: float(weight) for member, weight in weights.items() if weight > 0}
        self.members = {member: members[member] for member in self.weights}
        if len(sizes := {member.n_items for member in self.members.values()}) > 1:
            raise ValueError(f"members must share one catalogue, got sizes {sorted(sizes)}")

    @property
    def n_items(self) -> int:
        return next(iter(self.members.values())).n_items

    def score(self, queries: Queries, items: Int32Array | None = None) -> Float32Array:
        """See `Source.score`; a member's floor takes all of its scores, however few items are asked for."""
        scores = np.zeros((len(queries), self.n_items), np.float32)
        for rows, block in queries.blocks(block_rows(self.n_items)):
            for name, member in self.members.items():
                scores[rows] += np.float32(self.weights[name]) * above_floor(member.score(block))
        scores[queries.histories.lengths == 0] = -np.inf
        scores[scores <= 0] = -np.inf
        return scores if items is None else scores_of(items, scores)

    def parts(self, queries: Queries, items: Int32Array) -> Float64Array:
        """What each of M members gives to the scores of items int32 [B, C]: [M, B, C], all 0 where there is none."""
        parts = np.zeros((len(self.members), *items.shape))
        for rows, block in queries.blocks(block_rows(self.n_items)):
            for row, (name, member) in enumerate(self.members.items()):
                above = scores_of(items[rows], above_floor(member.score(block)))
                parts[row, rows] = self.weights[name] * np.where(np.isfinite(above), above, 0)
        parts[:, queries.histories.lengths == 0] = 0
        return parts

    def propose(self, queries: Queries, k: int, *, exclude_seen: bool = True) -> Candidates:
        best = Candidates.none(len(queries), k)
        for rows, block in queries.blocks(_QUERIES):
            found = self.sum_of(Leads.of(list(self.members.values()), block)).best(k, exclude_seen=exclude_seen)[0]
            best.items[rows], best.scores[rows] = found.items, found.scores
        return best

    def sum_of(self, leads: Leads) -> Leads:
        """The scores that the leads of the members, in their order, add up to; those of items without are left out."""
        return leads.added_up(np.array(list(self.weights.values())))

    def why(self, queries: Queries, items: Int32Array) -> Shares:
        """The members' shares by weight, where they contribute; what their floors take away is in the rest."""
        longest = int(queries.histories.lengths.max(initial=0))
        by_position, rest = np.zeros((*items.shape, longest)), np.zeros(items.shape)
        for rows, block in queries.blocks(block_rows(self.n_items)):
            scored = np.isfinite(self.score(block, items[rows]))
            for name, member in self.members.items():
                whole = member.score(block)
                above = scores_of(items[rows], above_floor(whole))
                weights = np.where(scored & (above > 0), self.weights[name], 0)
                shares = member.why(block, items[rows])
                by_position[rows, :, : shares.by_position.shape[2]] += weights[..., None] * shares.by_position
                rest[rows] += weights * (shares.rest - _floors(whole)[:, None])
        return Shares.of_history(by_position, rest)

    def save(self, folder: Path) -> None:
        """Write each member into a subfolder of its name."""
        members = {}
        for name, member in self.members.items():
            (folder / name).mkdir()
            member.save(folder / name)
            members[name] = {"kind": member.kind, "weight": self.weights[name]}
        parameters = {"name": self.name, "members": members}
        (folder / PARAMETERS_FILE).write_text(json.dumps(parameters), "utf8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        parameters = json.loads((folder / PARAMETERS_FILE).read_text("utf8"))
        listed = parameters["members"]
        members = {name: load_source(member["kind"], folder / name, name) for name, member in listed.items()}
        return cls(members, {name: member["weight"] for name, member in listed.items()}, parameters["name"])
