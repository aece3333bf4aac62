"""A run is of the dataset that its config describes."""

from __future__ import annotations

from typing import Any

import pytest

from recsys.config import parse_config
from recsys.core.errors import DataError
from recsys.prepare.prepared import PreparedDataset
from recsys.train.steps.context import RunContext
from tests.support.datasets import make_dataset


def dataset(attributes: dict[str, Any]) -> PreparedDataset:
    made = make_dataset([(0, 0, 1, 5.0, "train")], 1, 1)
    made.manifest["config"]["data"]["attributes"] = attributes
    return made


def context(attributes: dict[str, Any], of: PreparedDataset) -> RunContext:
    data = {"format": "events", "interactions": ["log.csv"], "metadata": ["items.jsonl"], "attributes": attributes}
    return RunContext.of(parse_config({"name": "tiny", "data": data}, "the test"), of)


def test_the_attributes_are_those_of_the_config() -> None:
    described = {"stock": {"type": "number", "column": "left", "separator": None}}
    assert context({"stock": {"type": "number", "column": "left"}}, dataset(described)).dataset.attributes
    with pytest.raises(DataError) as raised:
        context({"stock": "number", "seller": "text"}, dataset(described))
    assert "data.attributes: {'stock': 'number', 'seller': 'text'}" in raised.value.expected
    assert "{'stock': 'number'} in tiny" in raised.value.got
    with pytest.raises(DataError, match=r"(?s)data.attributes: none, .*stock.*prepare_data.py again"):
        context({}, dataset(described))
