"""What the marks of a store say, read and judged without the engine's own code."""

import hashlib
import json
from pathlib import Path
from typing import Any


def marks(folder: Path) -> dict[Path, dict[str, Any]]:
    """The marks below a ledger's folder that vouch for something: whole JSON with a right checksum."""
    found = {path: _mark(path) for path in sorted(folder.glob("**/[0-9]*.json")) if "runs" not in path.parts}
    return {path: mark for path, mark in found.items() if mark is not None}


def false_marks(store: Path, ledger: Path) -> list[str]:
    """Files that a mark vouches for and that are absent or hold something else."""
    return [
        f"{path.relative_to(ledger)} vouches for {name}"
        for path, mark in marks(ledger).items()
        for name, expected in mark["files"].items()
        if not _holds(store / name, expected)
    ]


def _holds(path: Path, expected: dict[str, Any]) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return len(content) == expected["size"] and hashlib.sha256(content).hexdigest() == expected["sha256"]


def _mark(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_bytes())
        told = content.pop("checksum")
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return content if hashlib.sha256(text.encode()).hexdigest() == told else None
