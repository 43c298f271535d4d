"""The legend: which colour means which class."""

from collections.abc import Sequence

import numpy as np

from paintpipe.schemas.arrays import UNPAINTED, UInt8
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.view.style import BACKGROUND, MUTED, TEXT, UNPAINTED_RING, Rgb, display_palette
from paintpipe.stages.view.text import fit, font

_SIZE_PX = 17
_ROW_PX = 28
_SWATCH_PX = 16
_GAP_PX = 8
_BETWEEN_PX = 28

Entry = tuple[str, Rgb, bool]


def legend(taxonomy: Taxonomy, present: Sequence[int], width_px: int) -> UInt8:
    """(rows * 28, width_px, 3) uint8 RGB: a swatch and a name for each class in `present`, in the taxonomy's order.

    Args:
        taxonomy: names and colours.
        present: labels that occur in the picture, in any order, repeats allowed; 255 adds `not painted`.
        width_px: of the legend; names too long for it are cut with an ellipsis.

    Raises:
        TaxonomyError: a label is neither a class nor 255.
    """
    from PIL import Image, ImageDraw

    entries = _entries(taxonomy, present)
    columns, column_px = _columns(entries, width_px)
    rows = max(1, -(-len(entries) // columns))
    sheet = Image.new("RGB", (width_px, rows * _ROW_PX), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    if not entries:
        draw.text((0, _ROW_PX // 2), fit("no class", _SIZE_PX, width_px), MUTED, font(_SIZE_PX), "lm")
    for number, (name, color, hollow) in enumerate(entries):
        x, y = (number % columns) * column_px, (number // columns) * _ROW_PX + _ROW_PX // 2
        corners = (x, y - _SWATCH_PX // 2, x + _SWATCH_PX - 1, y + _SWATCH_PX // 2 - 1)
        draw.rounded_rectangle(corners, 3, fill=None if hollow else color, outline=color, width=2)
        left = x + _SWATCH_PX + _GAP_PX
        words = fit(name, _SIZE_PX, min(column_px, width_px - x) - _SWATCH_PX - _GAP_PX)
        draw.text((left, y), words, MUTED if hollow else TEXT, font(_SIZE_PX), "lm")
    return np.array(sheet, dtype=np.uint8)


def present_labels(*labels: UInt8) -> tuple[int, ...]:
    """The labels that occur in any of the arrays, ascending, 255 among them."""
    counts = sum((np.bincount(array.reshape(-1), minlength=256) for array in labels), np.zeros(256, dtype=np.int64))
    return tuple(int(label) for label in np.flatnonzero(counts))


def _entries(taxonomy: Taxonomy, present: Sequence[int]) -> list[Entry]:
    palette = display_palette(taxonomy)
    entries: list[Entry] = []
    for label in sorted(set(present) - {UNPAINTED}):
        if not 0 <= label < len(taxonomy):
            raise TaxonomyError(
                f"label {label} is no class of {taxonomy.name}", expected=f"0 to {len(taxonomy) - 1}, or 255"
            )
        red, green, blue = (int(channel) for channel in palette[label])
        entries.append((taxonomy.classes[label], (red, green, blue), False))
    if UNPAINTED in present:
        entries.append(("not painted", UNPAINTED_RING, True))
    return entries


def _columns(entries: Sequence[Entry], width_px: int) -> tuple[int, int]:
    """How many equal columns fit, and their width; equal columns line up from row to row."""
    widest = max((font(_SIZE_PX).getlength(fit(name, _SIZE_PX, width_px)) for name, _, _ in entries), default=0.0)
    needed = int(widest) + 1 + _SWATCH_PX + _GAP_PX + _BETWEEN_PX
    columns = max(1, min(len(entries), (width_px + _BETWEEN_PX) // needed))
    return columns, min(needed, max(width_px, 1))
