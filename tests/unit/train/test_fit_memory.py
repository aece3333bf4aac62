"""What a fit takes of the memory, reckoned by hand."""

from __future__ import annotations

import pytest

from recsys.core.errors import TrainingError
from recsys.train.fit_memory import FitMemory, fit_memory, require_memory
from tests.support.training import make_config

GB = 10**9


def reckoned(n_trained: int = 1000, **training: object) -> FitMemory:
    """dim 16, 1 layer, 2 heads, text match of 4."""
    shapes = {"n_items": 1000, "n_users": 50, "text_dim": 12, "positions": 40, "length": 8}
    return fit_memory(make_config(**training), n_trained=n_trained, **shapes)


def test_parts_follow_from_the_shapes_of_a_step() -> None:
    full = reckoned(retrieval_loss="full", softmax_chunk=10)
    assert full.tables == 1000 * 16 * 4 * 4, "weights, two moments and the gradient"
    assert full.texts == 1000 * 12 * 4
    assert full.user_tower == 40 * (18 * 16 + 4 * 2 * 8 + 4 * 20) * 4
    assert full.items == 1000 * (24 + 6 * 16 + 20) * 4
    assert full.logits == (40 * 6 * 20 + 10 * 1000 * 4 + 2 * 1000 * 20) * 4
    sampled = reckoned(retrieval_loss="sampled", negatives=100)
    assert sampled.tables == full.tables
    assert sampled.items == (2 * 40 + 100) * (24 + 6 * 16 + 20) * 4
    assert sampled.logits == (40 * 6 * 20 + 40 * 100 * 4 + 2 * 100 * 20) * 4
    assert sampled.user_tower == full.user_tower


def test_the_gradient_of_a_large_table_is_of_touched_rows_alone() -> None:
    shapes = {"n_trained": 200_000, "n_users": 9, "text_dim": 12, "positions": 40, "length": 8}
    sampled = fit_memory(make_config(retrieval_loss="sampled"), n_items=200_000, **shapes)
    assert sampled.tables == 200_000 * 16 * 4 * 3
    for whole in ({"retrieval_loss": "full"}, {"retrieval_loss": "sampled", "weight_decay": 0.01}):
        needed = fit_memory(make_config(**whole), n_items=200_000, **shapes)
        assert needed.tables == 200_000 * 16 * 4 * 4


def test_items_that_nobody_chose_are_in_no_step() -> None:
    some, all_of_them = (reckoned(count, retrieval_loss="full", softmax_chunk=10) for count in (10, 1000))
    assert some.items == 10 * (24 + 6 * 16 + 20) * 4
    assert some.logits == (40 * 6 * 20 + 10 * 10 * 4 + 2 * 10 * 20) * 4
    assert (some.tables, some.texts, some.validation) == (
        all_of_them.tables,
        all_of_them.texts,
        all_of_them.validation,
    )


def test_a_step_and_a_validation_are_not_at_the_same_time() -> None:
    assert FitMemory(1, 2, 3, 4, 5, 6).total == 1 + 2 + 12
    assert FitMemory(1, 2, 3, 4, 5, 60).total == 1 + 2 + 60


def test_too_little_memory_is_told_before_the_first_step() -> None:
    needed = FitMemory(3 * GB, 0, 2 * GB, 0, 0, 0)
    assert require_memory(needed, 6 * GB) == "Memory: the fit takes about 5.0 GB of 6.0 GB free"
    assert require_memory(needed, None) == "Memory: the fit takes about 5.0 GB beside what is loaded"
    maybe = require_memory(needed, 4_900_000_000)
    assert maybe.startswith("Memory: the fit may take about 5.0 GB (GB: tables 3.00, user tower 2.00,")
    assert "4.9 GB are free" in maybe
    assert "training.batch_size" in maybe
    with pytest.raises(TrainingError, match=r"tables 3\.00, user tower 2\.00.*\n.*3\.4 GB free.*\n.*batch_size"):
        require_memory(needed, 3_400_000_000)
