"""Text in pictures: one font that matplotlib ships, so that every machine draws the same letters."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

ELLIPSIS = "…"


def font_path(*, bold: bool = False) -> Path:
    """DejaVu Sans as matplotlib ships it."""
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")


@lru_cache(maxsize=32)
def font(size_px: int, *, bold: bool = False) -> "FreeTypeFont":
    """The font at a size in pixels."""
    from PIL import ImageFont

    return ImageFont.truetype(str(font_path(bold=bold)), size_px)


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font_path())).get_charmap())


def clean(text: str) -> str:
    """One line that the font can draw: control characters become spaces, unknown letters become □."""
    letters = (letter if letter.isprintable() else " " for letter in text)
    return "".join(letter if ord(letter) in _drawable() else "□" for letter in letters)


def fit(text: str, size_px: int, width_px: float, *, bold: bool = False) -> str:
    """`text`, cleaned and cut with an ellipsis to at most `width_px`; "" where not even that fits."""
    face = font(size_px, bold=bold)
    line = clean(text)
    if face.getlength(line) <= width_px:
        return line
    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        fits = face.getlength(line[:middle].rstrip() + ELLIPSIS) <= width_px
        low, high = (middle, high) if fits else (low, middle - 1)
    return line[:low].rstrip() + ELLIPSIS if low else ""
