"""Taxonomies (ordered, coloured class lists) and the matrices that map one to another."""

from dataclasses import dataclass, field

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, Float64, UInt8

OTHER = "other"
"""The class that a mapping adds where the target has no room for a source class."""


@dataclass(frozen=True)
class Taxonomy:
    """A named, ordered list of classes.

    Attributes:
        name: as users type it, such as `cityscapes19`.
        classes: names in channel order.
        colors_rgb: one (r, g, b) per class, 0 to 255.
        background: the class that means "none of the others", or None where the taxonomy has none.
        raw_ids: id in the dataset's own label files → class index; ids left out are ignored (255).
        aliases: other spellings of a class (a box category, say) → class name.
        source: where the list comes from.
    """

    name: str
    classes: tuple[str, ...]
    colors_rgb: tuple[tuple[int, int, int], ...]
    background: str | None = None
    raw_ids: dict[int, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    source: str = ""

    def __len__(self) -> int:
        return len(self.classes)

    def index(self, class_name: str) -> int | None:
        """The channel of a class or of one of its aliases; None where the taxonomy has no such class."""
        name = self.aliases.get(class_name, class_name)
        return self.classes.index(name) if name in self.classes else None

    def palette(self) -> UInt8:
        """(256, 3) uint8 RGB by label; unpainted (255) is dark grey."""
        table = np.full((256, 3), 60, dtype=np.uint8)
        table[: len(self.classes)] = np.asarray(self.colors_rgb, dtype=np.uint8)
        table[UNPAINTED] = 60
        return table


@dataclass(frozen=True)
class Mapping:
    """How the classes of one taxonomy become those of another.

    Attributes:
        source: taxonomy that scores come in.
        target: taxonomy that scores go to, with `other` added at the end where it was needed.
        matrix: (len(source), len(target)) float64, row-stochastic: each source class goes somewhere.
        cyclist_rule: give bicycle mass to cyclists next to a rider (PointPainting, section 3.2).
        origin: where the correspondence comes from.
    """

    source: Taxonomy
    target: Taxonomy
    matrix: Float64
    cyclist_rule: bool = False
    origin: str = ""
