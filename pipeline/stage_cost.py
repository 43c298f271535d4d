"""What each stage of a run costs when it runs alone, and what the whole could reach at best."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class StageCost:
    """One stage, run alone by one worker.

    Attributes:
        name: such as `decode`.
        wall_s: wall time a frame.
        core_s: processor time a frame, over all threads of the process.
        devices: accelerators that this stage runs on, each at its own rate; 0 for a stage of the processor.
    """

    name: str
    wall_s: float
    core_s: float
    devices: int = 0

    @property
    def alone_per_s(self) -> float:
        """Frames a second of one worker that does nothing else."""
        return 1.0 / self.wall_s

    def own_rate(self, cores: int) -> float:
        """Frames a second where all cores (or its devices) do this stage and nothing else."""
        return self.devices / self.wall_s if self.devices else cores / self.core_s


def stage_cost(
    name: str, frames: int, work: Callable[[], object], *, least_s: float = 1.5, most: int = 5, devices: int = 0
) -> StageCost:
    """Run a stage over some frames again and again; the median pass counts.

    Args:
        name: of the stage.
        frames: how many one call of `work` does.
        work: one pass.
        least_s: passes are added until they have taken so long together,
        most: or until there are so many; but no fewer than two.
        devices: see `StageCost`.
    """
    walls: list[float] = []
    cores: list[float] = []
    while len(walls) < 2 or (len(walls) < most and sum(walls) < least_s):
        begin_s, begin_core_s = time.perf_counter(), time.process_time()
        work()
        cores.append(time.process_time() - begin_core_s)
        walls.append(time.perf_counter() - begin_s)
    # A clock that stood still would make a rate infinite.
    wall_s, core_s = (max(median(each), 1e-9) / frames for each in (walls, cores))
    return StageCost(name, wall_s, core_s, devices)


def ideal_per_s(stages: Sequence[StageCost], cores: int) -> float:
    """Frames a second of a run in which nothing waits and nothing is spent besides the stages.

    Where a device runs one of them, all overlap and the slowest stage's own rate is the limit; where the cores run them
    all, every stage takes its share of the cores: `cores` ÷ the sum of the stages' core-seconds a frame.
    """
    if any(stage.devices for stage in stages):
        return min(stage.own_rate(cores) for stage in stages)
    return cores / sum(stage.core_s for stage in stages)
