"""What a user may set for a run. Parsed once at the edge; each record round-trips to a dict."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from paintpipe.schemas.errors import ConfigError

Projection = Literal["default", "nuscenes-devkit", "openpcdet"]
Overlap = Literal["margin", "random", "mean", "max", "first"]
Provenance = Literal["min", "full"]
Precision = Literal["fp32", "bf16", "fp16"]
Backend = Literal["auto", "torch", "onnxruntime", "openvino"]
Decode = Literal["full", "reduced"]
StoreFormat = Literal["zarr", "parquet"]

PAINT_FORMAT = 2
"""Raised whenever the same inputs and settings would give other bytes than before."""


@dataclass(frozen=True)
class SegmentSettings:
    """How a network is run.

    Attributes:
        device: `cpu` or `cuda:N` (`auto` is settled before).
        precision: of the forward pass.
        batch_size: images a forward pass; a batch never crosses a shard.
        input_size_px: (height, width) that overrides the card's resize policy, None for the card's.
        tta_scales: extra input scales whose probabilities are averaged; (1.0,) for none.
        tta_flip: average with the mirrored image.
        threads: CPU threads a worker (it changes bytes, so it is a setting of its own).
        backend: what computes the forward pass; `auto` is settled when the network is loaded.
        decode: `reduced` decodes a JPEG at 1/2, 1/4 or 1/8 of its size where the network's input is no larger.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    batch_size: int = 1
    input_size_px: tuple[int, int] | None = None
    tta_scales: tuple[float, ...] = (1.0,)
    tta_flip: bool = False
    threads: int = 2
    backend: Backend = "torch"
    decode: Decode = "full"


@dataclass(frozen=True)
class PaintSettings:
    """How points take the scores of pixels.

    Attributes:
        projection: named rule for which points a camera sees.
        overlap: what happens to a point that two cameras see.
        provenance: `full` also stores pixel, depth, time difference, margin and the second camera.
        cameras: names to paint from, () for all.
        taxonomy: map scores to this taxonomy before they are stored, None for the painter's own.
        seed: of the `random` overlap rule.
    """

    projection: Projection = "default"
    overlap: Overlap = "margin"
    provenance: Provenance = "min"
    cameras: tuple[str, ...] = ()
    taxonomy: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("projection", self.projection, get_args(Projection))
        _one_of("overlap", self.overlap, get_args(Overlap))
        _one_of("provenance", self.provenance, get_args(Provenance))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"unknown {name} {value!r}", expected="one of " + ", ".join(allowed))


def settings_to_dict(settings: SegmentSettings | PaintSettings) -> dict[str, Any]:
    """JSON-ready dict of a settings record, tuples as lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()}
