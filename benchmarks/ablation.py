"""What each policy of painting does to the labels of points: occlusion, depth edges, overlapping cameras.

    python benchmarks/ablation.py                        # synthetic streets with exact truth, seeds 201 to 204
    python benchmarks/ablation.py --seeds 101,102        # the streets that the constants were tuned on: 101 to 104
    python benchmarks/ablation.py --real FOLDER          # also real frames; FOLDER holds kitti, semantickitti, weights

Synthetic drives are written below --data and used again where they lie there. "Painted mIoU" is the mean over the
classes present of the IoU among labelled points that are painted; "right lost" is the share of the points that the
plain rule paints rightly and this one leaves unpainted or paints wrongly; "wrong mended" the share of its wrong ones
that are so no longer; "coverage" the painted share of labelled points in view.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.arrays import UNPAINTED, Float32, Int64, UInt8
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.catalog import BoxRow, FrameRow, ImageRow
from paintpipe.schemas.painted import Flag
from paintpipe.schemas.pixels import CameraImage, PixelClasses, PixelLabels
from paintpipe.schemas.settings import PaintSettings, SegmentSettings
from paintpipe.schemas.taxonomy import Mapping as TaxonomyMapping
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.confusion import confusion, present_miou
from paintpipe.stages.ingest.formats import decode_labels, decode_points
from paintpipe.stages.ingest.images import decode_image, decode_label_map
from paintpipe.stages.ingest.reader import IngestOptions, open_dataset
from paintpipe.stages.paint.boxes import points_in_box
from paintpipe.stages.paint.frame import paint_frame
from paintpipe.stages.paint.oracle import oracle_from_labels
from paintpipe.stages.segment.registry import find_card
from paintpipe.stages.segment.segmenter import load_segmenter
from paintpipe.stages.synth.settings import MARKER, SynthSettings
from paintpipe.stages.synth.write import write_nuscenes, write_semantickitti
from paintpipe.stages.taxonomies.apply import labels_from_scores, map_scores
from paintpipe.stages.taxonomies.load import box_classes, load_mapping, load_taxonomy

PLAIN = PaintSettings(occlusion="off", edges="flag")
POLICIES: dict[str, PaintSettings] = {
    "plain, flag": PLAIN,
    "clear": replace(PLAIN, occlusion="clear"),
    "smooth": replace(PLAIN, edges="smooth"),
    "flag + smooth": replace(PLAIN, occlusion="flag", edges="smooth"),
    "clear + smooth": replace(PLAIN, occlusion="clear", edges="smooth"),
}
OVERLAPS: dict[str, PaintSettings] = {
    f"overlap {name}": replace(PLAIN, overlap=name) for name in ("margin", "random", "mean", "max", "first")
}
CITY = "cityscapes19-background"


@dataclass(frozen=True)
class Frame:
    """One frame as it is painted, and its truth: point labels, boxes, or both."""

    key: str
    points: Float32
    views: list[CameraView]
    pixels: Mapping[str, PixelClasses]
    num_classes: int
    truth: UInt8 | None = None
    mapping: TaxonomyMapping | None = None
    boxes: list[BoxRow] = field(default_factory=list)

    def labels(self, settings: PaintSettings) -> tuple[UInt8, UInt8]:
        """(N,) labels in the truth's classes, 255 where unpainted, and (N,) flags."""
        names = tuple(sorted(view.camera for view in self.views))
        frame = paint_frame(self.points, self.views, self.pixels, names, self.num_classes, settings, self.key)
        if self.mapping is None:
            return frame.label, frame.flags
        return labels_from_scores(map_scores(frame.scores, self.points, self.mapping), self.mapping.target), frame.flags


def synthetic(data: Path, layout: str, seeds: Sequence[int], frames: int) -> Path:
    """Write what is not there yet."""
    for seed in seeds:
        root = data / f"{layout}-{seed}-{frames}"
        if not (root / MARKER).is_file():
            write = write_semantickitti if layout == "semantickitti" else write_nuscenes
            write(root, SynthSettings(seed=seed, frames=frames, keyframes=frames))
    return data


Painter = Callable[[LocalRoot, ImageRow, bytes], PixelClasses]


