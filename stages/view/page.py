"""One self-contained HTML page: no script, no other file, and nothing from a dataset goes in unescaped."""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.markup import Markup, joined, tag
from paintpipe.stages.view.page_style import CSS

_T = TypeVar("_T")
_NUMBER = re.compile(r"[-+]?(?!0[0-9])[0-9][0-9,]*(\.[0-9]*)?(e[-+]?[0-9]+)?( ?(%|[kMGT]?B?|s))?")
"""A number, with or without one of the units that pages use; `000015` is a name."""
_LONG = 30
"""Letters that a cell may have in one line."""
_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page has no script and loads nothing; a browser is told so, should a name ever slip through."""


@dataclass(frozen=True)
class Heading:
    """A heading, and an anchor in the list of contents."""

    text: str


@dataclass(frozen=True)
class Subheading:
    """A heading below another, with no anchor."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; an empty line in it begins another."""

    text: str


@dataclass(frozen=True)
class Notice:
    """A paragraph that stands out: something is missing, and what mends it."""

    text: str


@dataclass(frozen=True)
class Bar:
    """A cell with a number and, below it, a bar as long as its share of the whole; `color` is CSS's."""

    text: str
    share: float
    color: str = "var(--accent)"


@dataclass(frozen=True)
class Swatch:
    """A cell with a name behind its colour."""

    text: str
    color: str


Cell = str | Bar | Swatch


