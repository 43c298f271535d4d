"""`paintpipe evaluate`: painted layers against ground truth, as tables."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from paintpipe.pipeline.events import Bus, RunStarted
from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.monitor import ended, listened
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.tables import to_markdown, write_csv, write_parquet, write_text
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import ConfigError, TaxonomyError, WorkspaceError
from paintpipe.schemas.source import Root
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.comparison import comparison
from paintpipe.workflows.evaluate_frame import FrameJudge, Tally
from paintpipe.workflows.evaluate_job import JudgeJob, JudgeTask
from paintpipe.workflows.judged import signature, signed
from paintpipe.workflows.layers import Layer, open_layers, painted_runs
from paintpipe.workflows.stores import OpenStore, existing_store
from paintpipe.workflows.terms import Terms, library_versions, some_file_sizes
from paintpipe.workflows.workers import WorkerOptions, elsewhere, executor_settings


@dataclass(frozen=True)
class EvaluateRequest:
    """What to judge; the fields are the options of `paintpipe evaluate`."""

    workspace: Path
    layers: tuple[str, ...] = ()
    taxonomy: str | None = None
    fill: str | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    spread: WorkerOptions = field(default_factory=WorkerOptions)
    quiet: bool = False
    log_json: Path | None = None


@dataclass(frozen=True)
class EvaluateResult:
    """What evaluate found.

    Attributes:
        tables: by name, all layers below each other.
        problems: what could not be judged, a line each.
        hints: why a figure is missing, a line each.
        folder: where the tables lie.
    """

    tables: dict[str, pa.Table]
    problems: list[str]
    hints: list[str]
    folder: Path

    def text(self) -> str:
        """What the command prints."""
        return "\n".join([comparison(self.tables), *self.problems, *self.hints, f"tables: {self.folder}"])

    def to_json(self) -> dict[str, Any]:
        """The same for programs: each table as a list of rows."""
        tables = {name: table.to_pylist() for name, table in self.tables.items()}
        return {"folder": self.folder, "tables": tables, "problems": self.problems, "hints": self.hints}


def evaluate(request: EvaluateRequest) -> EvaluateResult:
    """Judge each layer and write `tables/`.

    A layer that can't be judged is a problem where no layer was named, and an error where it was.

    Raises:
        WorkspaceError: no ground truth, or nothing painted.
        TaxonomyError: a layer can't be mapped to the taxonomy of the labels.
    """
    workspace = Workspace(request.workspace)
    catalog = open_catalog(workspace.catalog)
    info = catalog.info
    if info.labels_taxonomy is None and info.boxes_taxonomy is None:
        raise WorkspaceError(f"{info.dataset} as ingested has no point labels and no boxes to judge by")
    if request.fill and info.labels_taxonomy is None:
        raise ConfigError("--fill does nothing here: the dataset has boxes and no point labels", todo="leave it out")
    opened = existing_store(request.workspace)
    parts: list[dict[str, pa.Table]] = []
    judged: list[tuple[Layer, str | None]] = []
    problems: list[str] = []
    log = listened(workspace.runs, quiet=request.quiet, log_json=request.log_json)
    with workspace_lock(workspace.ledger), log as bus:
        workspace.clean_staging()
        for layer in open_layers(opened, catalog, request.layers, request.sequences):
            try:
                tables, rejected = _judge(layer, request, catalog, opened, bus)
            except (TaxonomyError, WorkspaceError) as error:
                if request.layers:
                    raise
                problems.append(f"layer {layer.name} is left out: {error.line()}")
                continue
            parts.append(tables)
            judged.append((layer, request.taxonomy or info.labels_taxonomy))
            problems += [f"layer {layer.name}: {row.reason}" for row in rejected]
        if not parts:
            raise WorkspaceError("no layer can be judged", todo="; ".join(problems))
        names = list(dict.fromkeys(name for part in parts for name in part))
        every = {name: pa.concat_tables([part[name] for part in parts if name in part]) for name in names}
        write_tables(workspace.tables, _signed(every, judged, request.limit))
    return EvaluateResult(every, problems, _hints(every), workspace.tables)


def _signed(
    tables: dict[str, pa.Table], judged: Sequence[tuple[Layer, str | None]], limit: int | None
) -> dict[str, pa.Table]:
    """The tables, with what `classes` was made from written into it: see `workflows/judged.py`."""
    if "classes" not in tables:
        return tables
    signatures = {layer.name: signature(layer, taxonomy, limit) for layer, taxonomy in judged if taxonomy}
    return {**tables, "classes": signed(tables["classes"], signatures)}


def write_tables(folder: Path, tables: dict[str, pa.Table], comparison_name: str = "comparison.md") -> None:
    """Each table as Parquet, CSV and Markdown, and one Markdown file with the layers side by side."""
    for name, table in tables.items():
        write_table(folder, name, table)
    write_text(folder / comparison_name, comparison(tables))


def write_table(folder: Path, name: str, table: pa.Table) -> None:
    """A table as Parquet, CSV and Markdown."""
    write_parquet(folder / f"{name}.parquet", table)
    write_csv(folder / f"{name}.csv", table)
    write_text(folder / f"{name}.md", to_markdown(table))


def _judge(
    layer: Layer, request: EvaluateRequest, catalog: Catalog, opened: OpenStore, bus: Bus
) -> tuple[dict[str, pa.Table], list[RejectedRow]]:
    """The tables of a layer, and the files that could not be read."""
    root = open_root(catalog.info.root)
    judge = FrameJudge(catalog, opened, layer, root, request.taxonomy, request.fill)
    total = _tally(layer, request, catalog, opened, root, bus)
    if total.empty:
        reason = total.rejected[0].reason if total.rejected else "the dataset has none for these sequences"
        raise WorkspaceError(f"no frame of this layer has ground truth: {reason}", where=layer.name)
    return judge.tables(total), sorted(total.rejected, key=lambda row: row.path)


def _hints(tables: dict[str, pa.Table]) -> list[str]:
    """A line for each layer whose points were all left out."""
    if "summary" not in tables:
        return []
    points: Counter[str] = Counter()
    for row in tables["summary"].select(["layer", "num_points"]).to_pylist():
        points[row["layer"]] += row["num_points"]
    why = "the label files name only classes that the taxonomy ignores, or another taxonomy's (see --taxonomy)"
    return [f"layer {name}: no point has a label that counts; {why}" for name, count in points.items() if not count]


def _tally(layer: Layer, request: EvaluateRequest, catalog: Catalog, opened: OpenStore, root: Root, bus: Bus) -> Tally:
    """The sum over all frames; counts are whole numbers, so that the order of the parts doesn't matter."""
    terms = Terms(some_file_sizes(catalog, root) if elsewhere(request.spread) else {}, libraries=library_versions())
    job = JudgeJob(opened, layer, root, request.taxonomy, request.fill, terms)
    runs = list(painted_runs(layer, request.limit))
    tasks = (JudgeTask(catalog.part(*run), *run) for run in runs)
    bus.emit(RunStarted(f"evaluate {layer.name}", sum(stop - start for _, start, stop in runs), len(runs)))
    total, spread = Tally(), executor_settings(request.spread, threads=1)
    with ended(bus), closing(executor(spread).run(tasks, job, bus.emit)) as done:
        for _, tally in done:
            total += tally
    return total
