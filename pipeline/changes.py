"""Naming what differs between two sets of inputs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_SHOWN = 6


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text. Raises TypeError, ValueError (NaN)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(inputs: Mapping[str, Any]) -> str:
    """The sha256, in hexadecimal, of a JSON-ready mapping."""
    return hashlib.sha256(canonical_json(inputs).encode()).hexdigest()


def explain_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs, such as `settings.projection: default → openpcdet; weights: 0918c833… → a72d5969…`, "" if nothing.

    Nested keys, and places in lists of records, are joined with dots, long values cut, and of many differences the
    first few named.
    """
    before, after = _flat(old), _flat(new)
    differing = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
    shown = [f"{key}: {_short(before.get(key))} → {_short(after.get(key))}" for key in differing[:_SHOWN]]
    more = len(differing) - len(shown)
    return "; ".join([*shown, f"and {more} more"] if more else shown)


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, list) and item and all(isinstance(each, Mapping) for each in item):
            flat |= _flat({str(at): each for at, each in enumerate(item)}, f"{prefix}{key}.")
        elif isinstance(item, Mapping) and item:
            flat |= _flat(item, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = item if isinstance(item, str) else canonical_json(item)
    return flat


def _short(text: str | None) -> str:
    if text is None:
        return "(none)"
    if len(text) >= 32 and all(letter in "0123456789abcdef" for letter in text):
        return f"{text[:8]}…"
    return text if len(text) <= 60 else f"{text[:57]}…"