@dataclass(frozen=True)
class Table:
    """Rows of cells; a column whose cells are all numbers, `–` or empty is aligned right."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """The bytes of a PNG or JPEG file, shown as wide as the page allows."""

    data: bytes
    caption: str
    alt: str


@dataclass(frozen=True)
class Drawing:
    """An SVG element; `wide` ones scroll sideways on a phone instead of shrinking beyond reading."""

    svg: Markup
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Cards:
    """Figures that are read first: (what, how much, and in small print)."""

    cards: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Links:
    """(text, path) of pages that lie beside this one or below it."""

    links: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Code:
    """Commands or file content, in a fixed pitch."""

    text: str


@dataclass(frozen=True)
class Columns:
    """Sections beside each other where there is room, below each other on a phone."""

    sections: Sequence["Section"]


@dataclass(frozen=True)
class Details:
    """Sections that open with a click."""

    summary: str
    sections: Sequence["Section"]


Section = Heading | Subheading | Text | Notice | Table | Picture | Drawing | Cards | Links | Code | Columns | Details


def html_page(title: str, sections: Sequence[Section], subtitle: str = "", above: str = "paintpipe") -> str:
    """A whole HTML document that shows the sections in order, in light or dark as the reader's system is.

    Args:
        title: of the page.
        sections: its content.
        subtitle: below the title.
        above: a word or two over the title, beside the mark.

    Raises:
        ConfigError: a picture is neither PNG nor JPEG, or a table's row is not as long as its header.
    """
    named = [(section, f"s{number}") for number, section in enumerate(sections)]
    links = [tag("a", section.text, href=f"#{anchor}") for section, anchor in named if isinstance(section, Heading)]
    lead = [tag("p", subtitle, class_="lead")] if subtitle else []
    contents = [tag("nav", *links, aria_label="Contents")] if len(links) > 1 else []
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", **{"http-equiv": "Content-Security-Policy"}, content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(CSS)),
    )
    header = tag("header", tag("div", _mark(), above, class_="above"), tag("h1", title), *lead, *contents)
    body = tag("body", header, tag("main", *_lines(_section(section, anchor) for section, anchor in named)))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _mark() -> Markup:
    """Points that took colours."""
    dots = (tag("circle", cx=4 + 7 * number, cy=9 - 4 * (number % 2), r=3, class_=f"m{number}") for number in range(4))
    return tag("svg", *dots, width=30, height=14, viewBox="0 0 30 14", aria_hidden="true")


def _lines(parts: Iterable[Markup]) -> Iterator[Markup]:
    for part in parts:
        yield from (Markup("\n"), part)


def _section(section: Section, anchor: str = "") -> Markup:
    match section:
        case Heading(text):
            return tag("h2", text, id=anchor)
        case Subheading(text):
            return tag("h3", text)
        case Text(text):
            return joined(*(tag("p", part.strip()) for part in text.split("\n\n") if part.strip()))
        case Notice(text):
            return tag("p", text, class_="notice", role="note")
        case Table():
            return _table(section)
        case Picture():
            return _picture(section)
        case Drawing():
            return _drawing(section)
        case Cards(cards):
            return tag("dl", *(_card(*card) for card in cards), class_="cards")
        case Links(links):
            return tag("p", *(tag("a", words, href=quote(path)) for words, path in links), class_="links")
        case Code(text):
            return tag("pre", tag("code", text), tabindex=0)
        case Columns(inner):
            return tag("div", *(tag("div", _section(one)) for one in inner), class_="columns")
        case Details(summary, inner):
            return tag("details", tag("summary", summary), *map(_section, inner))


def _card(what: str, figure: str, note: str) -> Markup:
    small = [tag("dd", note, class_="note")] if note else []
    return tag("div", tag("dt", what), tag("dd", figure), *small)


def _picture(picture: Picture) -> Markup:
    kind = next((kind for start, kind in _TYPES.items() if picture.data.startswith(start)), "")
    if not kind:
        raise ConfigError(f"picture {picture.caption!r} can't be shown", expected="the bytes of a PNG or JPEG file")
    address = f"data:{kind};base64,{base64.b64encode(picture.data).decode('ascii')}"
    caption = [tag("figcaption", picture.caption)] if picture.caption else []
    shown = tag("div", tag("img", src=address, alt=picture.alt), class_="picture", tabindex=0)
    return tag("figure", shown, *caption)


def _drawing(drawing: Drawing) -> Markup:
    caption = [tag("figcaption", drawing.caption)] if drawing.caption else []
    shown = _scrolled(drawing.svg, drawing.caption) if drawing.wide else drawing.svg
    return tag("figure", shown, *caption, class_="drawing wide" if drawing.wide else "drawing")


def _scrolled(content: Markup, label: str) -> Markup:
    """What may be wider than a phone; it takes the focus, so that arrow keys move it."""
    return tag("div", content, class_="scroll", tabindex=0, role="region", aria_label=label or "table")


def _table(table: Table) -> Markup:
    for number, cells in enumerate(table.rows):
        if len(cells) != len(table.header):
            raise ConfigError(f"row {number} of a table has {len(cells)} cells", expected=f"{len(table.header)}")
    sides = [_numeric(column) for column in _columns(table)]
    head = (tag("th", name, scope="col", class_="n" if side else None) for name, side in _pairs(table.header, sides))
    rows = (
        tag("tr", *(tag("td", _cell(cell), class_=_class(cell, side)) for cell, side in _pairs(cells, sides)))
        for cells in table.rows
    )
    # The words stay in sight while a phone scrolls the table beneath them.
    caption = [tag("caption", tag("span", table.caption))] if table.caption else []
    content = tag("table", *caption, tag("thead", tag("tr", *head)), tag("tbody", *_lines(rows)))
    return _scrolled(content, table.caption)


def _pairs(cells: Sequence[_T], sides: Sequence[bool]) -> Iterator[tuple[_T, bool]]:
    return zip(cells, sides, strict=True)


def _columns(table: Table) -> list[list[str]]:
    return [[_words(cells[place]) for cells in table.rows] for place in range(len(table.header))]


def _words(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def _cell(cell: Cell) -> str:
    match cell:
        case Bar(text, share, color):
            width = min(1.0, max(0.0, share)) * 100
            bar = tag("span", class_="bar", style=f"width:{width:.1f}%;background:{color}", aria_hidden="true")
            return joined(text, tag("span", bar, class_="track"))
        case Swatch(text, color):
            return joined(tag("span", class_="swatch", style=f"background:{color}", aria_hidden="true"), text)
        case _:
            return cell


def _numeric(cells: Sequence[str]) -> bool:
    words = [cell for cell in map(str.strip, cells) if cell not in {"", "–", "-"}]
    return bool(words) and all(_NUMBER.fullmatch(cell) for cell in words)


def _class(cell: Cell, numeric: bool) -> str | None:
    """How a cell is set: numbers to the right, and only long words in several lines."""
    return "n" if numeric else ("long" if len(_words(cell)) > _LONG else None)
