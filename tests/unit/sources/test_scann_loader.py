"""Each case in a process of its own: what matters is what gets imported, and in which order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bundles import make_bundle

SEARCH = """
import sys
import numpy as np
from recsys.sources.two_tower.scann_loader import scann_pybind
embeddings = np.eye(4, dtype=np.float32)
searcher = scann_pybind().builder(embeddings, 2, "dot_product").score_brute_force().build()
assert searcher.search(embeddings[2], 1)[0].tolist() == [2]
"""
SERVING = """
import sys
from pathlib import Path
import numpy as np
import recsys.bundle, recsys.pipeline.recommender, recsys.sources.item_to_item
from recsys.core.queries import Queries
bundle = recsys.bundle.open_bundle(Path(sys.argv[1]))
queries = Queries(bundle.histories.select([0]), np.zeros(1, np.int32), np.zeros(1, np.int64))
assert (bundle.recommender().recommend(queries, 5).items >= 0).all()
assert (bundle.source("neighbours_bm25").propose(queries, 5).items >= 0).any()
assert "scann_pybind" in sys.modules
"""


def run(code: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_searches_without_tensorflow_where_it_is_installed() -> None:
    pytest.importorskip("scann")
    run(SEARCH + "assert 'tensorflow' not in sys.modules and 'scann' not in sys.modules")


def test_all_of_scann_and_tensorflow_can_be_imported_afterwards() -> None:
    run(
        SEARCH + "import tensorflow as tf, scann\n"
        "assert scann.scann_ops_pybind is scann_pybind()\n"
        "scann.ScannBuilder, scann.scann_ops.builder\n"
        "assert int(tf.constant(1) + 1) == 2"
    )


def test_works_where_scann_was_imported_before() -> None:
    run("import scann\n" + SEARCH + "assert scann_pybind() is scann.scann_ops_pybind and 'tensorflow' in sys.modules")


@pytest.mark.slow
def test_works_where_only_tensorflow_was_imported_before() -> None:
    run("import tensorflow as tf\n" + SEARCH + "assert int(tf.constant(1) + 1) == 2")


def test_serving_imports_only_what_a_server_has(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, n_items=1500)
    unwanted = (  # Numba imports SciPy and PyYAML where they are installed
        "tensorflow",
        "tf_keras",
        "keras",
        "pandas",
        "pyarrow",
        "duckdb",
        "transformers",
        "onnx",
    )
    run(SERVING + f"loaded = set({unwanted!r}) & set(sys.modules)\nassert not loaded, loaded", str(path))
