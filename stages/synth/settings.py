"""What a synthetic dataset is made of: its classes, its settings, and the marker that says that it is whole."""

from dataclasses import dataclass
from typing import Literal

from paintpipe.schemas.errors import ConfigError

Layout = Literal["semantickitti", "nuscenes"]

CLASSES = (
    "road",
    "sidewalk",
    "building",
    "pole",
    "traffic-sign",
    "vegetation",
    "car",
    "pedestrian",
    "cyclist",
    "sky",
)
ROAD, SIDEWALK, BUILDING, POLE, TRAFFIC_SIGN, VEGETATION, CAR, PEDESTRIAN, CYCLIST, SKY = range(10)

MARKER = "paintpipe-synth.json"
"""Written last, at the dataset's root: a folder without it is not a whole synthetic dataset."""

DEFAULT_SEQUENCES: dict[Layout, tuple[str, ...]] = {"semantickitti": ("08",), "nuscenes": ("scene-0103",)}
DEFAULT_IMAGE_PX: dict[Layout, tuple[int, int]] = {"semantickitti": (192, 640), "nuscenes": (224, 416)}
DEFAULT_BEAMS: dict[Layout, int] = {"semantickitti": 64, "nuscenes": 32}
DEFAULT_AZIMUTHS: dict[Layout, int] = {"semantickitti": 900, "nuscenes": 1084}


@dataclass(frozen=True)
class SynthSettings:
    """How much to write, and from which seed. The same settings give the same bytes.

    Attributes:
        seed: of everything; a sequence's name is mixed in.
        sequences: names, () for the layout's default; nuScenes scenes need official names so that splits resolve.
        frames: SemanticKITTI layout: sweeps a sequence, at 10 Hz.
        keyframes: nuScenes layout: keyframes a scene, at 2 Hz, with 10 sweeps before the first one.
        image_size_px: (height, width), None for the layout's default; the field of view stays.
        beams: LiDAR rings, None for the layout's default.
        azimuths: LiDAR columns a turn, None for the layout's default.
    """

    seed: int = 7
    sequences: tuple[str, ...] = ()
    frames: int = 10
    keyframes: int = 2
    image_size_px: tuple[int, int] | None = None
    beams: int | None = None
    azimuths: int | None = None

    def __post_init__(self) -> None:
        positive = {"frames": self.frames, "keyframes": self.keyframes, "beams": self.beams, "azimuths": self.azimuths}
        positive |= dict(zip(("image height", "image width"), self.image_size_px or (), strict=False))
        for name, value in positive.items():
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}", expected="at least 1")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}", expected="0 or more")
