"""Strict reading of a TOML table: every key is asked for once, and what nobody asked for is a mistake."""

from typing import Any, TypeVar

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.ingest.kitti_text import MAX_NUMBER

T = TypeVar("T")
_KINDS: dict[object, str] = {str: "a text", list: "a list", dict: "a table"}


class Table:
    """One table of a specification.

    Args:
        values: as `tomllib` gives them.
        where: the table's own key, such as `cameras.front`, "" for the whole file.
    """

    def __init__(self, values: dict[str, Any], where: str = "") -> None:
        self._left = dict(values)
        self.where = where

    def key(self, name: str) -> str:
        """The full key of an entry, for messages."""
        return f"{self.where}.{name}" if self.where else name

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        """An entry of a kind; without a default it must be there.

        Raises:
            ConfigError: it is missing, or of another kind.
        """
        if name not in self._left:
            if default is None:
                raise ConfigError("missing", where=self.key(name), expected=_KINDS[kind])
            return default
        value = self._left.pop(name)
        if not isinstance(value, kind):
            raise ConfigError(f"{shown(value)} is no good", where=self.key(name), expected=_KINDS[kind])
        return value

    def take_one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        """An entry out of a few, the first of which is the default; raises ConfigError for another one."""
        value = self.take(name, str, allowed[0])
        if value not in allowed:
            raise ConfigError(f"unknown value {value!r}", where=self.key(name), expected="one of " + ", ".join(allowed))
        return value

    def take_matrix(self, name: str, *shapes: tuple[int, int]) -> Float64:
        """A float64 matrix of one of some shapes, written as a list of rows; raises ConfigError."""
        expected = " or ".join(f"{rows} rows of {columns} finite numbers" for rows, columns in shapes)
        value = self.take(name, list)
        try:
            matrix = np.array(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            raise ConfigError("not a matrix", where=self.key(name), expected=expected) from None
        if matrix.shape not in shapes or not (np.abs(matrix) <= MAX_NUMBER).all():
            found = "x".join(str(length) for length in matrix.shape)
            what = f"a {found} matrix, or a number above {MAX_NUMBER:g} or not finite"
            raise ConfigError(what, where=self.key(name), expected=expected)
        return matrix

    def take_table(self, name: str) -> "Table | None":
        """A table inside this one, None where it is left out."""
        return Table(self.take(name, dict), self.key(name)) if name in self._left else None

    def finish(self) -> None:
        """Say that all is read; raises ConfigError where an entry is left."""
        for name in self._left:
            raise ConfigError(
                "unknown key", where=self.key(name), expected="see `paintpipe ingest custom --write-spec`"
            )


def shown(value: Any) -> str:
    """A value of a TOML file in words."""
    try:
        return repr(value)
    except (ValueError, RecursionError):  # a number too long to be written in decimals, tables nested by the hundred
        return f"a {type(value).__name__}"
