"""`paintpipe report`: what a workspace holds and how good it is, as one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paintpipe import __version__
from paintpipe.pipeline.publish import publish_file
from paintpipe.pipeline.report import read_reports
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.tables import read_parquet
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas import tables as schemas
from paintpipe.schemas.errors import PaintpipeError, WorkspaceError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.taxonomies.load import load_taxonomy, taxonomy_names
from paintpipe.stages.view.bev import painted_reach_m
from paintpipe.stages.view.encode import encode_jpeg
from paintpipe.stages.view.report.build import report_page
from paintpipe.stages.view.report.facts import FrameFacts, LayerFacts, ReportFacts, Row
from paintpipe.stages.view.report.frames import chosen, frame_words, ranked, spread
from paintpipe.stages.view.style import css_colors
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.choose_painter import PainterChoice
from paintpipe.workflows.layers import Layer, open_layers, painted_frames
from paintpipe.workflows.pictures import PictureSource
from paintpipe.workflows.status import FORMATS, status
from paintpipe.workflows.stores import OpenStore, existing_store
from paintpipe.workflows.view import at_a_glance

NAME = "report.html"
MOST_RUNS = 30
MOST_REJECTED = 500
"""Rejected files on the page; the catalog's table holds them all."""
_TABLES = (
    *("summary", "classes", "coverage", "ranges", "cameras", "edges", "occlusion", "confusion"),
    *("boxes", "box_labels", "frames"),
)
_ALSO = ("images", "reliability", "confidence", "calibration")
"""Tables that only some evaluations write."""


@dataclass(frozen=True)
class ReportRequest:
    """What to report on; the fields are the options of `paintpipe report`.

    Attributes:
        workspace: its folder.
        layer: whose frames are shown, None for the layer painted last.
        frames: best and worst frames with pictures, each so many (where nothing ranks them, so many); 0 for none.
        out: the page, None for `report.html` in the workspace.
    """

    workspace: Path
    layer: str | None = None
    frames: int = 3
    out: Path | None = None


def report(request: ReportRequest) -> Path:
    """Write the page; returns where it is.

    Raises:
        WorkspaceError: no catalog, no such layer, or tables of another version.
        StoreError: damaged files, or the page can't be written.
    """
    out = request.out or request.workspace / NAME
    publish_file(out, report_page(_facts(request)).encode("utf-8", "replace"))
    return out


def _facts(request: ReportRequest) -> ReportFacts:
    workspace = Workspace(request.workspace)
    catalog = open_catalog(workspace.catalog)
    painted = _painted(request.workspace, catalog)
    tables = {name: rows for name in (*_TABLES, *_ALSO) if (rows := _rows(workspace.tables, name))}
    rejected = read_parquet(workspace.catalog / "rejected.parquet").slice(0, MOST_REJECTED).to_pylist()
    runs, num_runs = read_reports(workspace.runs, MOST_RUNS)
    shown = _shown_layer(request, workspace, painted)
    frames = _frames(request, workspace, catalog, shown, tables.get("frames", ()))
    return ReportFacts(
        workspace=request.workspace.resolve().name,
        info=catalog.info,
        layers=_layers(request.workspace, painted),
        tables=tables,
        rejected=rejected,
        runs=runs,
        num_runs=num_runs,
        frames_layer=shown[1].name if shown else "",
        **frames,
        colors=_colors(tables),
        made=f"made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by paintpipe {__version__}",
    )


def _painted(path: Path, catalog: Catalog) -> list[tuple[OpenStore, Layer]]:
    """Every layer with the store that it lies in; none where nothing is painted."""
    found: list[tuple[OpenStore, Layer]] = []
    for kind in FORMATS:
        try:
            opened = existing_store(path, kind)
            if not any(target.startswith("layers/") for target in opened.ledger.targets()):
                continue
        except WorkspaceError:
            continue  # nothing painted in this format
        found += [(opened, layer) for layer in open_layers(opened, catalog)]
    return found


