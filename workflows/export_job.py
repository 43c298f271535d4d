"""Exporting as a job for executors: what a worker is told once, and what all parts share."""

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from time import perf_counter
from typing import Any, Protocol, cast

from paintpipe.pipeline.events import FrameRejected, ShardDone, StageTimed
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.ledger import FileSum, Ledger, Mark
from paintpipe.pipeline.store import layer_target
from paintpipe.pipeline.verify import verify_mark
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ChangedInputError, PaintpipeError
from paintpipe.schemas.source import Root
from paintpipe.stages.export.target import FrameTarget, SequenceTarget
from paintpipe.workflows.export_frames import FrameSource, ShardFrames
from paintpipe.workflows.export_plan import digest_of_mark
from paintpipe.workflows.export_tasks import ExportTask, PartDone
from paintpipe.workflows.terms import Terms

MOST_FAULTS = 20
"""Lines of one part: what is wrong with one frame is often wrong with all."""
DAMAGED = (OSError, ValueError, LookupError, TypeError, EOFError, struct.error)
"""What reading a damaged file raises in the libraries that targets use."""


class Work(Protocol):
    """One part under way."""

    def export(self) -> PartDone:
        """Write, read back, mark."""
        ...

    def check(self) -> PartDone:
        """Read back what is there."""
        ...


@dataclass(frozen=True)
class ExportJob:
    """Exporting parts, in this process or another.

    Attributes:
        target: the format.
        source: of the frames; the list of the layer's shards stays behind.
        out: the export's folder.
        ledger: its marks.
        terms: what a worker elsewhere must share; None where all work is done in this process.
        check_only: read back what is exported, and write nothing.
    """

    target: FrameTarget | SequenceTarget
    source: FrameSource
    out: LocalFolder
    ledger: Ledger
    terms: Terms | None
    check_only: bool = False

    def setup(self, emit: Emit) -> Callable[[ExportTask], PartDone]:
        """See `Job.setup`. Raises WorkerMismatchError."""
        from paintpipe.workflows.export_parts import FramesPart, SequencePart
        from paintpipe.workflows.export_targets import by_sequence

        if self.terms is not None:
            self.terms.check(cast("Root", self.source.root), self.ledger, emit)  # without a root it names no file

        def work(task: ExportTask) -> PartDone:
            part: Work = SequencePart(self, task, emit) if by_sequence(self.target) else FramesPart(self, task, emit)
            return part.check() if self.check_only else part.export()

        return work

    def __reduce__(self) -> tuple[Any, ...]:
        source = replace(self.source, layer=replace(self.source.layer, shards=()))
        return ExportJob, (self.target, source, self.out, self.ledger, self.terms, self.check_only)

    def frames(self, task: ExportTask) -> ShardFrames:
        """What reads the part's frames."""
        shard, part = task.part.shard, task.part
        return ShardFrames(
            self.source, task.catalog, shard.sequence, part.first, shard.stop, points_stored=bool(part.points)
        )

    def check_unchanged(self, task: ExportTask) -> None:
        """Raises ChangedInputError where the layer was painted anew while this part was read."""
        opened, part = self.source.opened, task.part
        for index, digest in part.painted.items():
            mark = opened.mark(
                layer_target(self.source.layer.name), part.shard.sequence, index * opened.store.frames_per_shard
            )
            if mark is None or digest_of_mark(mark) != digest:
                what = f"layer {self.source.layer.name} was painted anew while it was exported"
                raise ChangedInputError(what, where=str(task), todo="run the same command again, with --overwrite")

    def record(self, task: ExportTask, files: dict[str, FileSum], rows: Iterable[int], rejects: dict[int, str]) -> Mark:
        """Mark a part whose files are there."""
        mark = Mark(self.target.name, task.part.shard, task.inputs, files, tuple(rows), rejects)
        self.ledger.record(mark)
        return mark

    def whole(self, task: ExportTask) -> tuple[Mark | None, list[str]]:
        """The part's mark, and a line for each of its files that is not as it was written."""
        mark = self.ledger.done(self.target.name, task.part.shard)
        if mark is None:
            return None, [f"{task}: is not exported"]
        return mark, [
            f"{problem.where}: {problem.what}" for problem in islice(verify_mark(self.out, mark), MOST_FAULTS)
        ]


def where_of(row: FrameRow) -> str:
    """A frame as messages name it."""
    return f"{row.sequence}/{row.frame_id}"


def told(lines: Callable[[], Iterator[str]], where: str) -> Iterator[str]:
    """The faults that a target finds, each with its frame; what it can't read at all is a fault as well."""
    try:
        for line in lines():
            yield f"{where}: {line}"
    except PaintpipeError as error:
        yield f"{where}: {error.line()}"
    except DAMAGED as error:
        yield f"{where}: can't be read back ({type(error).__name__}: {error})"


@contextmanager
def timed(emit: Emit, stage: str) -> Iterator[None]:
    """Emit how long the block took."""
    begin = perf_counter()
    try:
        yield
    finally:
        emit(StageTimed(stage, perf_counter() - begin))


def tell(emit: Emit, task: ExportTask, target: str, done: PartDone) -> PartDone:
    """Emit what became of a part."""
    shard = task.part.shard
    for frame_id, reason in done.rejects.items():
        emit(FrameRejected(shard.sequence, frame_id, reason))
    emit(ShardDone(target, shard.sequence, shard.index, done.frames, done.num_bytes))
    return done
