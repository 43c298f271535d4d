"""HTML and SVG as strings that know what they are: text becomes markup by `tag` alone, which escapes it.

No template engine: half of a page is drawings whose shapes are computed, and with a type for what is already escaped
mypy and one short function see to what autoescape would.
"""

from html import escape

_VOID = {"br", "img", "meta"}


class Markup(str):
    """A string that is well-formed HTML or SVG; any other string is text."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | float | bool | None) -> Markup:
    """An element: children that are not `Markup` are escaped, and so is every attribute's value.

    Args:
        name: of the element.
        children: content in order.
        attributes: a trailing underscore is dropped (`class_`) and others become hyphens (`aria_label`); None and False
            leave the attribute out, True gives it no value, numbers lose needless digits.
    """
    given = ((key, value) for key, value in attributes.items() if value is not None and value is not False)
    words = "".join(f" {_name(key)}{_value(value)}" for key, value in given)
    if name in _VOID:
        return Markup(f"<{name}{words}>")
    return Markup(f"<{name}{words}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Pieces behind each other, escaped where they are text."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float | bool | None) -> str:
    if value is True:
        return ""
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f'="{escape(text)}"'
