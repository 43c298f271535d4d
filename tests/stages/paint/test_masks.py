import io

import cv2
import numpy as np
import pytest

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ImageError, InputFileError
from paintpipe.schemas.pixels import PixelClasses, PixelLabels, PixelScores
from paintpipe.stages.paint.masks import decode_mask

LABELS = np.array([[0, 1, 2, 255], [1, 1, 0, 0], [2, 2, 2, 2]], np.uint8)


def png(values: AnyArray) -> bytes:
    return bytes(cv2.imencode(".png", values)[1])


def npy(values: AnyArray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def decode(data: bytes, suffix: str, width_px: int = 4, height_px: int = 3) -> PixelClasses:
    return decode_mask(data, suffix, width_px, height_px, 3, "masks/000000" + suffix)


@pytest.mark.parametrize(
    ("data", "suffix"), [(png(LABELS), ".png"), (npy(LABELS), ".npy"), (npy(LABELS.astype(int)), ".npy")]
)
def test_label_maps(data: bytes, suffix: str) -> None:
    found = decode(data, suffix)
    assert isinstance(found, PixelLabels)
    assert found.num_classes == 3
    assert found.values.dtype == np.uint8
    np.testing.assert_array_equal(found.values, LABELS)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_scores_on_any_grid(dtype: type) -> None:
    values = np.random.default_rng(0).random((3, 2, 2)).astype(dtype)
    found = decode(npy(values), ".npy")
    assert isinstance(found, PixelScores)
    assert (found.kind, found.align_corners, found.extent_px) == ("probabilities", False, (3, 4))
    np.testing.assert_array_equal(found.values, values.astype(np.float32))


@pytest.mark.parametrize("suffix", [".png", ".npy"])
@pytest.mark.parametrize("size", [(3, 4), (5, 3), (4, 2)])
def test_masks_of_another_size_are_refused(suffix: str, size: tuple[int, int]) -> None:
    data = png(LABELS) if suffix == ".png" else npy(LABELS)
    with pytest.raises(ImageError, match=r"4x3 px.*expected"):
        decode(data, suffix, *size)


@pytest.mark.parametrize("suffix", [".png", ".npy"])
def test_classes_outside_the_taxonomy_are_refused(suffix: str) -> None:
    values = np.where(LABELS == 2, 3, LABELS).astype(np.uint8)
    with pytest.raises(ImageError, match=r"class 3 .*--taxonomy"):
        decode(png(values) if suffix == ".png" else npy(values), suffix)


@pytest.mark.parametrize(
    "values",
    [
        LABELS.astype(np.float32),
        np.where(LABELS == 255, -1, LABELS.astype(int)),
        np.zeros((2, 3, 4), np.float32),
        np.zeros((3, 3, 4), np.int32),
        np.zeros((3, 0, 4), np.float32),
        np.zeros(3, np.float32),
        np.full((3, 3, 4), -0.1),
        np.full((3, 3, 4), np.nan),
        np.full((3, 3, 4), 1e300),  # infinite as float32
    ],
)
def test_npy_that_does_not_fit(values: AnyArray) -> None:
    with pytest.raises(ImageError, match=r"masks/000000\.npy"):
        decode(npy(values), ".npy")


def test_damaged_files() -> None:
    with pytest.raises(ImageError):
        decode(b"", ".png")
    with pytest.raises(ImageError):
        decode(png(LABELS)[:-20], ".png")
    with pytest.raises(InputFileError):
        decode(npy(LABELS)[:-1], ".npy")


def test_unknown_suffix() -> None:
    with pytest.raises(ImageError, match=r"\.png or \.npy"):
        decode(b"", ".tif")
