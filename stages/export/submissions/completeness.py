"""What a submission lacks: servers take whole splits only."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

PATH = "completeness.json"


@dataclass(frozen=True)
class Part:
    """Scans of one sequence or split: how many there should be, how many are here, and which lack (where known)."""

    expected: int
    exported: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completeness:
    """What is there and what is not.

    Attributes:
        parts: by the name of what a server counts: `sequence 11`, or a split.
        missing_sequences: those of the exported splits of which nothing is here.
        not_official: exported sequences that belong to no official split.
    """

    parts: Mapping[str, Part]
    missing_sequences: tuple[str, ...] = ()
    not_official: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether a server would find all that it looks for."""
        whole = all(part.exported == part.expected for part in self.parts.values())
        return bool(self.parts) and whole and not self.missing_sequences

    def to_json(self) -> bytes:
        """For `completeness.json`."""
        content = {"complete": self.complete, **asdict(self)}
        return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()

    def lines(self) -> list[str]:
        """What is missing, for people; [] where nothing is."""
        found = [_line(name, part) for name, part in self.parts.items() if part.exported != part.expected]
        if self.missing_sequences:
            found.append(f"nothing of {len(self.missing_sequences)} sequences: {_listed(self.missing_sequences)}")
        if self.not_official:
            found.append(f"of no official split: {_listed(self.not_official)}")
        return found

    def notes(self) -> list[str]:
        """`lines` with a head, for the command."""
        lines = self.lines()
        head = "servers take whole splits only; of what this export has a part of, there is:"
        return [head, *(f"  {line}" for line in lines)] if lines else []


def _line(name: str, part: Part) -> str:
    which = f": {_listed(part.missing)}" if part.missing else ""
    return f"{name}: {part.exported} of {part.expected} scans{which and ', missing'}{which}"


def _listed(names: Iterable[str], most: int = 5) -> str:
    every = list(names)
    return ", ".join(every[:most]) + (", …" if len(every) > most else "")
