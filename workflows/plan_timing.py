"""How long a frame takes and how many bytes it makes, by painting a few of them for good and throwing them away."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paintpipe.pipeline.events import Bus, Event, ShardDone
from paintpipe.pipeline.executors.settings import ExecutorSettings
from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.totals import Totals
from paintpipe.pipeline.workspace import Workspace
from paintpipe.workflows.choose_painter import choose_painter
from paintpipe.workflows.paint_job import Paint, PaintHere
from paintpipe.workflows.paint_prepare import Prepared
from paintpipe.workflows.paint_shard import ShardTask
from paintpipe.workflows.paint_tasks import Groups
from paintpipe.workflows.stores import open_store

NETWORK = "network"
"""The stage that one worker does for one shard at a time."""


@dataclass(frozen=True)
class Timing:
    """A few frames painted one after the other in this process.

    Attributes:
        frames: painted.
        wall_s: seconds a frame.
        cpu_s: core-seconds a frame.
        stages_s: seconds a frame by stage; some run at the same time.
        num_bytes: a frame, by target.
        rejected: files of them that could not be used.
    """

    frames: int
    wall_s: float
    cpu_s: float
    stages_s: Mapping[str, float]
    num_bytes: Mapping[str, float]
    rejected: int

    def to_json(self) -> dict[str, Any]:
        """As `paintpipe plan --json` has it."""
        return {**asdict(self), "slowest_stage": self.slowest_stage}

    def frame_s(self, spread: ExecutorSettings, cores: int) -> float:
        """Seconds a frame where these workers paint, each as fast as this process was.

        A worker's shards overlap, but its network works on one at a time; and all workers share the cores.
        """
        processes = spread.workers if spread.name == "processes" else 1
        in_flight = {"serial": 1, "threads": spread.workers}.get(spread.name, spread.in_flight)
        one_process_s = max(self.stages_s.get(NETWORK, 0.0), self.wall_s / in_flight)
        on_this_machine = spread.name != "dask"
        return max(one_process_s / processes, self.cpu_s / cores if on_this_machine else 0.0)

    @property
    def slowest_stage(self) -> str:
        """The stage that takes the most time."""
        return max(self.stages_s, key=lambda name: self.stages_s[name], default="")


def time_frames(run: Prepared, shards: list[Shard], targets: tuple[str, ...], frames: int) -> Timing:
    """Paint `frames` frames from the middle of `shards`, in a folder for temporary files, after one to warm up.

    Args:
        run: what is to be painted, with what.
        shards: to be painted; at least one.
        targets: to be stored of them.
        frames: at most that many, as the sequence has.

    Raises:
        PaintpipeError: the painter can't be built here, or a frame can't be painted.
    """
    shard = shards[len(shards) // 2]
    frames = min(frames, run.catalog.frame_counts()[shard.sequence])
    painter = choose_painter(run.choice, run.catalog.info) if run.away else run.painter
    with tempfile.TemporaryDirectory(prefix="paintpipe-plan-") as folder:
        for length in (1, frames):
            bus, totals, told = Bus(), Totals(), list[Event]()
            bus.subscribe(totals)
            bus.subscribe(told.append)
            paint, task = _task(run, painter, shard, targets, length, Path(folder) / str(length), bus)
            begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
            paint(task)
            wall_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
    count = len(task.shard)
    stages_s = {name: seconds / count for name, seconds in totals.seconds.items()}
    sizes = {event.target: event.num_bytes / count for event in told if isinstance(event, ShardDone)}
    return Timing(count, wall_s / count, cpu_s / count, stages_s, sizes, totals.num_rejected)


def _task(
    run: Prepared, painter: object, shard: Shard, targets: tuple[str, ...], length: int, folder: Path, bus: Bus
) -> tuple[Paint, ShardTask]:
    """The work on one shard of `length` frames and its task; its store is a fresh one below `folder`."""
    opened = open_store(Workspace(folder), run.opened.store_format, length)
    Groups(opened, run.catalog, run.description, run.request.points, False).create(shard.sequence)
    index = shard.start // length
    count = run.catalog.frame_counts()[shard.sequence]
    few = Shard(shard.sequence, index, index * length, min((index + 1) * length, count))
    part = run.catalog.part(few.sequence, few.start, few.stop)
    paint = PaintHere(painter, run.root, run.plan, opened).setup(bus.emit)  # type: ignore[arg-type]  # of the two kinds
    return paint, ShardTask(few, targets, part)
