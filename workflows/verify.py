"""`paintpipe verify`: every shard against the ledger, the catalog and the store's contract."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.pipeline.ledger import Mark
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.store import layer_of
from paintpipe.pipeline.verify import Problem, verify_leftovers, verify_metadata, verify_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import InputFileError, PaintpipeError, StoreError
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.stages.paint.check import check_painted
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.counted import counted
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.layers import SCORED
from paintpipe.workflows.stores import OpenStore, existing_store


@dataclass(frozen=True)
class VerifyResult:
    """What verify found: a line for each problem, and how many shards it looked at."""

    problems: list[str]
    shards: int

    def text(self) -> str:
        """What the command prints."""
        found, shards = len(self.problems), counted(self.shards, "shard")
        verdict = f"{counted(found, 'problem')} in {shards}" if found else f"{shards}, all as they should be"
        return "\n".join([*self.problems, verdict])

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"shards": self.shards, "problems": self.problems}


def verify(workspace: Path, inputs: bool = False, quiet: bool = False) -> VerifyResult:
    """Look for whatever is wrong in the store, the ledger and, with `inputs`, the dataset.

    Args:
        workspace: folder of the store.
        inputs: also hash the dataset's files again and compare with what was painted.
        quiet: no progress bar.

    Raises:
        WorkspaceError: nothing is painted here.
        InputFileError: with `inputs`, the dataset's root is gone.
        StoreError: disk or service do not answer.
    """
    place = Workspace(workspace)
    catalog, opened = open_catalog(place.catalog), existing_store(workspace)
    problems = [_line(problem) for problem in verify_metadata(opened.store)]
    root = open_root(catalog.info.root) if inputs else None
    shards = 0
    for target in opened.ledger.targets():
        problems += _files(opened, target)
        marks, total = opened.ledger.marks(target), len(opened.ledger.mark_paths(target))
        for _, mark in track(marks, f"verify {target}", "shard", quiet=quiet, total=total):
            if mark is not None:
                shards += 1
                problems += _content(mark, catalog, opened)
                problems += _inputs(mark, FrameFiles(root)) if root else []
    problems += [_line(problem) for problem in verify_leftovers(opened.store.root, opened.ledger.root)]
    return VerifyResult(problems, shards)


def _line(problem: Problem) -> str:
    return f"{problem.where}: {problem.what}"


def _files(opened: OpenStore, target: str) -> Iterator[str]:
    """Marks against files; where metadata is damaged, as far as that lets it."""
    try:
        for problem in verify_target(opened.store, opened.ledger, target):
            yield _line(problem)
    except StoreError as error:
        yield error.line()


def _content(mark: Mark, catalog: Catalog, opened: OpenStore) -> Iterator[str]:
    """Rows against the catalog, and scores' sums."""
    where = f"{mark.target} of {mark.shard.sequence}, shard {mark.shard.index}"
    shard = mark.shard
    counts = catalog.column("frames", shard.sequence, "num_points", shard.start, shard.stop)
    if tuple(counts) != mark.rows:
        yield f"{where}: holds {list(mark.rows)} points a frame, but the catalog says {counts}"
        return
    for frame in range(mark.shard.start, mark.shard.stop):
        try:
            fault = _frame_fault(mark.target, mark.shard.sequence, frame, opened)
        except PaintpipeError as error:
            fault = error.line()
        if fault:
            yield f"{where}, frame {frame}: {fault}"


def _frame_fault(target: str, sequence: str, frame: int, opened: OpenStore) -> str:
    layer = layer_of(target)
    if layer is None:
        points = opened.store.read_frame(target, sequence, frame)["points"]
        return "" if points.dtype == np.float32 else f"points are {points.dtype}"
    arrays: dict[str, Any] = opened.store.read_frame(target, sequence, frame, SCORED)
    painted = PaintedFrame(**arrays)
    classes = opened.store.layer_table(sequence, layer).coords["class"]
    return check_painted(painted, len(painted.label), len(classes))


def _inputs(mark: Mark, files: FrameFiles) -> Iterator[str]:
    for path, known in mark.input_sha256s.items():
        try:
            files.read(path)
        except InputFileError as error:
            yield error.line()
            continue
        now = files.sha256[path]
        if now != known:
            yield f"{path}: is not the file that was painted (sha256 {now[:8]}…, was {known[:8]}…)"
