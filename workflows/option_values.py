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


def named_values(option: str, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE`, … → (("NAME", "VALUE"), …), sorted.

    Raises:
        ConfigError: a word without a name or `=`, or a name that comes twice.
    """
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (name, equals, _) in zip(words, pairs, strict=True) if not (name and equals)]
    found = {name: value for name, _, value in pairs}
    if wrong or len(found) < len(pairs):
        raise ConfigError(f"{option} {(wrong or words)[0]!r}", expected="NAME=VALUE, each name once")
    return tuple(sorted(found.items()))


def temperature(text: str) -> float | Literal["fitted"] | None:
    """`1.7` → 1.7, `fitted` → "fitted", None for "".

    Raises:
        ConfigError: another word.
    """
    if not text or text == "fitted":
        return "fitted" if text else None
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"--temperature {text!r}", expected="a number such as 1.7, or fitted") from error


def angles_deg(text: str, option: str = "--rotate") -> tuple[float, float, float]:
    """`ROLL,PITCH,YAW` → three angles in degrees, (0, 0, 0) for "".

    Raises:
        ConfigError: anything else, or more than 45 degrees.
    """
    words = names(text) or ("0", "0", "0")
    try:
        found = tuple(float(word) for word in words)
    except ValueError:
        found = ()
    if len(found) != 3 or not all(abs(angle) <= 45.0 for angle in found):
        raise ConfigError(f"{option} {text!r}", expected="ROLL,PITCH,YAW in degrees, such as 0,0.5,-0.2")
    return found[0], found[1], found[2]
