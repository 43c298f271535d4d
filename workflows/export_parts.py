"""One part of an export under way: frames in, files out, read back and compared, and only then marked."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, cast

from paintpipe.pipeline.events import FrameDone, ShardStarted
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.following import write_followed
from paintpipe.pipeline.ledger import FileSum
from paintpipe.pipeline.overlap import prefetch
from paintpipe.pipeline.publish import publish, published_stream
from paintpipe.schemas.errors import ExportError, InputFileError, PointsError, StoreError
from paintpipe.schemas.export import ExportFrame
from paintpipe.stages.export.target import FrameTarget, SequenceTarget
from paintpipe.workflows.export_frames import ShardFrames
from paintpipe.workflows.export_job import MOST_FAULTS, ExportJob, tell, timed, told, where_of
from paintpipe.workflows.export_sums import file_sums
from paintpipe.workflows.export_tasks import ExportTask, PartDone, check_path, check_paths, encode_facts, facts_path


@dataclass
class FramesPart:
    """A part of a target that writes files for each frame."""

    job: ExportJob
    task: ExportTask
    emit: Emit
    files: dict[str, FileSum] = field(default_factory=dict)
    facts: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    rejects: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def target(self) -> FrameTarget:
        """The format."""
        return cast("FrameTarget", self.job.target)

    def export(self) -> PartDone:
        """The frames' files, whole and durable; then read back and compared; then the mark."""
        job, task = self.job, self.task
        self.emit(ShardStarted(job.target.name, task.part.shard.sequence, task.part.shard.index))
        self.rejects |= task.part.rejects
        files: dict[str, bytes] = {}
        written = list(self._written(files))
        files[facts_path(task.part.shard)] = encode_facts(self.facts)
        with timed(self.emit, "publish"):
            publish(job.out.path, files, together=True)
            self.files |= file_sums(files)
        for frame in written:
            with timed(self.emit, "check"):
                self._compare(frame)
            self.emit(FrameDone(frame.row.sequence, frame.row.index))
        job.check_unchanged(task)
        if not self.faults:
            job.record(task, self.files, self.rows, self.rejects)
        return tell(self.emit, task, job.target.name, self._done())

    def check(self) -> PartDone:
        """Every file against its hash, and each frame against the store."""
        mark, self.faults = self.job.whole(self.task)
        if mark is None:
            return self._done()
        self.rejects |= mark.rejects
        frames = self.job.frames(self.task)
        for index in self.task.part.frames:
            if index not in mark.rejects:
                frame = self._frame(frames, index)
                if frame is not None:
                    self.rows.append(len(frame.points))
                    self._compare(frame)
            self.emit(FrameDone(self.task.part.shard.sequence, index))
        return self._done()

    def _frame(self, frames: Any, index: int) -> ExportFrame | None:
        try:
            with timed(self.emit, "read"):
                frame: ExportFrame = frames(index)
        except (PointsError, ExportError) as error:
            self.rejects[index] = error.line()
            return None
        return frame

    def _written(self, files: dict[str, bytes]) -> Iterator[ExportFrame]:
        """The frames of which files were made, which are added to `files`."""
        frames = self.job.frames(self.task)
        for index in self.task.part.frames:
            frame = self._frame(frames, index)
            if frame is None:
                continue
            try:
                with timed(self.emit, "encode"):
                    made = self.target.export(frame, self.job.source.facts)
                check_paths(made.files, files, where_of(frame.row))
            except ExportError as error:
                self.rejects[index] = error.line()
                continue
            files |= made.files
            self.facts[index] = made.facts
            self.rows.append(len(frame.points))
            yield frame

    def _compare(self, frame: ExportFrame) -> None:
        lines = partial(self.target.faults, frame, self.job.source.facts, self.job.out.read)
        self.faults += islice(told(lines, where_of(frame.row)), max(0, MOST_FAULTS - len(self.faults)))

    def _done(self) -> PartDone:
        return PartDone(
            len(self.rows),
            sum(file.size for file in self.files.values()),
            _by_name(self.task, self.rejects),
            tuple(self.faults),
        )


