"""Taxonomies and mappings from the TOML files under `data/`."""

import tomllib
from collections.abc import Mapping as MappingType
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import Mapping, Taxonomy
from paintpipe.stages.taxonomies.assemble import WITH_OTHER, assemble_mapping, with_other
from paintpipe.stages.taxonomies.parse import parse_taxonomy


def taxonomy_names() -> tuple[str, ...]:
    """Names of all taxonomies that come with paintpipe, sorted."""
    return tuple(sorted(name.removeprefix("taxonomy-") for name in _names("taxonomy-")))


@cache
def load_taxonomy(name: str) -> Taxonomy:
    """The taxonomy of a name; `NAME+other` is NAME with the class `other` at its end.

    Raises:
        TaxonomyError: there is no such taxonomy.
    """
    base = name.removesuffix(WITH_OTHER)
    if base not in taxonomy_names():
        raise TaxonomyError(f"no taxonomy is called {name!r}", expected="one of " + ", ".join(taxonomy_names()))
    taxonomy = parse_taxonomy(_text(f"taxonomy-{base}"), f"taxonomy-{base}.toml")
    return with_other(taxonomy) if name.endswith(WITH_OTHER) else taxonomy


@cache
def box_classes(name: str) -> MappingType[str, tuple[int, ...]]:
    """For each box category, which channels of the taxonomy are right for a point inside such a box.

    Comes from the `[boxes]` table of the taxonomy's file, where a category may have several classes (a KITTI cyclist
    is rider and bicycle), else from the aliases, and else a category called as a class is that class. A category that
    is not a key has no class in this taxonomy.

    Raises:
        TaxonomyError: there is no such taxonomy.
    """
    taxonomy = load_taxonomy(name)
    table = tomllib.loads(_text(f"taxonomy-{name.removesuffix(WITH_OTHER)}")).get("boxes", {})
    several = {category: tuple(taxonomy.classes.index(item) for item in names) for category, names in table.items()}
    own = {item: (channel,) for channel, item in enumerate(taxonomy.classes)}
    return own | {alias: own[target] for alias, target in taxonomy.aliases.items()} | several


def mapping_pairs() -> tuple[tuple[str, str], ...]:
    """All (source, target) pairs that have a mapping, sorted; every taxonomy also maps to itself."""
    return tuple(sorted(_files_by_pair()))


@cache
def load_mapping(source: str, target: str) -> Mapping:
    """The mapping between two taxonomies; the identity where they are the same.

    A source called `NAME+other` maps as NAME does, its `other` to the target's background or `other`.

    Raises:
        TaxonomyError: either is unknown, or there is no mapping between them; the message lists what there is.
    """
    origin, goal = load_taxonomy(source), load_taxonomy(target)
    if source == target:
        return Mapping(origin, goal, np.eye(len(origin)), origin="the same taxonomy")
    pair = source.removesuffix(WITH_OTHER), target.removesuffix(WITH_OTHER)
    if pair[0] == pair[1]:
        rows: dict[str, Any] = {name: name for name in load_taxonomy(pair[0]).classes}
        return assemble_mapping(origin, goal, {"classes": rows, "origin": "the same classes"}, source)
    if pair not in _files_by_pair():
        raise TaxonomyError(f"no mapping leads from {source!r} to {target!r}", expected=_what_there_is(pair[0]))
    stem = _files_by_pair()[pair]
    return assemble_mapping(origin, goal, tomllib.loads(_text(stem)), f"{stem}.toml")


@cache
def _files_by_pair() -> dict[tuple[str, str], str]:
    pairs: dict[tuple[str, str], str] = {}
    for stem in _names("mapping-"):
        data = tomllib.loads(_text(stem))
        pairs |= {(source, data["target"]): stem for source in data["sources"]}
    return pairs


def _what_there_is(source: str) -> str:
    from_here = [target for name, target in mapping_pairs() if name == source]
    return f"one of {', '.join(from_here)}" if from_here else f"{source} itself: no mapping leads from it"


def _names(prefix: str) -> list[str]:
    """Stems of the data files that begin with `prefix`."""
    names = (item.name for item in files(__package__).joinpath("data").iterdir())
    return [name.removesuffix(".toml") for name in names if name.startswith(prefix) and name.endswith(".toml")]


def _text(stem: str) -> str:
    """The text of one data file."""
    return files(__package__).joinpath("data", f"{stem}.toml").read_text(encoding="utf-8")
