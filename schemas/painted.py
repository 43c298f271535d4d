"""A painted frame in memory, and the arrays that a painted store is made of."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from paintpipe.schemas.arrays import AnyArray, Float16, Float32, Int8, UInt8


class Flag(IntFlag):
    """Bits of `flags`, a CF bit mask. Painted and visible are two things: an oracle paints what no camera sees."""

    PAINTED = 1
    VISIBLE = 2
    OVERLAP = 4
    OCCLUDED = 8
    DEPTH_EDGE = 16


@dataclass(frozen=True)
class SecondView:
    """The other camera's say where two overlap; `camera` is -1 and floats are NaN elsewhere."""

    scores: Float16
    camera: Int8
    pixel_px: Float32
    depth_m: Float32


@dataclass(frozen=True)
class Provenance:
    """Where each point's scores come from: (N, 2), (N,), (N,), (N,); NaN where no camera sees the point."""

    pixel_px: Float32
    depth_m: Float32
    dt_us: Float32
    margin: Float16
    second: SecondView


@dataclass(frozen=True)
class PaintedFrame:
    """One painted sweep, rows aligned with the point file.

    Attributes:
        scores: (N, C) float16, a row sums to 1 where painted and is 0 elsewhere.
        label: (N,) uint8 arg-max class, 255 where unpainted.
        camera: (N,) int8 index into the layer's camera names, -1 where none.
        flags: (N,) uint8 of `Flag`.
        provenance: with `--provenance full`.
    """

    scores: Float16
    label: UInt8
    camera: Int8
    flags: UInt8
    provenance: Provenance | None = None


SUM_TOLERANCE = 1e-3
"""How far from 1 the float16 scores of a painted point may sum."""


@dataclass(frozen=True)
class ArraySpec:
    """One array of a store group: its name, dimensions, dtype, value where nothing is, and attributes.

    `dims` always begins with "frame"; a "point" axis is padded to the sequence's longest sweep.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    fill: float | int
    attributes: tuple[tuple[str, Any], ...] = ()


_FLAG_ATTRIBUTES = (
    ("flag_masks", [int(flag) for flag in Flag]),
    ("flag_meanings", " ".join(str(flag.name).lower() for flag in Flag)),
)

POINTS = (ArraySpec("points", ("frame", "point", "feature"), "float32", float("nan")),)
LAYER_MIN = (
    ArraySpec("scores", ("frame", "point", "class"), "float16", 0.0),
    ArraySpec("label", ("frame", "point"), "uint8", 255),
    ArraySpec("camera", ("frame", "point"), "int8", -1),
    ArraySpec("flags", ("frame", "point"), "uint8", 0, _FLAG_ATTRIBUTES),
)
LAYER_FULL = (
    *LAYER_MIN,
    ArraySpec("pixel_px", ("frame", "point", "uv"), "float32", float("nan"), (("units", "px"),)),
    ArraySpec("depth_m", ("frame", "point"), "float32", float("nan"), (("units", "m"),)),
    ArraySpec("dt_us", ("frame", "point"), "float32", float("nan"), (("units", "us"),)),
    ArraySpec("margin", ("frame", "point"), "float16", float("nan")),
    ArraySpec("second/scores", ("frame", "point", "class"), "float16", 0.0),
    ArraySpec("second/camera", ("frame", "point"), "int8", -1),
    ArraySpec("second/pixel_px", ("frame", "point", "uv"), "float32", float("nan"), (("units", "px"),)),
    ArraySpec("second/depth_m", ("frame", "point"), "float32", float("nan"), (("units", "m"),)),
)


def layer_specs(provenance: str) -> tuple[ArraySpec, ...]:
    """The arrays of a layer with `min` or `full` provenance."""
    return LAYER_FULL if provenance == "full" else LAYER_MIN


def layer_arrays(frame: PaintedFrame) -> dict[str, AnyArray]:
    """A painted frame's arrays by their names in the store."""
    arrays: dict[str, AnyArray] = {
        "scores": frame.scores,
        "label": frame.label,
        "camera": frame.camera,
        "flags": frame.flags,
    }
    if frame.provenance is not None:
        full = frame.provenance
        arrays |= {"pixel_px": full.pixel_px, "depth_m": full.depth_m, "dt_us": full.dt_us, "margin": full.margin}
        arrays |= {f"second/{name}": array for name, array in vars(full.second).items()}
    return arrays