def read(dataset: str, root: Path, painter: Painter, own: Taxonomy, cameras: tuple[str, ...] = ()) -> Iterator[Frame]:
    """Every labelled keyframe of a dataset."""
    source = LocalRoot(root)
    reader = open_dataset(dataset, source, IngestOptions())
    for sequence in reader.sequences():
        rows = reader.read(sequence, None)
        for row in rows.frames:
            images = [i for i in rows.images if i.index == row.index and (not cameras or i.camera in cameras)]
            if not images or not row.is_keyframe:
                continue
            pixels = {i.camera: painter(source, i, source.open_bytes(i.image_path).read()) for i in images}
            points = decode_points(
                source.open_bytes(row.points_path).read(), len(row.point_features), row.points_path, row.points_format
            )
            truth, mapping = _truth(source, row, reader.labels_taxonomy, own)
            boxes = [box for box in rows.boxes if box.index == row.index]
            views = [CameraView(i.camera, i.width_px, i.height_px, i.image_from_lidar, 0.0, i.dt_us) for i in images]
            yield Frame(f"{sequence}/{row.frame_id}", points, views, pixels, len(own), truth, mapping, boxes)


def _truth(
    source: LocalRoot, row: FrameRow, taxonomy: str | None, own: Taxonomy
) -> tuple[UInt8 | None, TaxonomyMapping | None]:
    if taxonomy is None or row.labels_path is None or row.labels_format is None:
        return None, None
    data = source.open_bytes(row.labels_path).read()
    raw = decode_labels(data, row.labels_format, row.num_points, row.labels_path)
    return oracle_from_labels(raw, load_taxonomy(taxonomy)), load_mapping(own.name, taxonomy)


def exact_masks(root: Path, num_classes: int) -> Painter:
    def pixels(_source: LocalRoot, image: ImageRow, _data: bytes) -> PixelClasses:
        path = (root / "masks" / image.image_path).with_suffix(".png")
        return PixelLabels(decode_label_map(path.read_bytes(), str(path)), num_classes)

    return pixels


def network(name: str, weights: Path | None, taxonomy: Taxonomy) -> Painter:
    segmenter = load_segmenter(find_card(name), weights, len(taxonomy), SegmentSettings(threads=1))

    def pixels(_source: LocalRoot, image: ImageRow, data: bytes) -> PixelClasses:
        decoded: CameraImage = decode_image(data, image.image_path)
        return segmenter.predict([decoded])[0]

    return pixels


@dataclass
class Counts:
    """Sums over frames of one policy."""

    matrix: Int64 | int = 0
    plain_right: int = 0
    lost: int = 0
    plain_wrong: int = 0
    mended: int = 0

    def add(self, plain: UInt8, labels: UInt8, truth: UInt8, in_view: Any, num_classes: int) -> None:
        """Count one frame in."""
        known = in_view & (truth != UNPAINTED)
        right, painted = known & (plain == truth), known & (plain != UNPAINTED)
        self.matrix = self.matrix + confusion(truth[known], labels[known], num_classes)
        self.plain_right += int(right.sum())
        self.lost += int((right & (labels != truth)).sum())
        self.plain_wrong += int((painted & ~right).sum())
        self.mended += int((painted & ~right & ((labels == truth) | (labels == UNPAINTED))).sum())

    def row(self) -> tuple[float, ...]:
        """Painted mIoU, right lost, wrong mended, coverage."""
        counts = np.array(self.matrix)
        coverage = 1.0 - counts[:, -1].sum() / counts.sum()
        counts[:, -1] = 0
        return (
            present_miou(counts),
            self.lost / max(1, self.plain_right),
            self.mended / max(1, self.plain_wrong),
            float(coverage),
        )


def judge_points(frames: Sequence[Frame], policies: Mapping[str, PaintSettings]) -> dict[str, tuple[float, ...]]:
    found = {name: Counts() for name in policies}
    for frame in frames:
        assert frame.truth is not None
        assert frame.mapping is not None
        plain, flags = frame.labels(PLAIN)
        for name, settings in policies.items():
            labels = plain if settings == PLAIN else frame.labels(settings)[0]
            size = len(frame.mapping.target)
            found[name].add(plain, labels, frame.truth, (flags & Flag.VISIBLE) != 0, size)
    return {name: counts.row() for name, counts in found.items()}


