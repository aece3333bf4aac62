"""Read a prepared dataset; `schema` describes its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.core.attributes import AttributeType, UserAttributeType
from recsys.core.errors import DataError
from recsys.core.histories import Histories
from recsys.core.item_changes import AVAILABLE
from recsys.prepare import columns as c
from recsys.prepare.schema import READ_VERSIONS, SCHEMA_VERSION, Repeats


@dataclass(frozen=True)
class PreparedDataset:
    """A prepared dataset in memory.

    Attributes:
        path: the folder that it was read from.
        manifest: the parsed manifest.json.
        interactions: interactions.parquet, one row an interaction, sorted by user, then time, then file order.
        user_ids: object [n_users], the raw data's id of each user row.
        items: items.parquet, indexed by item row: item_id, title, text, brand, categories, price, description, image;
            further columns: see `attributes`.
        users: users.parquet, indexed by user row: user_id; further columns: see `user_attributes`; None: of a dataset
            that was made in memory, without any.
    """

    path: Path
    manifest: dict[str, Any]
    interactions: pd.DataFrame
    user_ids: NDArray[np.object_]
    items: pd.DataFrame
    users: pd.DataFrame | None = None

    @classmethod
    def load(cls, path: Path | str) -> PreparedDataset:
        """Load the dataset in folder `path`.

        Raises:
            DataError: the folder is missing, incomplete or of another schema version.
        """
        path = Path(path)
        files = (c.MANIFEST_FILE, c.INTERACTIONS_FILE, c.USERS_FILE, c.ITEMS_FILE)
        missing = [name for name in files if not (path / name).is_file()]
        if missing:
            raise DataError(
                f"a prepared dataset in {path}",
                f"no {', '.join(missing)}",
                "run prepare_data.py, which is `recsys prepare`, with the same --config first",
            )
        manifest = json.loads((path / c.MANIFEST_FILE).read_text("utf8"))
        if manifest.get("schema_version") not in READ_VERSIONS:
            raise DataError(
                f"schema version {SCHEMA_VERSION} in {path / c.MANIFEST_FILE}",
                f"{manifest.get('schema_version')!r}",
                "run prepare_data.py, which is `recsys prepare`, again with this version of the program",
            )
        users = pq.read_table(path / c.USERS_FILE)
        return cls(
            path=path,
            manifest=manifest,
            interactions=pq.read_table(path / c.INTERACTIONS_FILE).to_pandas(),
            user_ids=users[c.USER_ID].to_numpy(),
            items=pq.read_table(path / c.ITEMS_FILE).to_pandas().set_index(c.ITEM),
            users=users.to_pandas(integer_object_nulls=True).set_index(c.USER),
        )

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.items)

    @cached_property
    def item_ids(self) -> NDArray[np.object_]:
        """The raw data's id of each item row, object [n_items]."""
        return self.items[c.ITEM_ID].to_numpy(dtype=object)

    @property
    def attributes(self) -> dict[str, AttributeType]:
        """Types of the columns of `items` that a shop has beside those of every dataset, see `data.attributes`."""
        described = self.manifest.get("config", {}).get("data", {}).get("attributes", {})
        types: dict[str, AttributeType] = {name: entry["type"] for name, entry in described.items()}
        # Nobody has to name it: shops take items out of all lists while a bundle serves.
        return types if AVAILABLE not in self.items else types | {AVAILABLE: "bool"}

    @property
    def attribute_values(self) -> dict[str, list[Any]]:
        """Of each attribute the values of all items: numbers, texts, truth values, lists of texts; None: unknown."""
        return {name: _values(self.items[name]) for name in self.attributes}

    @property
    def user_attributes(self) -> dict[str, UserAttributeType]:
        """Types of the columns of `users` that a shop has beside their ids, see `data.user_attributes`."""
        types: dict[str, UserAttributeType] = self.manifest.get("config", {}).get("data", {}).get("user_attributes", {})
        return dict(types)

    @property
    def user_attribute_values(self) -> dict[str, list[Any]]:
        """Of each such attribute the values of all users, as `attribute_values` has them; dates: seconds since 1970."""
        if self.users is None:
            return {}
        return {name: _values(self.users[name]) for name in self.user_attributes}

    @property
    def repeats(self) -> Repeats:
        """What became of several events of one user with one item, see `data.repeats`."""
        repeats: Repeats = self.manifest.get("config", {}).get("data", {}).get("repeats", "latest")
        return repeats

    @property
    def predicts_repeats(self) -> bool:
        """Whether a user's held-out items may be in the user's history."""
        return self.repeats != "latest"

    def of_splits(self, splits: Sequence[str]) -> pd.DataFrame:
        """The interactions of the given splits, in the dataset's order."""
        return self.interactions[self.interactions[c.SPLIT].isin(splits)]

    def histories(self, splits: Sequence[str] = (c.TRAIN,), *, counted: bool = False) -> Histories:
        """Histories of all users (row b is user row b) from the given splits.

        Args:
            splits: see above. Where events are counted, an item that is in several is in a history once, at its latest.
            counted: weigh each interaction by the number of its events, where these are counted.
        """
        interactions = self._in_histories(splits)
        weights = interactions[c.WEIGHT].to_numpy()
        if self.repeats == "count" and counted:
            weights = weights * interactions[c.COUNT].to_numpy()
        return Histories.from_rows(
            self.n_users,
            interactions[c.USER].to_numpy(),
            interactions[c.ITEM].to_numpy(),
            interactions[c.TIMESTAMP].to_numpy(),
            interactions[c.RATING].to_numpy(),
            weights,
        )

    def quantities(self, splits: Sequence[str] = (c.TRAIN,)) -> NDArray[np.float32] | None:
        """float32 [T], units bought beside the interactions of `histories`, NaN where unknown; None: none are known."""
        if c.QUANTITY not in self.interactions:
            return None
        return self._in_histories(splits)[c.QUANTITY].to_numpy(np.float32, na_value=np.nan)

    def _in_histories(self, splits: Sequence[str]) -> pd.DataFrame:
        """The interactions that histories hold, sorted by user."""
        interactions = self.of_splits(splits)
        if self.repeats != "count":
            return interactions
        return interactions[~interactions.duplicated([c.USER, c.ITEM], keep="last")]


def _values(column: pd.Series) -> list[Any]:
    """The values of a column; None where there is none."""
    values = column.astype(object).where(column.notna(), None)
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
