"""`paintpipe calibrate`: the temperature at which a layer's scores say how often it is right."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from paintpipe.pipeline.events import Bus, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.monitor import ended, listened
from paintpipe.pipeline.publish import publish_file
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.tables import to_markdown
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError, WorkspaceError
from paintpipe.stages.evaluate.reliability import ReliabilityTally
from paintpipe.stages.evaluate.reliability_tables import calibration_table
from paintpipe.stages.evaluate.temperature_fit import ROUNDS, at_the_end, best_temperature, first_grid, next_grid
from paintpipe.stages.view.encode import encode_png
from paintpipe.stages.view.reliability_chart import Reliability, reliability_chart
from paintpipe.workflows.calibrate_job import CalibrateJob, CalibrateTally
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.evaluate import write_table
from paintpipe.workflows.evaluate_job import JudgeTask
from paintpipe.workflows.layer_basis import Basis, basis_of
from paintpipe.workflows.layers import Layer, open_layers
from paintpipe.workflows.selection import Run, labelled_runs
from paintpipe.workflows.stores import OpenStore, existing_store
from paintpipe.workflows.terms import Terms, library_versions, some_file_sizes
from paintpipe.workflows.workers import WorkerOptions, elsewhere, executor_settings

FITTED, HELD_OUT = "fitted", "held out"


@dataclass(frozen=True)
class CalibrateRequest:
    """What to fit on; the fields are the options of `paintpipe calibrate`."""

    workspace: Path
    layer: str | None = None
    taxonomy: str | None = None
    sequences: tuple[str, ...] = ()
    split: str | None = None
    held_out: tuple[str, ...] = ()
    limit: int | None = None
    spread: WorkerOptions = field(default_factory=WorkerOptions)
    quiet: bool = False
    log_json: Path | None = None


@dataclass(frozen=True)
class CalibrateResult:
    """What calibrate found.

    Attributes:
        layer: its name.
        temperature: that makes the labels most likely.
        table: `calibration`, a row a selection of frames.
        figure: reliability before and after.
        folder: where the tables lie.
        problems: files that could not be read, a line each.
        hints: what to know before the temperature is used.
    """

    layer: str
    temperature: float
    table: pa.Table
    figure: Path
    folder: Path
    problems: list[str]
    hints: list[str]

    def text(self) -> str:
        """What the command prints."""
        lines = [f"layer {self.layer}: temperature {self.temperature:.4f}", "", to_markdown(self.table)]
        lines += [*self.problems, *self.hints, f"tables: {self.folder}", f"figure: {self.figure}"]
        return "\n".join([*lines, f"next: paintpipe repaint --from {self.layer} --temperature fitted --layer NAME"])

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "layer": self.layer,
            "temperature": self.temperature,
            "calibration": self.table.to_pylist(),
            "folder": self.folder,
            "figure": self.figure,
            "problems": self.problems,
            "hints": self.hints,
        }


def calibrate(request: CalibrateRequest) -> CalibrateResult:
    """Fit one temperature on labelled frames, write it down, and tell what it does there and on frames held out.

    Raises:
        WorkspaceError: no point labels, no such layer, or no painted point that has a label.
        ConfigError: a sequence or split that is not there, or frames that are both fitted on and held out.
        TaxonomyError: the layer can't be mapped to the taxonomy of the labels.
    """
    workspace = Workspace(request.workspace)
    catalog, opened = open_catalog(workspace.catalog), existing_store(request.workspace)
    labels = catalog.info.labels_taxonomy
    if labels is None:
        raise WorkspaceError(f"{catalog.info.dataset} as ingested has no point labels to fit a temperature on")
    last = workspace.read_config().get("last", {}).get("layer")
    name = last if request.layer is None else request.layer
    log = listened(workspace.runs, quiet=request.quiet, log_json=request.log_json)
    with workspace_lock(workspace.ledger), log as bus:
        workspace.clean_staging()
        layer = open_layers(opened, catalog, () if name is None else (name,))[0]
        runs = labelled_runs(catalog, layer, request.sequences, request.split, request.held_out, request.limit)
        look = _Look(request, catalog, opened, layer, labels, bus)
        temperature = _fit(look, runs[0])
        selections = {FITTED: look(runs[0], (1.0, temperature), reliability=True)}
        if runs[1]:
            selections[HELD_OUT] = look(runs[1], (1.0, temperature), reliability=True)
        return _told(look, temperature, selections, workspace, basis_of(layer, runs[0]))


@dataclass(frozen=True)
class _Look:
    """A pass over frames of the layer."""

    request: CalibrateRequest
    catalog: Catalog
    opened: OpenStore
    layer: Layer
    labels: str
    bus: Bus

    @property
    def taxonomy(self) -> str:
        """In which scores and labels are compared."""
        return self.request.taxonomy or self.labels

    def __call__(self, runs: list[Run], temperatures: tuple[float, ...], *, reliability: bool) -> CalibrateTally:
        """The sum over all frames; counts are whole numbers, so that the order of the parts doesn't matter."""
        root = open_root(self.catalog.info.root)
        sizes = some_file_sizes(self.catalog, root) if elsewhere(self.request.spread) else {}
        terms = Terms(sizes, libraries=library_versions())
        job = CalibrateJob(self.opened, self.layer, root, self.labels, self.taxonomy, temperatures, reliability, terms)
        tasks = (JudgeTask(self.catalog.part(*run), *run) for run in runs)
        frames = sum(stop - start for _, start, stop in runs)
        self.bus.emit(RunStarted(f"calibrate {self.layer.name}", frames, len(runs)))
        total = CalibrateTally(np.zeros(len(temperatures), np.int64))
        spread = executor_settings(self.request.spread, threads=1)
        with ended(self.bus), closing(executor(spread).run(tasks, job, self.bus.emit)) as done:
            for _, tally in done:
                total += tally
        return total


