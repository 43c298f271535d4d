"""Model cards as text: strict reading of TOML and JSON, and writing as TOML."""

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ChannelOrder, ModelCard, OutputKind, ResizePolicy

_CHOICES = {
    "channel_order": get_args(ChannelOrder),
    "resize": get_args(ResizePolicy),
    "output": get_args(OutputKind),
}
_LENGTHS = {"mean": 3, "std": 3, "input_size_px": 2, "drop_channels": None}
_INTEGER_LISTS = ("input_size_px", "drop_channels")


def load_card(source: Path | str) -> ModelCard:
    """A model card from a file (`.toml` or `.json`), or from its text.

    Args:
        source: a path, or the text of a card (a string with a line break or a brace is text).

    Raises:
        ModelError: the file can't be read, or holds a key, type or value that no card has.
    """
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return card_from_dict(_parse(source, "model card"), "model card")
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the model card can't be read ({error})", where=str(path)) from error
    return card_from_dict(_parse(text, str(path)), str(path))


def card_from_dict(values: Mapping[str, Any], where: str = "model card") -> ModelCard:
    """A checked card from parsed TOML or JSON; raises ModelError as `load_card` does."""
    known = [item.name for item in fields(ModelCard)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ModelError(f"unknown keys {', '.join(unknown)}", where=where, expected=f"keys among {', '.join(known)}")
    missing = [item.name for item in fields(ModelCard) if _required(item) and item.name not in values]
    if missing:
        raise ModelError(f"keys are missing: {', '.join(missing)}", where=where)
    present = {name: value for name, value in values.items() if value is not None or name != "input_size_px"}
    card = ModelCard(**{name: _typed(name, value, where) for name, value in present.items()})
    _check_values(card, where)
    return card


def card_to_toml(card: ModelCard) -> str:
    """The card as TOML that `load_card` reads back to an equal card."""
    lines = []
    for item in fields(card):
        value = getattr(card, item.name)
        if value is not None:
            lines.append(f"{item.name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"neither TOML nor JSON ({error})", where=where) from error
    if not isinstance(parsed, dict):
        raise ModelError("a model card is a table of keys and values", where=where)
    return parsed


def _required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _typed(name: str, value: Any, where: str) -> Any:
    """The value as the card's type, or ModelError that says which type was expected."""
    if name in _LENGTHS:
        return _numbers(name, value, where)
    default = next(item.default for item in fields(ModelCard) if item.name == name)
    if name == "architecture_options":
        return _expect(name, value, dict, "a table", where)
    if isinstance(default, bool):
        return _expect(name, value, bool, "true or false", where)
    if isinstance(default, int):
        return int(_number(name, value, where, whole=True))
    if isinstance(default, float):
        return _number(name, value, where)
    return _expect(name, value, str, "a string", where)


def _expect(name: str, value: Any, kind: type, what: str, where: str) -> Any:
    if not isinstance(value, kind):
        raise ModelError(f"{name} is {value!r}", where=where, expected=what)
    return value


def _numbers(name: str, value: Any, where: str) -> tuple[float, ...]:
    length = _LENGTHS[name]
    if not isinstance(value, list | tuple) or (length is not None and len(value) != length):
        raise ModelError(f"{name} is {value!r}", where=where, expected=f"a list of {length or 'channel'} numbers")
    return tuple(_number(name, item, where, whole=name in _INTEGER_LISTS) for item in value)


def _number(name: str, value: Any, where: str, *, whole: bool = False) -> float:
    fits = isinstance(value, int) if whole else isinstance(value, int | float) and math.isfinite(value)
    if isinstance(value, bool) or not fits:
        raise ModelError(f"{name} holds {value!r}", where=where, expected="a whole number" if whole else "a number")
    return int(value) if whole else float(value)


def _check_values(card: ModelCard, where: str) -> None:
    for name, allowed in _CHOICES.items():
        if getattr(card, name) not in allowed:
            raise ModelError(f"{name} is {getattr(card, name)!r}", where=where, expected="one of " + ", ".join(allowed))
    if card.resize == "fixed" and card.input_size_px is None:
        raise ModelError("resize is 'fixed'", where=where, expected="input_size_px = [height, width]")
    sizes = (card.multiple_px, card.stride_px, *(card.input_size_px or ()))
    if min(sizes) < 1 or min(card.std) <= 0 or card.input_scale <= 0 or min(card.drop_channels, default=0) < 0:
        raise ModelError("a size, std, input_scale or channel is not positive", where=where)
    if card.weights != Path(card.weights).name:
        raise ModelError(f"weights is {card.weights!r}", where=where, expected="the name of a file beside the card")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    raise ModelError(f"{value!r} has no place in a model card", expected="strings, numbers, lists and tables")
