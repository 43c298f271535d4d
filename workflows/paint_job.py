"""Painting as a job for executors: what a worker is told once, and loads once."""

from collections.abc import Callable
from dataclasses import dataclass

from paintpipe.pipeline.changes import explain_change
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.turns import BusInTurns, Turns
from paintpipe.schemas.catalog import DatasetInfo, RejectedRow
from paintpipe.schemas.errors import WorkerMismatchError
from paintpipe.schemas.source import Root
from paintpipe.stages.threads import limit_threads
from paintpipe.workflows.choose_painter import AnyPainter, PainterChoice, choose_painter
from paintpipe.workflows.paint_frames import PaintPlan
from paintpipe.workflows.paint_shard import ShardPainter, ShardTask
from paintpipe.workflows.stores import OpenStore
from paintpipe.workflows.terms import Terms, here

Paint = Callable[[ShardTask], list[RejectedRow]]


@dataclass(frozen=True)
class PaintJob:
    """What a worker elsewhere needs to paint: it builds the painter itself.

    Attributes:
        choice: the painter.
        info: of the dataset.
        root: of the dataset.
        plan: how to paint.
        opened: where to.
        terms: what must be the same there as here, the painter's identity included.
        threads: that a worker computes with at once; None for no limit: beside a GPU, and in dask's workers, whose
            user says how many tasks each takes.
    """

    choice: PainterChoice
    info: DatasetInfo
    root: Root
    plan: PaintPlan
    opened: OpenStore
    terms: Terms
    threads: int | None = None

    def setup(self, emit: Emit) -> Paint:
        """See `Job.setup`. Raises WorkerMismatchError."""
        self.terms.check(self.root, self.opened.ledger, emit)
        limit_threads(self.choice.segment.threads)
        painter = choose_painter(self.choice, self.info)
        changes = explain_change(self.terms.identity, painter.identity)
        if changes:
            todo = "give every worker the same files and settings"
            raise WorkerMismatchError(f"its painter is another one: {changes}", where=f"worker {here()}", todo=todo)
        return PaintHere(painter, self.root, self.plan, self.opened, self.threads).setup(emit)


@dataclass(frozen=True)
class PaintHere:
    """Painting in this process, with the painter that is already built."""

    painter: AnyPainter
    root: Root
    plan: PaintPlan
    opened: OpenStore
    threads: int | None = None

    def setup(self, emit: Emit) -> Paint:
        """See `Job.setup`."""
        bus = BusInTurns(Turns(self.threads))
        bus.subscribe(emit)
        return ShardPainter(self.root, self.painter, self.plan, self.opened, bus)
