"""Which attributes of users a model may be asked to read."""

from __future__ import annotations

import pytest

from recsys.config import parse_config
from recsys.core.errors import ConfigError


@pytest.mark.parametrize(
    ("named", "message"), [("income", "data.user_attributes does not"), ("hobbies", "lists of texts are not read")]
)
def test_a_model_reads_single_values_that_are_kept(named: str, message: str) -> None:
    data = {"format": "events", "interactions": ["log.csv"], "user_attributes": {"age": "number", "hobbies": "texts"}}
    tree = {"name": "shop", "data": data, "model": {"user_attributes": ["age"]}}
    assert parse_config(tree, "test").model.user_attributes == ["age"]
    with pytest.raises(ConfigError, match=message):
        parse_config(tree | {"model": {"user_attributes": ["age", named]}}, "test")
