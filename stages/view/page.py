"""One self-contained HTML page: no script, no other file, and nothing from a dataset goes in unescaped."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.view.page_style import CSS

_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class Heading:
    """A heading, and an anchor in the list of contents."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; an empty line in it begins another."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells; a column whose cells are all numbers, `–` or empty is aligned right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """The bytes of a PNG or JPEG file, shown as wide as the page allows."""

    data: bytes
    caption: str
    alt: str


@dataclass(frozen=True)
class Code:
    """Commands or file content, in a fixed pitch."""

    text: str


Section = Heading | Text | Table | Picture | Code


def html_page(title: str, sections: Sequence[Section], subtitle: str = "") -> str:
    """A whole HTML document that shows the sections in order, in light or dark as the reader's system is.

    Raises:
        ConfigError: a picture is neither PNG nor JPEG, or a table's row is not as long as its header.
    """
    named = [(section, f"s{number}") for number, section in enumerate(sections)]
    headings = [(section.text, anchor) for section, anchor in named if isinstance(section, Heading)]
    links = "".join(f'<a href="#{anchor}">{escape(text)}</a>' for text, anchor in headings)
    body = "\n".join(_section(section, anchor) for section, anchor in named)
    lead = f'<p class="lead">{escape(subtitle)}</p>' if subtitle else ""
    contents = f"<nav>{links}</nav>" if len(headings) > 1 else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1>{lead}{contents}</header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section, anchor: str) -> str:
    match section:
        case Heading(text):
            return f'<h2 id="{anchor}">{escape(text)}</h2>'
        case Text(text):
            return "".join(f"<p>{escape(part.strip())}</p>" for part in text.split("\n\n") if part.strip())
        case Table():
            return _table(section)
        case Picture():
            return _picture(section)
        case Code(text):
            return f"<pre><code>{escape(text)}</code></pre>"


def _picture(picture: Picture) -> str:
    kind = next((kind for start, kind in _TYPES.items() if picture.data.startswith(start)), "")
    if not kind:
        raise ConfigError(f"picture {picture.caption!r} can't be shown", expected="the bytes of a PNG or JPEG file")
    address = f"data:{kind};base64,{base64.b64encode(picture.data).decode('ascii')}"
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    return f'<figure><img src="{address}" alt="{escape(picture.alt)}" loading="lazy">{caption}</figure>'


def _table(table: Table) -> str:
    for number, cells in enumerate(table.rows):
        if len(cells) != len(table.header):
            raise ConfigError(f"row {number} of a table has {len(cells)} cells", expected=f"{len(table.header)}")
    sides = [' class="n"' if _numeric(column) else "" for column in _columns(table)]
    head = "".join(f"<th{side}>{escape(name)}</th>" for name, side in zip(table.header, sides, strict=True))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{side}>{escape(cell)}</td>" for cell, side in zip(cells, sides, strict=True)) + "</tr>"
        for cells in table.rows
    )
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _columns(table: Table) -> list[list[str]]:
    return [[cells[place] for cells in table.rows] for place in range(len(table.header))]


def _numeric(cells: Sequence[str]) -> bool:
    bare = [cell.strip().rstrip("%").replace(",", "").replace(" ", "") for cell in cells]
    words = [cell for cell in bare if cell not in {"", "–", "-"}]
    return bool(words) and all(_is_number(cell) for cell in words)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
