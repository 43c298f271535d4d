"""Paths with `{sequence}` and `{frame}` in them, and the files of a root that fit such a path."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest.checks import join, list_dir

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAMES = ("sequence", "frame")


@dataclass(frozen=True)
class Pattern:
    """A path relative to the root, such as `{sequence}/lidar/{frame}.bin`."""

    text: str

    @property
    def names(self) -> set[str]:
        """The placeholders in it."""
        return set(_PLACEHOLDER.findall(self.text))

    def fill(self, **values: str) -> str:
        """The path with placeholders replaced."""
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.text)


def parse_pattern(text: str, key: str, needed: set[str], allowed: set[str]) -> Pattern:
    """A checked pattern.

    Raises:
        ConfigError: it is not relative, or holds the wrong placeholders.
    """
    pattern = Pattern(text)
    parts = text.split("/")
    if text.startswith("/") or "\\" in text or ".." in parts or "" in parts:
        raise ConfigError(f"{text!r} is no good", where=key, expected="a path below `root`, with / between folders")
    if not needed <= pattern.names <= allowed or set("{}") & set(_PLACEHOLDER.sub("", text)):
        listed = ", ".join(f"{{{name}}}" for name in _NAMES if name in needed)
        expected = (
            f"{listed or 'no placeholder'} in it" if needed == allowed else f"{listed} in it, or {{sequence}} too"
        )
        raise ConfigError(f"{text!r} is no good", where=key, expected=expected)
    return pattern


def find_files(root: Root, pattern: Pattern, default_sequence: str) -> dict[str, dict[str, str]]:
    """Sequence → frame → path of all files that fit; both in natural order (2 before 10).

    Each folder is listed once. A folder that a name in the pattern leads to is not checked to be there.
    """
    found: dict[str, dict[str, str]] = {}
    for values, path in _walk(root, pattern.text.split("/"), "", {}):
        found.setdefault(values.get("sequence", default_sequence), {})[values["frame"]] = path
    return {name: dict(sorted(frames.items(), key=_natural)) for name, frames in sorted(found.items())}


def _walk(root: Root, parts: list[str], folder: str, values: dict[str, str]) -> Iterator[tuple[dict[str, str], str]]:
    if not parts:
        yield values, folder
        return
    if not _PLACEHOLDER.search(parts[0]):
        yield from _walk(root, parts[1:], join(folder, parts[0]), values)
        return
    regex = _regex(parts[0], values)
    for name in list_dir(root, folder):
        if match := regex.fullmatch(name):
            yield from _walk(root, parts[1:], join(folder, name), {**values, **match.groupdict()})


def _regex(part: str, known: dict[str, str]) -> re.Pattern[str]:
    """One component as an expression; a placeholder that is known already stands for its value."""
    pieces, seen = [], set(known)
    for at, piece in enumerate(_PLACEHOLDER.split(part)):
        if at % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece in known:
            pieces.append(re.escape(known[piece]))
        else:
            pieces.append(f"(?P={piece})" if piece in seen else f"(?P<{piece}>.+)")
            seen.add(piece)
    return re.compile("".join(pieces))


def _natural(item: tuple[str, str]) -> list[tuple[int, str]]:
    """Sorts runs of digits by their value, and what ties by its text."""
    words = re.split(r"(\d+)", item[0])
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in words] + [(-1, item[0])]
