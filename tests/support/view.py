"""Factories for the tests of pictures."""

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.catalog import BoxRow
from paintpipe.schemas.taxonomy import Taxonomy

RED, GREEN, BLUE = (255, 120, 60), (60, 220, 90), (120, 160, 255)
"""Bright enough that pictures show them unchanged."""


def make_taxonomy(*names: str) -> Taxonomy:
    """Up to three bright classes."""
    classes = names or ("road", "car", "tree")
    return Taxonomy("three", classes, (RED, GREEN, BLUE)[: len(classes)], aliases={"Car": classes[-1]})


def make_image(height_px: int, width_px: int, value: int = 100) -> UInt8:
    """(height_px, width_px, 3) of one grey."""
    return np.full((height_px, width_px, 3), value, dtype=np.uint8)


def make_box(**overrides: object) -> BoxRow:
    """A car of 4 x 2 m, 10 m ahead, heading forward."""
    values: dict[str, object] = {
        "sequence": "s",
        "index": 0,
        "frame_id": "0",
        "class_name": "Car",
        "center_m": np.array([10.0, 0.0, 0.0]),
        "size_lwh_m": np.array([4.0, 2.0, 1.5]),
        "yaw_rad": 0.0,
    }
    return BoxRow(**{**values, **overrides})  # type: ignore[arg-type]


def has_color(image: UInt8, color: tuple[int, int, int]) -> bool:
    """Whether any pixel has exactly this colour."""
    return bool((image == np.array(color, dtype=np.uint8)).all(axis=-1).any())
