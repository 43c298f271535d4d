import io

import numpy as np
import pytest
from support.paint import make_taxonomy

from paintpipe.schemas.arrays import AnyArray, Float32, UInt8
from paintpipe.schemas.errors import InputFileError, LabelsError, TaxonomyError
from paintpipe.stages.paint.predictions import decode_predictions


def npy(values: AnyArray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


def decode(data: bytes, suffix: str, num_points: int = 3) -> UInt8 | Float32:
    return decode_predictions(data, suffix, num_points, make_taxonomy(), "00/000000" + suffix)


def test_label_files_hold_the_dataset_s_ids() -> None:
    data = np.array([10 | (3 << 16), 0, 40], "<u4").tobytes()
    assert decode(data, ".label").tolist() == [0, 255, 2]


def test_label_files_need_a_taxonomy_with_ids() -> None:
    with pytest.raises(TaxonomyError):
        decode_predictions(bytes(12), ".label", 3, make_taxonomy(raw_ids={}), "a.label")


def test_bin_files_count_classes_from_one() -> None:
    found = decode(bytes([1, 3, 0]), ".bin")
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 2, 255]


def test_bin_class_outside_the_taxonomy() -> None:
    with pytest.raises(LabelsError, match=r"00/000000\.bin: class 3 .*expected 0 to 2"):
        decode(bytes([1, 4, 0]), ".bin")


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint16])
def test_npy_classes(dtype: type) -> None:
    found = decode(npy(np.array([0, 2, 255], dtype)), ".npy")
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 2, 255]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_npy_probabilities(dtype: type) -> None:
    values = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], dtype)
    found = decode(npy(values), ".npy")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, values, atol=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        np.array([0, -1, 2]),
        np.array([0, 3, 2]),
        np.array([0, 256, 2]),  # 0 as uint8
        np.array([0.0, 1.0, 2.0]),
        np.zeros((3, 2), np.float32),
        np.zeros((3, 3), np.int32),
        np.zeros((3, 3, 1), np.float32),
        np.array(1),
        np.zeros(4, np.uint8),
        np.array([[2.0, -1.0, 0.0]] * 3),  # sums to 1 all the same
        np.array([[9.0, 3.0, -2.0]] * 3),
        np.array([[np.nan, 0.5, 0.5]] * 3),
        np.array([[np.inf, 0.0, 0.0]] * 3),
        np.array([[np.inf, -np.inf, 1.0]] * 3),
        np.array([[1e300, 0.0, 0.0]] * 3),
        np.array([[0.3, 0.3, 0.3]] * 3),
    ],
)
def test_npy_that_does_not_fit(values: AnyArray) -> None:
    with pytest.raises(LabelsError, match=r"00/000000\.npy"):
        decode(npy(values), ".npy")


def test_logits_are_told_what_to_do() -> None:
    with pytest.raises(LabelsError, match="soft-max"):
        decode(npy(np.array([[9.0, 3.0, 2.0]] * 3)), ".npy")


@pytest.mark.parametrize(("suffix", "size"), [(".label", 11), (".label", 16), (".bin", 2), (".bin", 4), (".label", 0)])
def test_wrong_length(suffix: str, size: int) -> None:
    with pytest.raises(LabelsError, match="3 points"):
        decode(bytes(size), suffix)


def test_unknown_suffix() -> None:
    with pytest.raises(LabelsError, match=r"\.npy"):
        decode(bytes(3), ".txt")


def test_damaged_and_dangerous_npy() -> None:
    whole = npy(np.zeros(3, np.uint8))
    for data in (b"", whole[:-1], whole + b"\0", npy(np.array([1, "a", None], dtype=object))):
        with pytest.raises(InputFileError, match=r"00/000000\.npy"):
            decode(data, ".npy")


@pytest.mark.parametrize("suffix", [".label", ".bin", ".npy"])
def test_no_points(suffix: str) -> None:
    data = npy(np.zeros(0, np.uint8)) if suffix == ".npy" else b""
    assert decode(data, suffix, 0).shape == (0,)
