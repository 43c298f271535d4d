"""What of a layer a figure was made from, so that it is not used after the layer has changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paintpipe.pipeline.changes import digest_of
from paintpipe.workflows.layers import Layer


@dataclass(frozen=True)
class Basis:
    """Some shards of a layer as they were.

    Attributes:
        shards: runs of shards, such as `08 0-4`: sequence, first and last.
        digest: of what went into them and what came out, and of whatever else decides the figure.
    """

    shards: tuple[str, ...]
    digest: str

    def holds(self, layer: Layer, also: Mapping[str, Any] | None = None) -> bool:
        """Whether these shards of the layer, and what else was named, still are what they were."""
        there = _fingerprints(layer)
        wanted = {place for run in self.shards for place in _places(run)}
        return bool(wanted) and wanted <= there.keys() and _digest(there, wanted, also) == self.digest


def basis_of(layer: Layer, runs: Iterable[tuple[str, int, int]], also: Mapping[str, Any] | None = None) -> Basis:
    """Of (sequence, start, stop) of frames; `also` is what else decides the figure, JSON-ready."""
    frames = list(runs)
    used = {
        (shard.sequence, shard.index)
        for shard in layer.shards
        if any(name == shard.sequence and first < shard.stop and shard.start < last for name, first, last in frames)
    }
    return Basis(tuple(_runs(sorted(used))), _digest(_fingerprints(layer), used, also))


def read_basis(shards: object, digest: object) -> Basis | None:
    """What was written down, None where that makes no sense."""
    if not isinstance(digest, str) or not isinstance(shards, list) or not all(map(_is_run, shards)):
        return None
    return Basis(tuple(shards), digest)


def _fingerprints(layer: Layer) -> dict[tuple[str, int], str]:
    pairs = zip(layer.shards, layer.fingerprints, strict=True)
    return {(shard.sequence, shard.index): fingerprint for shard, fingerprint in pairs}


def _digest(
    there: Mapping[tuple[str, int], str], used: Iterable[tuple[str, int]], also: Mapping[str, Any] | None
) -> str:
    shards = [[sequence, index, there[sequence, index]] for sequence, index in sorted(used)]
    return digest_of({"shards": shards, "also": dict(also or {})})


def _runs(places: Sequence[tuple[str, int]]) -> list[str]:
    runs: list[tuple[str, int, int]] = []
    for sequence, index in places:
        if runs and runs[-1][0] == sequence and runs[-1][2] == index - 1:
            runs[-1] = (sequence, runs[-1][1], index)
        else:
            runs.append((sequence, index, index))
    return [f"{sequence} {first}-{last}" for sequence, first, last in runs]


def _places(run: str) -> list[tuple[str, int]]:
    sequence, _, numbers = run.rpartition(" ")
    first, last = map(int, numbers.split("-"))
    return [(sequence, index) for index in range(first, last + 1)]


def _is_run(value: object) -> bool:
    """Whether it is such as `08 0-4`, and of no more shards than a sequence has."""
    if not isinstance(value, str):
        return False
    first, _, last = value.rpartition(" ")[2].partition("-")
    return (first + last).isascii() and first.isdigit() and last.isdigit() and len(first) <= 6 and len(last) <= 6
