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
from paintpipe.schemas.errors import WorkspaceError
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


def evaluate(request: EvaluateRequest) -> str:
    """Judge each layer, write `tables/`, and return what the command prints.

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
    layers = open_layers(opened, request.layers, request.sequences)
    with workspace_lock(workspace.ledger):
        parts = [_judge(layer, request, catalog, opened) for layer in layers]
        tables = {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}
        write_tables(workspace.tables, tables)
    return f"{comparison(tables)}\ntables: {workspace.tables}"


def write_tables(folder: Path, tables: dict[str, pa.Table]) -> None:
    """Each table as Parquet, CSV and Markdown, and `comparison.md` with the layers side by side."""
    for name, table in tables.items():
        write_parquet(folder / f"{name}.parquet", table)
        write_csv(folder / f"{name}.csv", table)
        write_text(folder / f"{name}.md", to_markdown(table))
    write_text(folder / "comparison.md", comparison(tables))


def _judge(layer: Layer, request: EvaluateRequest, catalog: Catalog, opened: OpenStore) -> dict[str, pa.Table]:
    judge = FrameJudge(catalog, opened, layer, LocalRoot(catalog.info.root), request.taxonomy, request.fill)
    frames = list(painted_frames(layer, request.limit))
    total = Tally()
    judged = executor("threads", request.workers).run(frames, judge)
    for _, tally in track(judged, f"evaluate {layer.name}", "frame", quiet=request.quiet, total=len(frames)):
        total += tally
    if total.empty:
        raise WorkspaceError("no frame of this layer has ground truth", where=layer.name)
    return judge.tables(total)
