"""A taxonomy from the text of its file."""

import tomllib
from typing import Any

from paintpipe.schemas.arrays import UNPAINTED
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import Taxonomy


def parse_taxonomy(text: str, where: str) -> Taxonomy:
    """A taxonomy from the text of a TOML file: `name`, `source`, `background` and one table a class.

    A class has `name`, `color_rgb` and, where it has any, `raw_ids` (ids in label files) and `aliases`.

    Raises:
        TaxonomyError: the text is no TOML, lacks a key, or contradicts itself; `where` is said in the message.
    """
    try:
        data = tomllib.loads(text)
        taxonomy = _build(data)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise TaxonomyError(f"not a taxonomy: {error}", where=where, expected="name, source and classes") from error
    wrong = _contradiction(taxonomy, data["classes"])
    if wrong:
        raise TaxonomyError(wrong, where=where)
    return taxonomy


def _build(data: dict[str, Any]) -> Taxonomy:
    rows = data["classes"]
    return Taxonomy(
        name=str(data["name"]),
        classes=tuple(str(row["name"]) for row in rows),
        colors_rgb=tuple((int(r), int(g), int(b)) for r, g, b in (row["color_rgb"] for row in rows)),
        background=data.get("background"),
        raw_ids={int(raw): index for index, row in enumerate(rows) for raw in row.get("raw_ids", [])},
        aliases={str(alias): str(row["name"]) for row in rows for alias in row.get("aliases", [])},
        source=str(data["source"]),
    )


def _contradiction(taxonomy: Taxonomy, rows: list[dict[str, Any]]) -> str:
    if len(set(taxonomy.classes)) != len(taxonomy.classes) or not 0 < len(taxonomy.classes) < UNPAINTED:
        return f"a class comes twice, or there are none, or more than {UNPAINTED - 1}"
    if len(taxonomy.raw_ids) != sum(len(row.get("raw_ids", [])) for row in rows):
        return "a raw id belongs to two classes"
    if len(taxonomy.aliases) != sum(len(row.get("aliases", [])) for row in rows):
        return "an alias belongs to two classes"
    if set(taxonomy.aliases) & set(taxonomy.classes):
        return "an alias is also a class"
    if any(not 0 <= value <= 255 for color in taxonomy.colors_rgb for value in color):
        return "a colour is outside 0 … 255"
    if taxonomy.background is not None and taxonomy.background not in taxonomy.classes:
        return f"the background {taxonomy.background!r} is no class"
    return ""