def judge_boxes(frames: Sequence[Frame], policies: Mapping[str, PaintSettings]) -> dict[str, tuple[float, ...]]:
    """Of points in view in boxes of known classes: the right share of those still painted, and the share unpainted."""
    classes = box_classes(CITY)
    found = {}
    for name, settings in policies.items():
        inside = painted = right = 0
        for frame in frames:
            labels, flags = frame.labels(settings)
            for box in frame.boxes:
                here = points_in_box(frame.points, box) & ((flags & Flag.VISIBLE) != 0)
                if box.class_name in classes and here.any():
                    inside += int(here.sum())
                    painted += int((labels[here] != UNPAINTED).sum())
                    right += int(np.isin(labels[here], classes[box.class_name]).sum())
        found[name] = (right / painted, 1.0 - painted / inside, float(inside))
    return found


def show(title: str, columns: tuple[str, ...], rows: Mapping[str, tuple[float, ...]]) -> None:
    print(f"\n{title}\n\n| policy | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for name, values in rows.items():
        texts = [f"{value:.0f}" if value > 1 else f"{value:.4f}" for value in values]
        print(f"| {name} | " + " | ".join(texts) + " |", flush=True)


POINT_COLUMNS = ("painted mIoU", "right lost", "wrong mended", "coverage")


def on_synthetic(data: Path, seeds: Sequence[int], counts: dict[str, int]) -> None:
    own = load_taxonomy("synthetic")
    tiny = network("street-tiny", None, own)
    for layout, per_seed in counts.items():
        synthetic(data, layout, seeds, per_seed)
        roots = [data / f"{layout}-{seed}-{per_seed}" for seed in seeds]
        for source in ("exact masks", "street-tiny"):
            frames = []
            for root in roots:
                painter = exact_masks(root, len(own)) if source == "exact masks" else tiny
                frames += [frame for frame in read(layout, root, painter, own) if frame.truth is not None]
            policies = POLICIES | (OVERLAPS if layout == "nuscenes" else {})
            title = f"{layout} layout, {source}, {len(frames)} frames of seeds {', '.join(map(str, seeds))}"
            show(title, POINT_COLUMNS, judge_points(frames, policies))


def on_real(folder: Path) -> None:
    city = load_taxonomy(CITY)
    weights = folder / "weights/espnetv2/espnetv2_s_2.0_city_1024x512.pth"
    painter = network("espnetv2-s2.0-cityscapes", weights, city)
    kitti = list(read("kitti", folder / "kitti", painter, city, ("image_2",)))
    columns = ("right of painted in boxes", "in boxes unpainted", "points in boxes")
    show(f"KITTI object, {len(kitti)} real frames, ESPNetv2 s2.0", columns, judge_boxes(kitti, POLICIES))
    nuscenes = list(read("nuscenes", folder / "nuscenes", painter, city))
    judged = judge_boxes(nuscenes, POLICIES | OVERLAPS)
    show(f"nuScenes, {len(nuscenes)} real keyframe, six cameras, ESPNetv2 s2.0", columns, judged)
    labelled = read("semantickitti", folder / "semantickitti/dataset", painter, city, ("image_2",))
    semantic = [frame for frame in labelled if frame.truth is not None]
    title = f"SemanticKITTI, {len(semantic)} real frame, ESPNetv2 s2.0"
    show(title, POINT_COLUMNS, judge_points(semantic, POLICIES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="201,202,203,204")
    parser.add_argument("--frames", type=int, default=6, help="SemanticKITTI layout: frames a seed")
    parser.add_argument("--keyframes", type=int, default=1, help="nuScenes layout: keyframes a seed")
    parser.add_argument("--data", type=Path, help="folder for the synthetic drives; default: a temporary one")
    parser.add_argument("--real", type=Path)
    chosen = parser.parse_args()
    seeds = [int(seed) for seed in chosen.seeds.split(",") if seed]
    with tempfile.TemporaryDirectory() as scratch:
        counts = {"semantickitti": chosen.frames, "nuscenes": chosen.keyframes}
        on_synthetic(chosen.data or Path(scratch), seeds, counts)
    if chosen.real:
        on_real(chosen.real)


if __name__ == "__main__":
    main()
