"""The store's contract on one painted frame."""

from dataclasses import replace

import numpy as np
import pytest

from paintpipe.schemas.painted import Flag, PaintedFrame, check_painted, layer_arrays, layer_specs


def make_frame() -> PaintedFrame:
    """Three points of two classes, the last unpainted."""
    return PaintedFrame(
        scores=np.array([[0.25, 0.75], [1.0, 0.0], [0.0, 0.0]], dtype=np.float16),
        label=np.array([1, 0, 255], dtype=np.uint8),
        camera=np.array([0, 0, -1], dtype=np.int8),
        flags=np.array([Flag.PAINTED | Flag.VISIBLE, Flag.PAINTED, 0], dtype=np.uint8),
    )


def test_a_right_frame_passes() -> None:
    assert check_painted(make_frame(), 3, 2) == ""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"scores": np.array([[0.2, 0.75], [1, 0], [0, 0]], dtype=np.float16)}, "sum to 1"),
        ({"scores": np.array([[0.25, 0.75], [1, 0], [0, 0.1]], dtype=np.float16)}, "unpainted"),
        ({"scores": np.array([[np.nan, 0.75], [1, 0], [0, 0]], dtype=np.float16)}, "sum to 1"),
        ({"scores": np.array([[-0.25, 1.25], [1, 0], [0, 0]], dtype=np.float16)}, "negative"),
        ({"scores": np.array([[0.25, 0.75], [1, 0], [0.5, -0.5]], dtype=np.float16)}, "unpainted"),
        ({"label": np.array([1, 0, 0], dtype=np.uint8)}, "unpainted"),
        ({"label": np.array([2, 0, 255], dtype=np.uint8)}, "taxonomy"),
        ({"label": np.array([0, 0, 255], dtype=np.uint8)}, "arg-max"),
        ({"label": np.array([1, 255], dtype=np.uint8)}, "shape"),
    ],
)
def test_what_breaks_the_contract_is_named(change: dict[str, np.ndarray], fault: str) -> None:
    assert fault in check_painted(replace(make_frame(), **change), 3, 2)


def test_another_number_of_points_or_classes_is_a_fault() -> None:
    assert "shape" in check_painted(make_frame(), 4, 2)
    assert "shape" in check_painted(make_frame(), 3, 3)


def test_arrays_carry_the_names_of_the_specs() -> None:
    assert list(layer_arrays(make_frame())) == [spec.name for spec in layer_specs("min")]
