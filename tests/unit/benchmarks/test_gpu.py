"""What benchmarks/gpu.py counts, by hand, and that it measures on a processor."""

import pytest

from benchmarks.gpu import make_config, measure
from benchmarks.gpu_cost import EPOCHS, FITS, count, estimated_targets_a_second, hours
from benchmarks.training_data import Size


def test_operations_of_a_target_follow_from_the_shapes() -> None:
    """Width 128, 2 blocks, 128 components of the text beside them, 4,096 negatives."""
    shapes = {"n_items": 10**6, "text_dim": 384, "targets": 10_000.0, "length": 10.0}
    sampled = count(make_config("sampled", mixed=False), **shapes)
    assert sampled.user_tower == 6 * 2 * (6 * 128 * 128 + 2 * 10 * 128)
    assert sampled.softmax == 6 * 4096 * 256
    assert sampled.item_tower == pytest.approx(6 * 2.4096 * 384 * 256)
    assert sampled.update_bytes == pytest.approx(28 * 2.4096 * 128), "of the rows of the step"
    full = count(make_config("full", mixed=False), **shapes)
    assert full.user_tower == sampled.user_tower
    assert full.softmax == 6 * 10**6 * 256
    assert full.update_bytes == 28 * 10**6 * 128 / 10_000, "of the table, once a step"


def test_hours_follow_from_targets_a_second() -> None:
    assert hours(3_600_000, 1000.0) == EPOCHS * FITS
    config = make_config("sampled", mixed=False)
    cost = count(config, n_items=1000, text_dim=384, targets=10_000, length=10)
    one, two = (estimated_targets_a_second(cost, factor * 10, factor * 1000, 0.2) for factor in (1, 2))
    assert two == pytest.approx(2 * one)
    seconds = cost.operations / 2e12 + cost.update_bytes / 2e11
    assert one == pytest.approx(1 / seconds)


def test_a_processor_is_measured_too() -> None:
    rows = list(measure({"tiny": Size(60, 40, 5.0)}, 0.01, dim=8, batch=16))
    assert [(row.size, row.loss, row.precision) for row in rows] == [
        ("tiny", "sampled", "float32"),
        ("tiny", "full", "float32"),
    ]
    assert all(row.steps > 0 and row.targets > row.steps and row.gigabytes is None for row in rows)
