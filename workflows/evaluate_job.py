"""Judging as a job for executors: runs of frames in, tallies out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paintpipe.pipeline.events import FrameDone
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.schemas.source import Root
from paintpipe.workflows.catalog import Catalog
from paintpipe.workflows.evaluate_frame import FrameJudge, Tally
from paintpipe.workflows.layers import Layer
from paintpipe.workflows.stores import OpenStore
from paintpipe.workflows.terms import Terms


@dataclass(frozen=True)
class JudgeTask:
    """Frames `start` to `stop` of a sequence, and the catalog's rows of them."""

    catalog: Catalog
    sequence: str
    start: int
    stop: int

    def __str__(self) -> str:
        return f"{self.sequence}, frames {self.start} to {self.stop - 1}"


@dataclass(frozen=True)
class JudgeJob:
    """Judging runs of frames, in this process or another.

    Attributes:
        opened: the painted store.
        layer: which layer; the list of its shards stays behind.
        root: of the dataset.
        taxonomy: see `FrameJudge`.
        fill_rule: see `FrameJudge`.
        terms: what a worker elsewhere must share.
    """

    opened: OpenStore
    layer: Layer
    root: Root
    taxonomy: str | None
    fill_rule: str | None
    terms: Terms

    def setup(self, emit: Emit) -> Callable[[JudgeTask], Tally]:
        """See `Job.setup`. Raises WorkerMismatchError."""
        self.terms.check(self.root, self.opened.ledger, emit)

        def judge(task: JudgeTask) -> Tally:
            one = FrameJudge(task.catalog, self.opened, self.layer, self.root, self.taxonomy, self.fill_rule)
            total = Tally()
            for frame in range(task.start, task.stop):
                total += one((task.sequence, frame))
                emit(FrameDone(task.sequence, frame))
            return total

        return judge

    def __reduce__(self) -> tuple[Any, ...]:
        layer = self.layer.without_shards()
        return JudgeJob, (self.opened, layer, self.root, self.taxonomy, self.fill_rule, self.terms)
