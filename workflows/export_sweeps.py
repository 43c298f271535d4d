"""Reading the sweeps before a keyframe from the painted store, each once for all the keyframes of a shard."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.catalog import DatasetInfo, FrameRow
from paintpipe.schemas.export import ExportSweep
from paintpipe.stages.export.sweeps import export_sweep
from paintpipe.workflows.catalog import Catalog


class HasScores(Protocol):
    """What is read of a frame, at least: (N, F) points and (N, C) scores, mapped and chosen as the export asks."""

    @property
    def points(self) -> Float32:
        """(N, F) as published."""
        ...

    @property
    def scores(self) -> Float32:
        """(N, C)."""
        ...


P = TypeVar("P", bound=HasScores)


def first_frame_needed(catalog: Catalog, sequence: str, start: int, stop: int, count: int) -> int:
    """Index of the earliest frame that keyframes among `start` to `stop` (exclusive) have among their `count` sweeps.

    A task that exports these frames carries the catalog's rows from there on, beyond the border of its shard.
    """
    wanted = _wanted(catalog, sequence, start, stop, count)
    if not wanted:
        return start
    earlier = catalog.column("frames", sequence, "sweep_token", 0, start)
    return next((index for index, token in enumerate(earlier) if token in wanted), start)


def missing_sweeps_hint(info: DatasetInfo, count: int) -> str:
    """A line for the user where sweeps are asked for and the catalog was made without them, else ""."""
    if not count or info.options.get("sweeps"):
        return ""
    return (
        f"the catalog has keyframes only, and {count} sweeps before each are wanted: run `paintpipe ingest "
        f"{info.dataset} … --sweeps` and `paintpipe paint`, or export with --sweeps 0"
    )


@dataclass
class SweepLoader(Generic[P]):
    """The sweeps before the keyframes of one shard; one thread at a time uses an instance.

    Attributes:
        catalog: rows of the shard's frames and of those from `first_frame_needed` on.
        sequence: of the shard.
        start: first index to look at, from `first_frame_needed`.
        stop: end of the shard.
        count: sweeps wanted before each keyframe.
        read: reads a frame, None where it could not be read; one that several keyframes share is read once.
    """

    catalog: Catalog
    sequence: str
    start: int
    stop: int
    count: int
    read: Callable[[FrameRow], P | None]
    _rows: dict[str, FrameRow] = field(default_factory=dict, init=False, repr=False)
    _read: dict[int, P | None] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.count:
            rows = self.catalog.frames(self.sequence, self.start, self.stop)
            self._rows = {row.sweep_token: row for row in rows if row.sweep_token}

    def painted(self, row: FrameRow) -> P | None:
        """What is read of a frame, or remembered; for the shard's own frames too, which are its keyframes' sweeps."""
        if row.index in self._read:
            return self._read[row.index]
        found = self._read[row.index] = self.read(row)
        while len(self._read) > self.count + 1:  # a keyframe and its sweeps; frames come in order of time
            del self._read[min(self._read)]
        return found

    def load_sweeps(self, row: FrameRow) -> tuple[ExportSweep, ...]:
        """Up to `count` sweeps before a keyframe, nearest first; those that are not painted are left out.

        A frame between keyframes has none: targets give sweeps to keyframes alone.

        Raises:
            ExportError: a pose or a time is unknown.
        """
        if not row.is_keyframe:
            return ()
        rows = [self._rows[token] for token in row.previous_sweeps[: self.count] if token in self._rows]
        # Earliest first: the ones that the keyframe before shares are remembered still.
        painted = {sweep.index: self.painted(sweep) for sweep in reversed(rows)}
        found = [(sweep, painted[sweep.index]) for sweep in rows]
        return tuple(export_sweep(row, sweep, p.points, p.scores) for sweep, p in found if p is not None)


def _wanted(catalog: Catalog, sequence: str, start: int, stop: int, count: int) -> set[str]:
    tokens = catalog.column("frames", sequence, "previous_sweeps", start, stop)
    keyframes = catalog.column("frames", sequence, "is_keyframe", start, stop)
    return {token for row, is_key in zip(tokens, keyframes, strict=True) if is_key for token in (row or [])[:count]}
