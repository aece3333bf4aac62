from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import BundleError
from recsys.core.stored_arrays import MAPPED_FROM, read_array, require_offsets, require_range


def saved(tmp_path: Path, array: object) -> Path:
    np.save(tmp_path / "some.npy", np.asarray(array))
    return tmp_path / "some.npy"


@pytest.mark.parametrize(("rows", "mapped"), [(2, False), (MAPPED_FROM // 12 + 1, True)])
def test_gives_what_was_saved_plain_and_writable_and_mapped_if_it_is_large(
    tmp_path: Path, rows: int, mapped: bool
) -> None:
    path = saved(tmp_path, np.arange(3 * rows, dtype=np.int32).reshape(rows, 3))
    array = read_array(path, np.int32, None, 3)
    assert type(array) is np.ndarray
    assert isinstance(array.base, np.memmap) == mapped
    assert array[-1, -1] == 3 * rows - 1
    array[0, 0] = 7
    assert np.load(path)[0, 0] == 0, "what is written to it never reaches the file"


@pytest.mark.parametrize("shape", [(0,), (0, 0), (3, 0)])
def test_an_empty_array_is_one(tmp_path: Path, shape: tuple[int, ...]) -> None:
    assert read_array(saved(tmp_path, np.zeros(shape, np.float32)), np.float32, *shape).shape == shape


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros((2, 3), np.float32), "float32 of shape (2, 3)"),
        (np.zeros((2, 3), ">i4"), ">i4 of shape (2, 3)"),
        (np.zeros((2, 4), np.int32), "int32 of shape (2, 4)"),
        (np.zeros(6, np.int32), "int32 of shape (6,)"),
        (np.int32(1), "int32 of shape ()"),
        (np.asfortranarray(np.zeros((2, 3), np.int32)), "another layout in memory"),
        (np.array([None]), "ValueError"),
    ],
)
def test_another_type_shape_or_layout_is_refused(tmp_path: Path, array: object, got: str) -> None:
    path = saved(tmp_path, array)
    with pytest.raises(BundleError) as refused:
        read_array(path, np.int32, None, 3)
    assert got in refused.value.got
    assert str(path) in refused.value.expected


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 300_000])
def test_what_is_no_number_is_refused_by_its_place(tmp_path: Path, kind: type, value: float, at: int) -> None:
    array = np.zeros((150_001, 2), kind)
    array.reshape(-1)[at] = value
    with pytest.raises(BundleError) as refused:
        read_array(saved(tmp_path, array), kind, None, 2)
    assert refused.value.got == f"{value} at [{at // 2}, 0]"


def test_numbers_may_be_missing_but_not_infinite(tmp_path: Path) -> None:
    array = np.array([np.nan, 2.0], np.float32)
    assert read_array(saved(tmp_path, array), np.float32, 2, nan=True)[1] == 2
    with pytest.raises(BundleError, match="inf at"):
        read_array(saved(tmp_path, np.array([np.nan, np.inf])), np.float64, None, nan=True)


def test_a_small_array_outlives_its_file(tmp_path: Path) -> None:
    path = saved(tmp_path, np.arange(6))
    array = read_array(path, np.int64, 6)
    path.write_bytes(b"")
    assert array.sum() == 15


def test_absurd_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"10000000000000.0 at \[1\]"):
        read_array(saved(tmp_path, [1.0, 1e13]), np.float64, None)
    with pytest.raises(BundleError, match=r"up to 5 in .*\n.*-6\.0 at \[1\]"):
        read_array(saved(tmp_path, [1.0, -6.0]), np.float64, None, largest=5)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"\x93NUMPY\x01\x00\x20\x00{'descr': ((((((" + b"(" * 20]
)
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.npy").write_bytes(content)
    with pytest.raises(BundleError, match="an array in"):
        read_array(tmp_path / "some.npy", np.int32, None)


def test_an_array_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, np.zeros(9))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleError, match="an array in"):
        read_array(path, np.float64, None)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="FileNotFoundError"):
        read_array(tmp_path / "none.npy", np.int32, None)


@pytest.mark.parametrize(
    ("array", "got"), [([0, 3, 4], "4 at [2]"), ([2, -1], "-1 at [1]"), ([[0, 1], [9, 1]], "9 at [1, 0]")]
)
def test_numbers_out_of_range_are_refused_by_their_place(array: object, got: str) -> None:
    with pytest.raises(BundleError) as refused:
        require_range(np.array(array, np.int32), "there", 0, 3)
    assert refused.value.got == got
    require_range(np.array([0, 3]), "there", 0, 3)
    require_range(np.array([np.nan, 3]), "there", 0, 3)


@pytest.mark.parametrize("offsets", [[], [0], [1, 4], [0, 3], [0, 3, 2, 4], [0, 5, 4]])
def test_offsets_that_do_not_rise_from_0_to_the_end_are_refused(offsets: list[int]) -> None:
    with pytest.raises(BundleError, match="there"):
        require_offsets(np.array(offsets, np.int64), "there", 4)
    require_offsets(np.array([0, 0, 4, 4]), "there", 4)
    require_offsets(np.array([0]), "there", 0)
