"""`paintpipe view`: a frame, a sequence or a layer's scores as pictures."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from paintpipe.pipeline.faults import write_error
from paintpipe.pipeline.progress import track
from paintpipe.pipeline.publish import make_folders, publish_file
from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.arrays import UInt8
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.taxonomies.load import box_classes
from paintpipe.stages.view.bev import birds_eye, painted_reach_m
from paintpipe.stages.view.canvas import letterboxed
from paintpipe.stages.view.encode import encode_png
from paintpipe.stages.view.legend import present_labels
from paintpipe.stages.view.sheet import CameraPanel, frame_sheet, mosaic, sheet_birds_eye_px
from paintpipe.stages.view.video import VideoWriter, side_by_side
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.choose_painter import PainterChoice
from paintpipe.workflows.layers import Layer, open_layers, painted_frames
from paintpipe.workflows.pictures import FramePictures, PictureSource
from paintpipe.workflows.stores import existing_store
from paintpipe.workflows.view_3d import write_scene
from paintpipe.workflows.view_charts import charts

_LONGEST_STEM = 200
"""Characters; a file system takes 255 bytes."""


@dataclass(frozen=True)
class ViewRequest:
    """What to draw; the fields are the options of `paintpipe view`."""

    workspace: Path
    model: str | None = None
    weights: Path | None = None
    trust_model: str = ""
    segment: SegmentSettings = field(default_factory=SegmentSettings)
    layer: str | None = None
    frame: str | None = None
    sequence: str | None = None
    video: bool = False
    charts: bool = False
    single: bool = False
    three_d: bool = False
    out: Path | None = None
    quiet: bool = False


def view(request: ViewRequest) -> list[Path]:
    """Draw what was asked for; returns the files written.

    Raises:
        WorkspaceError: nothing is painted, or (charts) nothing evaluated.
        ConfigError: no such frame or sequence.
    """
    workspace = Workspace(request.workspace)
    out = request.out or workspace.figures
    catalog, opened = open_catalog(workspace.catalog), existing_store(request.workspace)
    last = workspace.read_config().get("last", {}).get("layer")
    name = last if request.layer is None else request.layer
    layer = open_layers(opened, catalog, () if name is None else (name,))[0]
    if request.charts:
        return charts(workspace.tables, layer, out)
    choice = PainterChoice(request.model, request.weights, request.trust_model, segment=request.segment)
    source = PictureSource(workspace, catalog, opened, layer, open_root(catalog.info.root), choice)
    if request.video:
        return [_video(source, layer, request, out)]
    sequence, index = _place(source, layer, request.frame, request.sequence)
    if request.three_d:
        return [write_scene(source, (sequence, index), _page_path(source, sequence, index, out))]
    frame = source.frame(sequence, index)
    pictures = frame_pictures(source, frame, single=request.single)
    stem = f"{layer.name}-{sequence}-{frame.row.frame_id}"
    return [_save(out / f"{file_stem(stem + suffix)}.png", picture) for suffix, picture in pictures.items()]


def file_stem(text: str) -> str:
    """A file's name without its ending, which leads into no folder: frames and cameras are named by their dataset."""
    return re.sub(r"[^A-Za-z0-9._+-]", "_", text)[:_LONGEST_STEM]


def frame_pictures(source: PictureSource, frame: FramePictures, single: bool) -> dict[str, UInt8]:
    """Pictures of a frame by the end of their file name: one sheet, or each picture alone."""
    scale = 2.0 if len(frame.images) > 2 else 1.0
    panels = [
        CameraPanel(row.camera, source.points_on(frame, row, image, scale), source.segmented(row, image))
        for row, image in frame.images
    ]
    sizes = [(row.height_px, row.width_px) for row, _ in frame.images]
    side_px = sheet_birds_eye_px(sizes, segmented=any(panel.segmented is not None for panel in panels))
    above = _birds_eye(source, frame, 900 if single else side_px, painted_reach_m(frame.points, frame.label))
    if single:
        pictures = {f"-{panel.camera}-points": panel.points for panel in panels}
        pictures |= {f"-{panel.camera}-classes": panel.segmented for panel in panels if panel.segmented is not None}
        return {**pictures, "-birds-eye": above}
    taxonomy = source.layer.taxonomy
    title = f"{source.catalog.info.dataset}  {frame.row.sequence} / {frame.row.frame_id}"
    painted = int((frame.label != 255).sum())
    subtitle = f"layer {source.layer.name}: {painted:,} of {len(frame.label):,} points painted"
    return {"": frame_sheet(panels, above, title, taxonomy, present_labels(frame.label), subtitle)}


