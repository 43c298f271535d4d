"""What an export holds over all frames: the target's own lists and databases, an archive, and the card."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from paintpipe import __version__
from paintpipe.pipeline.changes import digest_of
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.ledger import FileSum, Ledger, Mark, missing_files
from paintpipe.pipeline.publish import publish, published_stream
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.verify import verify_mark
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts
from paintpipe.stages.export.target import DoneFrame
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.export_frames import FrameSource
from paintpipe.workflows.export_job import MOST_FAULTS, told
from paintpipe.workflows.export_plan import Part, digest_of_mark, layer_digest
from paintpipe.workflows.export_rows import ReadBack, ShardRows
from paintpipe.workflows.export_sums import file_sum, file_sums
from paintpipe.workflows.export_tasks import CARD_FILE, check_path, read_facts
from paintpipe.workflows.terms import library_versions

FINISH = "finish"
"""Target of the mark of what lies over all frames."""
_EVERYTHING = Shard("all", 0, 0, 0)


@dataclass(frozen=True)
class Finisher:
    """Writes and checks what lies over all frames; the coordinator alone does so.

    Attributes:
        target: the format, a `FrameTarget` or an `ArchivedTarget`.
        source: where frames come from.
        catalog: of the dataset.
        out: the export's folder.
        ledger: its marks.
        parts: that are exported, in catalog order.
    """

    target: Any
    source: FrameSource
    catalog: Catalog
    out: LocalFolder
    ledger: Ledger
    parts: tuple[Part, ...]

    @property
    def facts(self) -> ExportFacts:
        """Of the export."""
        return self.source.facts

    def frames(self) -> Iterator[DoneFrame]:
        """Every exported frame in catalog order. Raises ExportError where what is known of them is damaged."""
        for part in self.parts:
            known = read_facts(self.out, part.shard)
            yield from self._frames(part, known)

    def finish(self, card: bytes) -> list[str]:
        """Write what is not written yet for these very parts, and the card; a line for each fault."""
        marks = [self.ledger.done(self.target.name, part.shard) for part in self.parts]
        inputs = {
            "card": dict(self.facts.card),
            "parts": digest_of({"parts": [digest_of_mark(mark) for mark in marks if mark is not None]}),
        }
        old = self.ledger.done(FINISH, _EVERYTHING)
        if old is not None and old.inputs == inputs and not list(missing_files(self.out, [old])):
            write_card(self.out, card)
            return []
        check_distinct(mark for mark in marks if mark is not None)
        files = {check_path(path, FINISH): data for path, data in self.target.finish(self.frames(), self.facts).items()}
        self.ledger.forget(FINISH, _EVERYTHING)
        publish(self.out.path, {**files, CARD_FILE: card}, together=True)
        sums = file_sums(files)
        faults = self._compare()
        if not faults:
            sums |= self._archive()
            faults = self._archive_faults()
        if not faults:
            for path in (old.files if old else {}).keys() - sums.keys():
                self.out.remove(path)
            self.ledger.record(Mark(FINISH, _EVERYTHING, inputs, sums, ()))
        return faults

    def check(self) -> list[str]:
        """What of it does not read back, a line each."""
        mark = self.ledger.done(FINISH, _EVERYTHING)
        if mark is None:
            return ["the files over all frames were not written: run the same command without --check"]
        problems = [f"{problem.where}: {problem.what}" for problem in verify_mark(self.out, mark)]
        return [*problems, *self._compare(), *self._archive_faults()]

    def notes(self) -> list[str]:
        """What the target has to say of the whole export."""
        say: Callable[[Iterable[DoneFrame], ExportFacts], list[str]] | None = getattr(self.target, "notes", None)
        return [] if say is None else say(self.frames(), self.facts)

    def _compare(self) -> list[str]:
        lines = partial(self.target.finish_faults, self.frames(), self.facts, ReadBack(self.out))
        return list(islice(told(lines, self.target.name), MOST_FAULTS))

    def _archive_path(self) -> str | None:
        path: str | None = getattr(self.target, "archive_path", lambda _facts: None)(self.facts)
        return path

    def _archive_faults(self) -> list[str]:
        """What of the archive does not read back, a line each."""
        path = self._archive_path()
        if path is None:
            return []
        try:
            with self.out.open_file(path) as file:
                lines = partial(self.target.archive_faults, self.frames(), self.facts, file)
                return list(islice(told(lines, path), MOST_FAULTS))
        except OSError as error:
            return [f"{path}: can't be read back ({error.strerror or error})"]

    def _archive(self) -> dict[str, FileSum]:
        """The archive of a target that has one."""
        path = self._archive_path()
        if path is None:
            return {}
        with published_stream(self.out.path, check_path(path, FINISH)) as file:
            self.target.archive(self.frames(), self.facts, self.out.read, file)
        return {path: file_sum(self.out.open_file(path))}

    def _frames(self, part: Part, known: Any) -> Iterator[DoneFrame]:
        shard, rows = part.shard, ShardRows(self.catalog, part.shard)
        for row in self.catalog.frames(shard.sequence, shard.start, shard.stop):
            if row.index in known:
                yield DoneFrame(self.source.row(row), rows.images(row.index), rows.boxes(row.index), known[row.index])


def check_distinct(marks: Iterable[Mark]) -> None:
    """Raises ExportError where two parts have written the same file."""
    seen: set[str] = set()
    for mark in marks:
        twice = seen & mark.files.keys()
        if twice:
            what = f"two frames share the file {min(twice)}"
            todo = "export them to two folders, with --sequences"
            raise ExportError(what, where=f"{mark.shard.sequence}, shard {mark.shard.index}", todo=todo)
        seen |= mark.files.keys()


def encode_card(facts: ExportFacts, parts: tuple[Part, ...], frames: int, left_out: int) -> bytes:
    """`paintpipe.json`: the card, what it was made from, and by which versions."""
    card = {
        **facts.card,
        "catalog_digest": facts.info.digest,
        "layer_digest": layer_digest(parts),
        "frames": frames,
        "frames_left_out": left_out,
        "versions": {"paintpipe": __version__, **library_versions()},
    }
    return (json.dumps(card, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def write_card(out: LocalFolder, card: bytes) -> None:
    """Write the card where it says something else. Raises StoreError."""
    if next(out.read_many([CARD_FILE])) != card:
        out.publish({CARD_FILE: card})
