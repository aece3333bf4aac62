import pytest
from pydantic import ValidationError

from recsys.prepare.formats.base import Format, load_format
from recsys.prepare.formats.registry import FORMATS
from recsys.prepare.settings import DataConfig


@pytest.mark.parametrize("name", FORMATS)
def test_the_settings_take_every_registered_format(name: str) -> None:
    assert DataConfig.model_validate({"format": name, "interactions": ["log"]}).format == name


def test_the_settings_refuse_a_format_that_is_not_registered() -> None:
    with pytest.raises(ValidationError, match=r"no such format; there are amazon_2014, .*, store"):
        DataConfig.model_validate({"format": "xml", "interactions": ["log"]})


@pytest.mark.parametrize("name", FORMATS)
def test_every_registered_format_can_be_imported(name: str) -> None:
    assert isinstance(load_format(name), Format)


@pytest.mark.parametrize("name", FORMATS)
def test_only_event_logs_have_purchases(name: str) -> None:
    assert load_format(name).has_purchases == (name in {"events", "store"})