def _birds_eye(source: PictureSource, frame: FramePictures, side_px: int, reach_m: float) -> UInt8:
    turn = frame.row.ego_SE3_lidar
    taxonomy = source.layer.taxonomy
    classes = box_classes(taxonomy.name)
    return birds_eye(
        frame.points, frame.label, taxonomy, reach_m, side_px, frame.boxes, box_classes=classes, ego_SE3_lidar=turn
    )


def _video(source: PictureSource, layer: Layer, request: ViewRequest, out: Path) -> Path:
    wanted = request.sequence or layer.shards[0].sequence
    places = [place for place in painted_frames(layer) if place[0] == wanted]
    if not places:
        names = dict.fromkeys(shard.sequence for shard in layer.shards)
        raise ConfigError(f"no painted sequence {wanted!r}", expected="one of " + ", ".join(names))
    path = out / f"{layer.name}-{wanted}.mp4"
    try:
        make_folders(out)
    except OSError as error:
        raise write_error(error, out) from error
    first = source.frame(*places[0])
    reach_m = painted_reach_m(first.points, first.label)
    # A video has one size, where frames may differ (KITTI's images do).
    height_px, width_px = at_a_glance(source, first, reach_m).shape[:2]
    with VideoWriter(path, (width_px, height_px), _frames_per_second(source, places)) as writer:
        for place in track(places, "video", "frame", quiet=request.quiet):
            picture = at_a_glance(source, source.frame(*place), reach_m)
            writer.write(letterboxed(picture, width_px, height_px))
    return path


def at_a_glance(source: PictureSource, frame: FramePictures, reach_m: float) -> UInt8:
    """(480 or so, W, 3) a frame in little room: painted points on its images, and from above; no network is run."""
    pictures = [source.points_on(frame, row, image) for row, image in frame.images]
    above = _birds_eye(source, frame, 480, reach_m)
    if not pictures:
        return above
    cameras = [row.camera for row, _ in frame.images]
    seen = pictures[0] if len(pictures) == 1 else mosaic(pictures, cameras, 1280)
    return side_by_side(seen, above, 480)


def _frames_per_second(source: PictureSource, places: list[tuple[str, int]]) -> float:
    times = [time for time in source.catalog.column("frames", places[0][0], "timestamp_us") if time is not None]
    if len(times) < 2 or times[-1] <= times[0]:
        return 10.0
    return min(30.0, max(1.0, (len(times) - 1) * 1e6 / (times[-1] - times[0])))


def _page_path(source: PictureSource, sequence: str, index: int, out: Path) -> Path:
    """The file that was named, or one in the folder that was."""
    if out.suffix.lower() == ".html":
        return out
    (frame_id,) = source.catalog.column("frames", sequence, "frame_id", index, index + 1)
    return out / f"{file_stem(f'{source.layer.name}-{sequence}-{frame_id}-3d')}.html"


def _place(source: PictureSource, layer: Layer, frame: str | None, wanted: str | None = None) -> tuple[str, int]:
    """The frame that was asked for; without a name the first, of the sequence that was asked for."""
    places = [place for place in painted_frames(layer) if wanted in (None, place[0])]
    if not places:
        there = dict.fromkeys(shard.sequence for shard in layer.shards)
        raise ConfigError(f"no painted sequence {wanted!r}", expected="one of " + ", ".join(there))
    if frame is None:
        return places[0]
    sequence, _, frame_id = frame.rpartition("/")
    names = [name for name in dict.fromkeys(name for name, _ in places) if sequence in ("", name)]
    ids = {name: source.catalog.column("frames", name, "frame_id") for name in names}
    for name, index in places:
        if name in ids and ids[name][index] == frame_id:
            return name, index
    raise ConfigError(f"no painted frame {frame!r} in layer {layer.name}", expected="SEQUENCE/FRAME_ID")


def _save(path: Path, picture: UInt8) -> Path:
    publish_file(path, encode_png(picture))
    return path
