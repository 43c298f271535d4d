"""Values of options that are several in one word, such as `0.75,1,flip` and `1024x512`."""

import re
from typing import Literal

from paintpipe.schemas.errors import ConfigError

LEAST_PX, MOST_PX = 32, 16384


def names(text: str) -> tuple[str, ...]:
    """`A,B` → ("A", "B")."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def gpus(text: str) -> tuple[int, ...] | Literal["all"] | None:
    """`0,2` → (0, 2), `all` → "all", None for "".

    Raises:
        ConfigError: anything else.
    """
    words = names(text)
    if words == ("all",):
        return "all"
    if not all(re.fullmatch(r"\d{1,3}", word, re.ASCII) for word in words):
        raise ConfigError(f"--gpus {text!r}", expected="all, or numbers such as 0,1")
    return tuple(int(word) for word in words) or None


def scales(text: str) -> tuple[tuple[float, ...], bool]:
    """`0.5,1,1.5,flip` → ((0.5, 1.0, 1.5), True); (1.0,) where no scale is named.

    Raises:
        ConfigError: another word, or a scale outside 0.1 to 4.
    """
    words = names(text)
    try:
        found = tuple(float(word) for word in words if word != "flip")
    except ValueError:
        found = (0.0,)
    if not all(0.1 <= scale <= 4.0 for scale in found):
        expected = "scales from 0.1 to 4 and 'flip', such as 0.75,1,1.25,flip"
        raise ConfigError(f"--tta {text!r}", expected=expected)
    return found or (1.0,), "flip" in words


def size_px(text: str) -> tuple[int, int] | None:
    """`WIDTHxHEIGHT` → (height, width), None for "".

    Raises:
        ConfigError: anything else, or a side that no network takes.
    """
    if not text:
        return None
    sides = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text.lower(), re.ASCII)
    width, height = (int(side) for side in sides.groups()) if sides else (0, 0)
    if not (LEAST_PX <= width <= MOST_PX and LEAST_PX <= height <= MOST_PX):
        expected = f"WIDTHxHEIGHT in pixels, such as 1024x512, both from {LEAST_PX} to {MOST_PX}"
        raise ConfigError(f"--input-size {text!r}", expected=expected)
    return height, width
