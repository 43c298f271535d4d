"""What a user may set for a run. Parsed once at the edge; each record round-trips to a dict."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from paintpipe.schemas.errors import ConfigError

Projection = Literal["default", "nuscenes-devkit", "openpcdet"]
Overlap = Literal["margin", "random", "mean", "max", "first"]
Occlusion = Literal["flag", "clear", "off"]
Edges = Literal["flag", "smooth"]
Provenance = Literal["min", "full"]
Precision = Literal["fp32", "bf16", "fp16"]
Backend = Literal["auto", "torch", "onnxruntime", "openvino"]
Decode = Literal["full", "reduced"]
StoreFormat = Literal["zarr", "parquet"]

PAINT_FORMAT = 3
"""Raised whenever the same inputs and settings would give a layer other bytes than before."""
POINTS_FORMAT = 2
"""The same of the points in a store: a workspace whose points are as ever takes new layers after an upgrade."""

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
"""Of scores: beyond, they are one-hot or all alike."""


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
        occlusion: of points that a camera can't see past what stands before them: `flag` them, `clear` their paint, or
            don't look (`off`).
        edges: of points on a depth edge: `flag` them, or also `smooth` their scores by their neighbours in space.
        temperature: scores become softmax(log p / temperature) once all else is settled; 1.0 leaves them as they are.
    """

    projection: Projection = "default"
    overlap: Overlap = "margin"
    provenance: Provenance = "min"
    cameras: tuple[str, ...] = ()
    taxonomy: str | None = None
    seed: int = 0
    occlusion: Occlusion = "flag"
    edges: Edges = "flag"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        _one_of("projection", self.projection, get_args(Projection))
        _one_of("overlap", self.overlap, get_args(Overlap))
        _one_of("provenance", self.provenance, get_args(Provenance))
        _one_of("occlusion", self.occlusion, get_args(Occlusion))
        _one_of("edges", self.edges, get_args(Edges))
        if not MIN_TEMPERATURE <= self.temperature <= MAX_TEMPERATURE:
            expected = f"a number from {MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}"
            raise ConfigError(f"temperature {self.temperature:g}", expected=expected)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"unknown {name} {value!r}", expected="one of " + ", ".join(allowed))


def settings_to_dict(settings: SegmentSettings | PaintSettings) -> dict[str, Any]:
    """JSON-ready dict of a settings record, tuples as lists."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()}
