"""Looking at runs of frames for a temperature: likelihood at several temperatures, or reliability before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.pipeline.events import FrameDone
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.schemas.arrays import UNPAINTED, AnyArray, Float32, Int64, UInt8
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.reliability import ReliabilityTally, nll_units, reliability_frame
from paintpipe.stages.paint.temperature import temper_scores
from paintpipe.stages.taxonomies.load import load_taxonomy
from paintpipe.workflows.evaluate_job import JudgeTask
from paintpipe.workflows.frame_io import FrameFiles
from paintpipe.workflows.frame_truth import in_taxonomy, true_labels
from paintpipe.workflows.layers import Layer, frame_arrays, frame_points
from paintpipe.workflows.stores import OpenStore
from paintpipe.workflows.terms import Terms


@dataclass(frozen=True)
class CalibrateTally:
    """What was counted; `a + b` is the tally of both.

    Attributes:
        nll: (K,) sums of negative log-likelihood in `reliability.NATS`, one a temperature.
        before, after: reliability at the first and the last temperature, None where it was not asked for.
        num_points: painted points with a true class.
        rejected: files that can't be read.
    """

    nll: Int64
    before: ReliabilityTally | None = None
    after: ReliabilityTally | None = None
    num_points: int = 0
    rejected: tuple[RejectedRow, ...] = ()

    def __add__(self, other: "CalibrateTally") -> "CalibrateTally":
        return CalibrateTally(
            self.nll + other.nll,
            _sum(self.before, other.before),
            _sum(self.after, other.after),
            self.num_points + other.num_points,
            (*self.rejected, *other.rejected),
        )


def _sum(one: ReliabilityTally | None, other: ReliabilityTally | None) -> ReliabilityTally | None:
    return one + other if one is not None and other is not None else (other if one is None else one)


@dataclass(frozen=True)
class CalibrateJob:
    """A look at runs of frames, in this process or another.

    Attributes:
        opened: the painted store.
        layer: which layer; the list of its shards stays behind.
        root: of the dataset.
        labels: name of the taxonomy of the dataset's labels.
        taxonomy: name of the taxonomy that scores and labels are compared in.
        temperatures: to be tried.
        reliability: whether to count reliability at the first and the last of them, too.
        terms: what a worker elsewhere must share.
    """

    opened: OpenStore
    layer: Layer
    root: Root
    labels: str
    taxonomy: str
    temperatures: tuple[float, ...]
    reliability: bool
    terms: Terms

    def setup(self, emit: Emit) -> Callable[[JudgeTask], CalibrateTally]:
        """See `Job.setup`. Raises WorkerMismatchError."""
        self.terms.check(self.root, self.opened.ledger, emit)

        def look(task: JudgeTask) -> CalibrateTally:
            total = CalibrateTally(np.zeros(len(self.temperatures), np.int64))
            for frame in range(task.start, task.stop):
                total += self._frame(task, frame)
                emit(FrameDone(task.sequence, frame))
            return total

        return look

    def _frame(self, task: JudgeTask, frame: int) -> CalibrateTally:
        row = task.catalog.frames(task.sequence, frame, frame + 1)[0]
        files, target = FrameFiles(self.root), load_taxonomy(self.taxonomy)
        truth, points = true_labels(files, row, self.labels, target), frame_points(self.opened, files, row)
        empty = CalibrateTally(np.zeros(len(self.temperatures), np.int64), rejected=tuple(files.rejected))
        if truth is None or points is None:
            return empty
        arrays = frame_arrays(self.opened, self.layer, row, ("scores", "label"))
        return empty + _frame_tally(_Frame(arrays["scores"], arrays["label"], truth, points), self, target)

    def __reduce__(self) -> tuple[Any, ...]:
        values = {**vars(self), "layer": self.layer.without_shards()}
        return CalibrateJob, tuple(values.values())


@dataclass(frozen=True)
class _Frame:
    """(N, C) scores, (N,) labels and (N,) truth of a frame, and its (N, >=3) points."""

    scores: AnyArray
    label: UInt8
    truth: UInt8
    points: Float32


def _frame_tally(frame: _Frame, job: CalibrateJob, target: Taxonomy) -> CalibrateTally:
    """Scores at each temperature in the layer's own classes, then in those of the truth."""
    own, nll, reliability = job.layer.taxonomy.name, [], []
    first = in_taxonomy(frame.scores, frame.label, frame.points, own, target)
    chosen = np.flatnonzero((first.labels != UNPAINTED) & (frame.truth != UNPAINTED))
    for temperature in job.temperatures:
        tempered = frame.scores if temperature == 1.0 else temper_scores(frame.scores, temperature)
        scores, labels = in_taxonomy(tempered, frame.label, frame.points, own, target)
        nll.append(nll_units(np.asarray(scores[chosen], np.float32), frame.truth[chosen]))
        if job.reliability:
            reliability.append(reliability_frame(scores, labels, frame.truth, len(target)))
    before, after = (reliability[0], reliability[-1]) if job.reliability else (None, None)
    return CalibrateTally(np.array(nll, np.int64), before, after, len(chosen))
