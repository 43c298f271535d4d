"""`paintpipe demo`: the whole job on synthetic streets, from raw files to a page of pictures."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from paintpipe.pipeline.publish import publish_file
from paintpipe.pipeline.tables import read_parquet, to_markdown
from paintpipe.stages.synth.settings import Layout
from paintpipe.stages.view.page import Code, Heading, Links, Picture, Section, Table, Text, html_page
from paintpipe.workflows.comparison import TITLES, compared, table_cells
from paintpipe.workflows.evaluate import EvaluateRequest, evaluate
from paintpipe.workflows.ingest import IngestRequest, ingest
from paintpipe.workflows.paint import PaintRequest, paint
from paintpipe.workflows.report import NAME, ReportRequest, report
from paintpipe.workflows.synth import synth
from paintpipe.workflows.view import ViewRequest, view

LAYER = "street-tiny"
SCENE = "scene-3d.html"
PRINTED = tuple(TITLES[name] for name in ("summary", "classes", "edges"))
"""Titles of the tables that the command prints; the page shows all."""


@dataclass(frozen=True)
class Part:
    """One half of the demo.

    Attributes:
        layout: whose file formats.
        title: heading on the page.
        frames: sweeps (nuScenes: keyframes) to make.
        story: what the reader is looking at.
        video: whether to draw one.
    """

    layout: Layout
    title: str
    frames: int
    story: str
    video: bool = False


PARTS = (
    Part(
        "semantickitti",
        "A drive in SemanticKITTI's layout",
        8,
        "One forward camera and a 64-beam LiDAR. The network street-tiny has never seen this street; the layer masks "
        "is painted from exact label images instead: what is wrong there is due to projection and occlusion alone.",
        video=True,
    ),
    Part(
        "nuscenes",
        "A scene in nuScenes' layout",
        2,
        "Six cameras around a 32-beam LiDAR; each image is taken at its own instant, and the vehicle's motion between "
        "sweep and image is taken out before the points are projected.",
    ),
)

NEXT = """paintpipe ingest kitti FOLDER_WITH_training --workspace kitti-painted
cd kitti-painted
paintpipe models                                   # the networks, with licence and source
paintpipe models fetch espnetv2-s2.0-cityscapes    # or your own weights, ONNX file or model card
paintpipe paint --model espnetv2-s2.0-cityscapes
paintpipe evaluate
paintpipe view"""


def layouts() -> list[str]:
    """Whose file formats the demo shows; each has a workspace of this name."""
    return [part.layout for part in PARTS]


def demo(out: Path, seed: int = 7, quiet: bool = False) -> str:
    """Make both datasets, ingest, paint, evaluate, draw; returns what the command prints at its end.

    Args:
        out: folder for everything; painted parts that are done are not painted again.
        seed: of the synthetic streets.
        quiet: no progress bars.
    """
    texts: list[str] = []
    page: list[Section] = [Text("Synthetic streets with exact labels: what paintpipe does, from raw files to tables.")]
    for part in PARTS:
        text, shown = _part(part, out, seed, quiet)
        texts.append(f"# {part.title}\n\n{text}")
        page += [Heading(part.title), Text(part.story), *shown]
    page += [Heading("Your own data"), Code(NEXT)]
    publish_file(out / "index.html", html_page("paintpipe demo", page).encode())
    where = f"page: {out / 'index.html'}\ndata: {out / 'data'}\nworkspaces: "
    where += ", ".join(str(out / part.layout) for part in PARTS)
    where += "\nreports: " + ", ".join(str(out / part.layout / NAME) for part in PARTS)
    where += "\nframes in 3-D: " + ", ".join(str(out / part.layout / SCENE) for part in PARTS)
    return "\n\n".join([*texts, where, f"next, with real data:\n{_indented(NEXT)}"])


def _part(part: Part, out: Path, seed: int, quiet: bool) -> tuple[str, list[Section]]:
    data, workspace = out / "data" / part.layout, out / part.layout
    synth(data, part.layout, seed, part.frames, quiet=quiet)
    ingest(IngestRequest(part.layout, str(data), workspace, quiet=quiet))
    paint(PaintRequest(workspace, from_masks=data / "masks", layer="masks", quiet=quiet, overwrite=True))
    paint(PaintRequest(workspace, model=LAYER, layer=LAYER, quiet=quiet, overwrite=True))
    evaluate(EvaluateRequest(workspace, quiet=quiet))
    report(ReportRequest(workspace, layer=LAYER))
    view(ViewRequest(workspace, layer=LAYER, three_d=True, out=workspace / SCENE, quiet=quiet))
    paths = sorted((workspace / "tables").glob("*.parquet"))
    tables = dict(compared({path.stem: read_parquet(path) for path in paths}))
    printed = [f"## {title}\n\n{to_markdown(table)}" for title, table in tables.items() if title in PRINTED]
    shown = [_table(title, table) for title, table in tables.items()]
    links = Links([("Report", f"{part.layout}/{NAME}"), ("A frame in 3-D", f"{part.layout}/{SCENE}")])
    return "\n".join(printed), [links, *_pictures(part, workspace, quiet), *shown]


def _table(title: str, table: pa.Table) -> Table:
    header, *rows = table_cells(table)
    return Table(header, rows, title)


def _pictures(part: Part, workspace: Path, quiet: bool) -> list[Section]:
    request = ViewRequest(workspace, layer=LAYER, quiet=quiet)
    sheet = view(request)[0]
    charts = view(ViewRequest(workspace, layer=LAYER, charts=True, quiet=quiet))
    if part.video:
        view(ViewRequest(workspace, layer=LAYER, video=True, quiet=quiet))
    captions = ["A painted frame: segmentation, painted points, bird's-eye view"]
    captions += ["Confusion matrix", "IoU by class", "Reliability of the scores"]
    return [
        Picture(path.read_bytes(), caption, f"{caption}, {part.title}")
        for path, caption in zip([sheet, *charts], captions, strict=True)
    ]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
