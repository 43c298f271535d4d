"""Numbers with their nouns, and how many of a long list are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from paintpipe.schemas.catalog import RejectedRow

FIRST_REJECTS = 20
"""Rejected files in the JSON of a command; tables and marks hold them all."""


@dataclass
class FirstRows:
    """The first of many rejected files, and how many there are.

    Attributes:
        first: rows in the order in which they came.
        count: of all.
    """

    first: list[RejectedRow] = field(default_factory=list)
    count: int = 0

    def add(self, rows: Sequence[RejectedRow]) -> None:
        """Count these, and keep those that there is room for."""
        self.count += len(rows)
        self.first += rows[: FIRST_REJECTS - len(self.first)]


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 sequence` and `7,481 frames`; nouns that only take an s."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