def _shown_layer(
    request: ReportRequest, workspace: Workspace, painted: Sequence[tuple[OpenStore, Layer]]
) -> tuple[OpenStore, Layer] | None:
    """The layer whose frames are shown: the one asked for, else the one painted last, else the first."""
    names = [layer.name for _, layer in painted]
    if request.layer is not None and request.layer not in names:
        expected = "one of " + ", ".join(names) if names else ""
        raise WorkspaceError(f"no painted layer {request.layer!r}", expected=expected, todo="run `paintpipe paint`")
    wanted = request.layer or workspace.read_config().get("last", {}).get("layer")
    return next((pair for pair in painted if pair[1].name == wanted), painted[0] if painted else None)


def _layers(path: Path, painted: Sequence[tuple[OpenStore, Layer]]) -> list[LayerFacts]:
    done = {(target.store_format, target.target): target for target in status(path).targets}
    found = []
    for opened, layer in painted:
        target = done[opened.store_format, f"layers/{layer.name}"]
        words = _painter_words(layer.table.attributes.get("painter", {}), layer.name)
        facts = (layer.taxonomy.name, target.frames, target.all_frames, target.num_bytes)
        found.append(LayerFacts(layer.name, words, *facts))
    return found


def _painter_words(painter: Mapping[str, Any], layer: str) -> str:
    """`network: espnetv2-s2.0-cityscapes`, or the kind alone where the layer's name says the rest."""
    kind, model = str(painter.get("painter", "unknown")), painter.get("model")
    return f"{kind}: {model}" if model and model != layer else kind


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """Rows of a table of `evaluate`, [] where it is not there.

    Raises:
        WorkspaceError: it lacks a column.
    """
    path = folder / f"{name}.parquet"
    if not path.is_file():
        return []
    table = read_parquet(path)
    schema = getattr(schemas, name.upper())
    if missing := [column for column in schema.names if column not in table.column_names]:
        what, todo = f"has no column {missing[0]}", "run `paintpipe evaluate` again"
        raise WorkspaceError(what, where=str(path), expected="a table of this version", todo=todo)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _colors(tables: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """Colours of the classes that layers were judged in; none where no taxonomy has them all."""
    names = {row["class"] for row in tables.get("classes", ())}
    found = [taxonomy for taxonomy in map(load_taxonomy, taxonomy_names()) if names <= set(taxonomy.classes)]
    return css_colors(found[0]) if names and found else {}


def _frames(
    request: ReportRequest,
    workspace: Workspace,
    catalog: Catalog,
    shown: tuple[OpenStore, Layer] | None,
    rows: Sequence[Row],
) -> dict[str, list[FrameFacts]]:
    """The best and the worst frames of the layer, drawn; where nothing ranks them, some."""
    if shown is None:
        return {}
    opened, layer = shown
    choice = PainterChoice(None, None, "", segment=SegmentSettings())
    source = PictureSource(workspace, catalog, opened, layer, open_root(catalog.info.root), choice)
    measure, ordered = ranked([row for row in rows if row["layer"] == layer.name])
    if measure is None:
        places = spread(list(painted_frames(layer)), request.frames)
        return {"sample": [_frame(source, _named(catalog, *place), "") for place in places]}
    best, worst = (
        [_frame(source, row, frame_words(row, measure)) for row in group] for group in chosen(ordered, request.frames)
    )
    return {"best": best, "worst": worst}


def _named(catalog: Catalog, sequence: str, index: int) -> Row:
    """A frame by its name, as the table `frames` tells it."""
    (frame_id,) = catalog.column("frames", sequence, "frame_id", index, index + 1)
    return {"sequence": sequence, "frame_id": frame_id}


def _frame(source: PictureSource, row: Row, words: str) -> FrameFacts:
    sequence, frame_id = row["sequence"], row["frame_id"]
    try:
        index = source.catalog.column("frames", sequence, "frame_id").index(frame_id)
        frame = source.frame(sequence, index)
        picture = encode_jpeg(at_a_glance(source, frame, painted_reach_m(frame.points, frame.label)))
    except (PaintpipeError, LookupError, ValueError) as error:
        reason = error.line() if isinstance(error, PaintpipeError) else "the catalog has no such frame any more"
        return FrameFacts(sequence, frame_id, words, None, reason)
    return FrameFacts(sequence, frame_id, words, picture)
