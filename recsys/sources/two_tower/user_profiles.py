"""What users' attributes add to their vectors, written beside the graph of the query tower."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from recsys.core.errors import BundleError
from recsys.core.parameters import read_parameters
from recsys.core.profiles import Profiles, ProfileVocabulary
from recsys.core.queries import Queries
from recsys.core.stored_arrays import REMEDY, read_array, require_range
from recsys.core.types import Float32Array, Int32Array

VOCABULARY_FILE, PROFILES_FILE, VECTORS_FILE = "user_profiles.json", "user_profiles.npy", "profile_vectors.npy"


@dataclass(frozen=True)
class UserProfiles:
    """Profiles of U users, and a vector for each value of each attribute. A user's vectors are added up.

    Attributes:
        profiles: int32 [U, A], rows of `vectors`.
        vectors: float32 [R, D], for the first D columns of a user's vector.
    """

    profiles: Profiles
    vectors: Float32Array

    def add_to(self, vectors: Float32Array, queries: Queries) -> None:
        """Add to user vectors [B, D or more] what the profiles say; nothing is said of an empty history.

        A query's own profile counts (`Queries.profiles`), else that of its user, if there is one.
        """
        added = self.vectors[self.of(queries)].sum(axis=1)
        added[queries.histories.lengths == 0] = 0
        vectors[:, : self.vectors.shape[1]] += added

    def of(self, queries: Queries) -> Int32Array:
        """int32 [B, A], the profiles that count for the queries."""
        vocabulary, of_users = self.profiles.vocabulary, self.profiles.rows
        known = (queries.users >= 0) & (queries.users < len(of_users))
        rows = np.where(known[:, None], of_users[np.where(known, queries.users, 0)], vocabulary.unknown)
        if queries.profiles is None:
            return np.asarray(rows, np.int32)
        return np.where(queries.profiles >= 0, queries.profiles, rows)

    def save(self, folder: Path) -> None:
        """Write into `folder`, which exists."""
        (folder / VOCABULARY_FILE).write_bytes(msgspec.json.encode(self.profiles.vocabulary))
        np.save(folder / PROFILES_FILE, self.profiles.rows)
        np.save(folder / VECTORS_FILE, self.vectors)

    @classmethod
    def load(cls, folder: Path, dim: int) -> Self | None:
        """Read what `save` wrote; None where nothing was written.

        Raises:
            BundleError: a file is missing, or not what `save` writes, or its vectors are longer than `dim`.
        """
        if not (folder / VOCABULARY_FILE).exists():
            return None
        vocabulary = read_parameters(folder / VOCABULARY_FILE, ProfileVocabulary)
        path = folder / PROFILES_FILE
        rows = read_array(path, np.int32, None, len(vocabulary.attributes))
        vectors = read_array(folder / VECTORS_FILE, np.float32, vocabulary.n_rows, None)
        require_range(rows, path, 0, vocabulary.n_rows - 1)
        if vectors.shape[1] > dim:
            expected = f"at most {dim} columns in {folder / VECTORS_FILE}"
            raise BundleError(expected, str(vectors.shape[1]), REMEDY)
        return cls(Profiles(vocabulary, rows), vectors)
