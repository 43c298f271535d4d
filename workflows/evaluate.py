"""`paintpipe evaluate`: painted layers against ground truth, as tables."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from paintpipe.pipeline.executors import executor
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.pipeline.tables import to_markdown, write_csv, write_parquet, write_text
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import TaxonomyError, WorkspaceError
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.comparison import comparison
from paintpipe.workflows.evaluate_frame import FrameJudge, Tally
from paintpipe.workflows.layers import Layer, open_layers, painted_frames
from paintpipe.workflows.stores import OpenStore, existing_store


@dataclass(frozen=True)
class EvaluateRequest:
    """What to judge; the fields are the options of `paintpipe evaluate`."""

    workspace: Path
    layers: tuple[str, ...] = ()
    taxonomy: str | None = None
    fill: str | None = None
    sequences: tuple[str, ...] = ()
    limit: int | None = None
    workers: int = 2
    quiet: bool = False


@dataclass(frozen=True)
class EvaluateResult:
    """What evaluate found: the text that the command prints, and what could not be judged."""

    text: str
    problems: list[str]


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
    opened = existing_store(request.workspace)
    parts: list[dict[str, pa.Table]] = []
    problems: list[str] = []
    with workspace_lock(workspace.ledger):
        for layer in open_layers(opened, catalog, request.layers, request.sequences):
            try:
                tables, rejected = _judge(layer, request, catalog, opened)
            except (TaxonomyError, WorkspaceError) as error:
                if request.layers:
                    raise
                problems.append(f"layer {layer.name} is left out: {error.line()}")
                continue
            parts.append(tables)
            problems += [f"layer {layer.name}: {row.reason}" for row in rejected]
        if not parts:
            raise WorkspaceError("no layer can be judged", todo="; ".join(problems))
        names = list(dict.fromkeys(name for part in parts for name in part))
        every = {name: pa.concat_tables([part[name] for part in parts if name in part]) for name in names}
        write_tables(workspace.tables, every)
    text = "\n".join([comparison(every), *problems, f"tables: {workspace.tables}"])
    return EvaluateResult(text, problems)


def write_tables(folder: Path, tables: dict[str, pa.Table], comparison_name: str = "comparison.md") -> None:
    """Each table as Parquet, CSV and Markdown, and one Markdown file with the layers side by side."""
    for name, table in tables.items():
        write_parquet(folder / f"{name}.parquet", table)
        write_csv(folder / f"{name}.csv", table)
        write_text(folder / f"{name}.md", to_markdown(table))
    write_text(folder / comparison_name, comparison(tables))


def _judge(
    layer: Layer, request: EvaluateRequest, catalog: Catalog, opened: OpenStore
) -> tuple[dict[str, pa.Table], list[RejectedRow]]:
    """The tables of a layer, and the files that could not be read."""
    judge = FrameJudge(catalog, opened, layer, LocalRoot(catalog.info.root), request.taxonomy, request.fill)
    frames = list(painted_frames(layer, request.limit))
    total = Tally()
    judged = executor("threads", request.workers).run(frames, judge)
    for _, tally in track(judged, f"evaluate {layer.name}", "frame", quiet=request.quiet, total=len(frames)):
        total += tally
    if total.empty:
        reason = total.rejected[0].reason if total.rejected else "the dataset has none for these sequences"
        raise WorkspaceError(f"no frame of this layer has ground truth: {reason}", where=layer.name)
    return judge.tables(total), sorted(total.rejected, key=lambda row: row.path)