@dataclass
class SequencePart:
    """A part of a target that writes a file for each sequence, as a stream."""

    job: ExportJob
    task: ExportTask
    emit: Emit
    rejects: dict[int, str] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)

    @property
    def target(self) -> SequenceTarget:
        """The format."""
        return cast("SequenceTarget", self.job.target)

    def export(self) -> PartDone:
        """The sequence's file, staged and moved into place, compared with the frames; then the mark."""
        job, task = self.job, self.task
        shard, facts = task.part.shard, job.source.facts
        self.emit(ShardStarted(job.target.name, shard.sequence, shard.index))
        path = check_path(self.target.path(shard.sequence, facts), shard.sequence)
        job.ledger.forget(job.target.name, shard)  # it would vouch for a file that is replaced
        with timed(self.emit, "write"), published_stream(job.out.path, path) as file:
            faults, found = self._write(path, file)
        job.check_unchanged(task)
        if not faults:
            job.record(task, {path: found}, self.rows, self.rejects)
        done = PartDone(len(self.rows), found.size, _by_name(task, self.rejects), tuple(faults))
        return tell(self.emit, task, job.target.name, done)

    def check(self) -> PartDone:
        """The file against its hash, and against the store."""
        mark, faults = self.job.whole(self.task)
        if mark is not None:
            path = self.target.path(self.task.part.shard.sequence, self.job.source.facts)
            faults += self._faults(path)
            self.rejects |= mark.rejects
        for index in self.task.part.frames:
            self.emit(FrameDone(self.task.part.shard.sequence, index))
        frames = 0 if mark is None else len(mark.rows)
        return PartDone(frames, 0, _by_name(self.task, self.rejects), tuple(faults))

    def _write(self, path: str, file: BinaryIO) -> tuple[list[str], FileSum]:
        """The file, read back and compared with the frames while it grows."""
        facts = self.job.source.facts

        def write(frames: Iterable[ExportFrame], to: BinaryIO) -> None:
            self.target.write(frames, facts, to, self._read_input)

        with closing(self._frames(tell_done=True)) as frames:
            done = write_followed(file, frames, write, partial(self._compare, path))
        return done.found, done.sum

    def _frames(self, *, tell_done: bool = False) -> Generator[ExportFrame, None, None]:
        """The frames, each read while the one before is at work; those that can't be read are left out."""
        self.rows, self.rejects = [], dict(self.task.part.rejects)
        with closing(prefetch(self.task.part.frames, partial(_read, self.job.frames(self.task)), depth=1)) as coming:
            for index, found in zip(self.task.part.frames, coming, strict=True):
                if isinstance(found, str):
                    self.rejects[index] = found
                    continue
                self.rows.append(len(found.points))
                yield found
                if tell_done:
                    self.emit(FrameDone(found.row.sequence, index))

    def _compare(self, path: str, frames: Iterable[ExportFrame], file: BinaryIO) -> list[str]:
        lines = partial(self.target.faults, frames, self.job.source.facts, file)
        return list(islice(told(lines, path), MOST_FAULTS))

    def _faults(self, path: str) -> list[str]:
        try:
            with self.job.out.open_file(path) as file, closing(self._frames()) as frames:
                return self._compare(path, frames, file)
        except OSError as error:
            return [f"{path}: can't be read back ({error.strerror or error})"]

    def _read_input(self, path: str) -> BinaryIO:
        """An image of the dataset. Raises InputFileError."""
        root = self.job.source.root
        if root is None:
            raise InputFileError("the dataset's root is gone", where=path, expected="the folder that was ingested")
        try:
            return root.open_bytes(path)
        except StoreError:
            raise
        except OSError as error:
            raise InputFileError(f"can't be read ({error.strerror or error})", where=path) from error


def _read(frames: ShardFrames, index: int) -> ExportFrame | str:
    """A frame, or why it can't be read."""
    try:
        return frames(index)
    except (PointsError, ExportError) as error:
        return error.line()


def _by_name(task: ExportTask, rejects: Mapping[int, str]) -> dict[str, str]:
    """Reasons by frame id, for people."""
    sequence = task.part.shard.sequence
    names = {index: task.catalog.frames(sequence, index, index + 1)[0].frame_id for index in sorted(rejects)}
    return {f"{sequence}/{names[index]}": rejects[index] for index in sorted(rejects)}
