"""A source from outside joins by its dotted path; what is wrong with it is told before anything is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.config import RetrievalConfig
from recsys.core.errors import ConfigError
from recsys.sources.fitting import FitData
from recsys.sources.recipes import recipes
from tests.support.bundles import make_histories
from tests.support.toy_source import NextItem

PATH = "tests.support.toy_source.NextItem"
DATA = FitData(make_histories(10, 30), 30)


def config(**plugin: Any) -> RetrievalConfig:
    return RetrievalConfig(retrievers=["popularity"], plugins={"toy": plugin})


def test_it_is_fitted_over_its_grid_under_the_name_of_the_config() -> None:
    settings = config(**{"class": PATH, "steps": [1, 3], "reward": 2.5})
    assert settings.names == ["popularity", "toy"]
    recipe = recipes(settings)["toy"]
    assert recipe.grid() == [{"step": 1}, {"step": 3}]
    assert recipe.obstacle(DATA) is None
    source = recipe.fitted(DATA, {"step": 3})
    assert isinstance(source, NextItem)
    assert (source.name, source.kind) == ("toy", PATH)
    assert (source.step, source.reward, source.n_items) == (3, 2.5, 30)
    assert recipe.adapted(source, {"step": 3}) is source
    assert len({recipe.same_fit(chosen) for chosen in recipe.grid()}) == 2


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        ({}, "retrieval.plugins.toy.class"),
        ({"class": "NextItem"}, "a dotted path"),
        ({"class": "nowhere.to.be.Found"}, "No module named 'nowhere'"),
        ({"class": "tests.support.toy_source.Absent"}, "Absent"),
        ({"class": ".foo.Bar"}, "ValueError: Empty module name"),
        ({"class": "foo..Bar"}, "ModuleNotFoundError: No module named 'foo'"),
        ({"class": "tests.support.toy_source.NextItemSettings"}, "PluggedSource"),
        ({"class": "recsys.sources.popularity.source.Popularity"}, "PluggedSource"),
        ({"class": PATH, "stride": 1}, "stride"),
        ({"class": PATH, "steps": ["far"]}, "steps"),
    ],
)
def test_what_is_wrong_is_told(plugin: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        recipes(config(**plugin))
    assert told in str(error.value)
    assert "toy" in str(error.value)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("class Bar(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("None.x", "AttributeError: "),
    ],
)
def test_a_module_that_fails_to_be_imported_is_told(
    module: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_source.py").write_text(module, "utf8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as error:
        recipes(config(**{"class": "broken_source.Bar"}))
    assert error.value.expected == "a class that can be imported from broken_source.Bar for retrieval.plugins.toy"
    assert error.value.got.startswith(told)
    assert "correct the path or the module" in error.value.remedy
