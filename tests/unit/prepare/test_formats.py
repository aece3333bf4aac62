from typing import get_args

import pytest

from recsys.config import DataConfig
from recsys.prepare.formats.base import Format
from recsys.prepare.formats.registry import FORMATS, load_format


def test_the_settings_offer_the_registered_formats() -> None:
    assert set(get_args(DataConfig.model_fields["format"].annotation)) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_registered_format_can_be_imported(name: str) -> None:
    assert isinstance(load_format(name), Format)


@pytest.mark.parametrize("name", FORMATS)
def test_only_event_logs_have_purchases(name: str) -> None:
    assert load_format(name).has_purchases == (name in {"events", "store"})
