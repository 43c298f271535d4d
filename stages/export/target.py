"""What every export target promises; the engine does the rest: reading, spreading, publishing, resuming, checking."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, runtime_checkable

from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport

ReadFile = Callable[[str], bytes]
"""The bytes of an exported file by its path; raises FileNotFoundError."""


@runtime_checkable
class SizedRead(Protocol):
    """A `ReadFile` that knows sizes without reading."""

    def __call__(self, path: str) -> bytes:
        """See `ReadFile`."""
        ...

    def size(self, path: str) -> int:
        """Bytes of the file at `path`. Raises FileNotFoundError."""
        ...


def size_of(read: ReadFile, path: str) -> int:
    """Bytes of an exported file. Raises FileNotFoundError."""
    return read.size(path) if isinstance(read, SizedRead) else len(read(path))


@dataclass(frozen=True)
class DoneFrame:
    """A frame that is exported, as `finish` sees it: its catalog rows, and the facts of its `FrameExport`."""

    row: FrameRow
    images: Sequence[ImageRow]
    boxes: Sequence[BoxRow]
    facts: Mapping[str, Any]


class FrameTarget(Protocol):
    """A format of files for each frame, and of files over all of them. Stateless and picklable.

    Attributes:
        name: what `--to` takes.
        keyframes_only: whether frames between keyframes are left out (they may come as sweeps of keyframes).
    """

    name: str
    keyframes_only: bool

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The settings with this target's own choices for what the user left open.

        Raises:
            ConfigError: settings that make no sense here, or a dataset that the target has no room for.
        """
        ...

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """The file that holds a frame's points, no other frame's too; its names are known of `row`, and no more.

        Raises:
            ExportError: the frame's name can't name a file here.
        """
        ...

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """The files of one frame. Raises ExportError where the format has no room for it."""
        ...

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """The files over all frames, which come in catalog order: lists, infos, configurations."""
        ...

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The frame's files read back by the target's own rules and compared with the frame; a line for each fault."""
        ...

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The files over all frames read back by the target's own rules; a line for each fault."""
        ...


class ArchivedTarget(FrameTarget, Protocol):
    """A target whose files are uploaded as one archive, which the engine has written once they are checked."""

    def archive_path(self, facts: ExportFacts) -> str | None:
        """Where the archive lies in the export's folder; None where the user wants none."""
        ...

    def archive(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile, file: BinaryIO) -> None:
        """Write the archive of exported files to `file`, one file at a time; the same export gives the same bytes."""
        ...

    def archive_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, file: BinaryIO) -> Iterator[str]:
        """The archive by the rules of whoever takes it; a line for each fault."""
        ...


class SequenceTarget(Protocol):
    """A format with one file for each sequence, written as a stream. Stateless and picklable."""

    name: str
    keyframes_only: bool

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """See `FrameTarget.settle`."""
        ...

    def path(self, sequence: str, facts: ExportFacts) -> str:
        """Where the sequence's file lies in the export's folder."""
        ...

    def write(
        self, frames: Iterable[ExportFrame], facts: ExportFacts, file: BinaryIO, read_input: Callable[[str], BinaryIO]
    ) -> None:
        """Write a whole sequence; `read_input` opens a file of the dataset (an image)."""
        ...

    def faults(self, frames: Iterable[ExportFrame], facts: ExportFacts, file: BinaryIO) -> Iterator[str]:
        """The sequence's file read back and compared with the frames; a line for each fault.

        Frames and file are gone through side by side, from the front, while `write` is still at it in another thread:
        seeking the end waits for the end.
        """
        ...