def _fit(look: Callable[..., CalibrateTally], runs: list[Run]) -> float:
    """A few rounds, each around the best of the one before."""
    grid = first_grid()
    for number in range(ROUNDS):
        tally = look(runs, tuple(2.0**at for at in grid), reliability=False)
        if not tally.num_points:
            reason = tally.rejected[0].reason if tally.rejected else "labels may be another taxonomy's (see --taxonomy)"
            raise WorkspaceError("no painted point of these frames has a label that counts", todo=reason)
        if number < ROUNDS - 1:
            grid = next_grid(grid, tally.nll)
    return best_temperature(grid, tally.nll)


def _told(
    look: _Look, temperature: float, selections: dict[str, CalibrateTally], workspace: Workspace, basis: Basis
) -> CalibrateResult:
    """Write tables, figure and the temperature itself."""
    name = look.layer.name
    pairs = {what: _pair(tally) for what, tally in selections.items() if tally.before is not None}
    table = calibration_table(name, look.taxonomy, temperature, pairs)
    write_table(workspace.tables, "calibration", table)
    figure = workspace.figures / f"{name}-calibration.png"
    what, (before, after) = list(pairs.items())[-1]
    titles = f"{name}, {what}: as painted", f"temperature {temperature:.3f}"
    diagrams = [_diagram(title, tally) for title, tally in zip(titles, (before, after), strict=True)]
    publish_file(figure, encode_png(reliability_chart(diagrams)))
    known = {"temperature": temperature, "temperature_of": basis.digest, "temperature_shards": list(basis.shards)}
    workspace.update_config({"layers": {name: known}})
    rejected = {row.path: row.reason for tally in selections.values() for row in tally.rejected}
    problems = [rejected[path] for path in sorted(rejected)]
    return CalibrateResult(name, temperature, table, figure, workspace.tables, problems, _hints(temperature))


def _pair(tally: CalibrateTally) -> tuple[ReliabilityTally, ReliabilityTally]:
    if tally.before is None or tally.after is None:
        raise ConfigError("no frame was looked at")
    return tally.before, tally.after


def _diagram(title: str, tally: ReliabilityTally) -> Reliability:
    bins = tally.top
    return Reliability(title, bins.points, bins.confidence, bins.accuracy, tally.ece)


def _hints(temperature: float) -> list[str]:
    if not at_the_end(temperature):
        return []
    return ["the likelihood still rises at this temperature, where the search ends: these labels don't settle one"]
