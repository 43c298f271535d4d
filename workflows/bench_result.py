"""What `bench` tells: a table in Markdown, or the same as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from paintpipe.pipeline.machine import hardware, versions
from paintpipe.pipeline.stage_cost import StageCost, ideal_per_s
from paintpipe.pipeline.steady_rate import SteadyRate


@dataclass(frozen=True)
class BenchResult:
    """One bench.

    Attributes:
        run: what was run, JSON-ready: model, its settings, executor, workers, frames.
        cores: that this process may use.
        stages: each alone.
        whole: a run of `paint`.
        plain_per_s: frames a second of the plain loop, None where it was not asked for.
    """

    run: dict[str, Any]
    cores: int
    stages: list[StageCost]
    whole: SteadyRate
    plain_per_s: float | None = None

    @property
    def ideal_per_s(self) -> float:
        """Frames a second of a run in which nothing waits."""
        return ideal_per_s(self.stages, self.cores)

    @property
    def whole_over_ideal(self) -> float:
        """How much of the ideal the run reaches."""
        return self.whole.per_s / self.ideal_per_s

    def text(self) -> str:
        """Markdown."""
        head = ", ".join(f"{name} {value}" for name, value in self.run.items() if value not in (None, ""))
        table = ["| | frames/s | core-seconds a frame |", "| --- | ---: | ---: |", *self._rows()]
        return "\n".join([head, "", *table, "", *self._ratios()])

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        stages = [
            {**asdict(stage), "frames_per_s": stage.alone_per_s, "own_rate_per_s": stage.own_rate(self.cores)}
            for stage in self.stages
        ]
        plain = self.plain_per_s
        return {
            "run": self.run,
            "cores": self.cores,
            "stages": stages,
            "whole": {**asdict(self.whole), "frames_per_s": self.whole.per_s},
            "ideal_frames_per_s": self.ideal_per_s,
            "whole_over_ideal": self.whole_over_ideal,
            "plain_loop_frames_per_s": plain,
            "whole_over_plain_loop": None if plain is None else self.whole.per_s / plain,
            "hardware": hardware(),
            "versions": versions(),
        }

    def _rows(self) -> Iterator[str]:
        for stage in self.stages:
            yield f"| {stage.name}, alone | {stage.alone_per_s:.2f} | {stage.core_s:.4f} |"
        yield f"| all stages | | {sum(stage.core_s for stage in self.stages):.4f} |"
        yield f"| ideal | {self.ideal_per_s:.2f} | |"
        yield f"| whole | {self.whole.per_s:.2f} | |"
        if self.plain_per_s is not None:
            yield f"| plain loop | {self.plain_per_s:.2f} | |"

    def _ratios(self) -> Iterator[str]:
        if any(stage.devices for stage in self.stages):
            rule = "the slowest stage's own rate (a stage of the processor has all cores)"
        else:
            rule = f"{self.cores} cores ÷ core-seconds of all stages"
        yield f"whole / ideal: {self.whole_over_ideal:.2f}   (ideal: {rule})"
        if self.plain_per_s is not None:
            yield f"whole / plain loop: {self.whole.per_s / self.plain_per_s:.2f}"
