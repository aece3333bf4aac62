"""One entry a source: what it names is there, and a process that serves loads nothing that fits."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recsys.config import RetrievalConfig
from recsys.core.dotted import imported
from recsys.sources.fitting import Fit
from recsys.sources.registry import ENTRIES, FALLBACK, RESERVED, Entry, SourceSettings

FITS_WITH = ("scipy", "sklearn", "implicit", "yaml", "recsys.config")


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_names_what_there_is(entry: Entry) -> None:
    assert isinstance(imported(entry.fit), Fit)
    assert issubclass(SourceSettings, entry.settings), "its settings are among those of the config"
    assert entry.label
    assert entry.description
    assert entry.name not in RESERVED


def test_the_fallback_is_a_source_and_all_are_fitted_by_default() -> None:
    assert FALLBACK in ENTRIES
    assert RetrievalConfig().names == list(ENTRIES)


def test_every_setting_of_a_source_is_a_key_of_the_config() -> None:
    keys = {key for entry in ENTRIES.values() for key in entry.settings.model_fields}
    assert {"decay", "als_factors", "content_k", "ease_max_items", "spending_power"} <= keys
    assert keys | {"retrievers", "plugins"} == set(SourceSettings.model_fields)


def test_the_config_and_what_loads_sources_need_nothing_that_fits_them() -> None:
    program = (
        "import sys, recsys.sources.registry\n"
        "light = {'numpy', 'numba', 'onnxruntime'} & set(sys.modules)\n"
        "import numba, onnxruntime\n"  # which look for SciPy and YAML themselves
        "before = set(sys.modules)\n"
        "from recsys.core.dotted import imported\n"
        "from recsys.sources.loading import load_source\n"
        "from recsys.sources.registry import KINDS\n"
        "from recsys.sources.hybrid import Hybrid\n"
        "[imported(path) for path in KINDS.values()]\n"
        f"print(light, sorted(set({FITS_WITH}) & (set(sys.modules) - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()", "[]"]
