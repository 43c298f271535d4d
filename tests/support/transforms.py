"""Transforms of items that a spawned worker can import: test modules can't be."""

from typing import Any


def mark_points(item: dict[str, Any]) -> dict[str, Any]:
    """Adds the largest height: the same however many threads look for it."""
    return {**item, "height": item["points"][:, 2].max()}
