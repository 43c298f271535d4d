"""The colours that every picture shares."""

import numpy as np

from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.taxonomy import Taxonomy

Rgb = tuple[int, int, int]

BACKGROUND: Rgb = (17, 19, 24)
PANEL: Rgb = (26, 29, 36)
TEXT: Rgb = (232, 234, 240)
MUTED: Rgb = (150, 156, 168)
GRID: Rgb = (58, 63, 74)
UNPAINTED_POINT: Rgb = (58, 63, 76)
UNPAINTED_RING: Rgb = (150, 156, 168)
GROUND: Rgb = (9, 10, 13)
MARGIN_PX = 16

_DARK = 110.0
_LIFT = 0.45
_LUMA = np.array([0.299, 0.587, 0.114])


def display_palette(taxonomy: Taxonomy) -> UInt8:
    """(256, 3) uint8 RGB by label, fit to be seen on a dark ground.

    Published palettes hold colours that vanish there (a Cityscapes car is 0, 0, 142). Colours of a luma (ITU-R BT.601)
    of 110 or more stay as they are; darker ones move towards white, the darker the further, so that neighbours such as
    car and truck stay apart. Pictures and legend use the same palette.
    """
    palette = taxonomy.palette()
    published = palette.astype(np.float64)
    amount = _LIFT * np.clip(1.0 - published @ _LUMA / _DARK, 0.0, 1.0)
    lifted = np.rint(published + amount[:, None] * (255.0 - published)).astype(np.uint8)
    lifted[len(taxonomy) :] = UNPAINTED_POINT
    return lifted


def css_colors(taxonomy: Taxonomy) -> dict[str, str]:
    """The display colour of each class by name, as CSS writes it."""
    palette = display_palette(taxonomy)
    return {name: "#{:02x}{:02x}{:02x}".format(*palette[index]) for index, name in enumerate(taxonomy.classes)}
