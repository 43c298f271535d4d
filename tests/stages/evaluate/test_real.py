"""Real labels and networks. Skipped without PAINTPIPE_REAL_DATA."""

from pathlib import Path

import numpy as np
import pytest
from support.roots import DirectoryRoot

from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.settings import PaintSettings, SegmentSettings
from paintpipe.stages.evaluate.boxes import BoxesTally, evaluate_boxes
from paintpipe.stages.evaluate.confusion import accuracy, confusion, present_miou
from paintpipe.stages.evaluate.images import classes_of_ids, evaluate_image, find_pairs, labels_of_scores
from paintpipe.stages.evaluate.images_tables import images_table
from paintpipe.stages.evaluate.semantickitti_rule import semantickitti_scores
from paintpipe.stages.ingest.formats import decode_labels, decode_points
from paintpipe.stages.ingest.images import decode_image, decode_label_map
from paintpipe.stages.ingest.reader import IngestOptions, open_dataset
from paintpipe.stages.paint.frame import paint_frame
from paintpipe.stages.paint.oracle import oracle_from_labels
from paintpipe.stages.segment.registry import find_card
from paintpipe.stages.segment.segmenter import Segmenter, load_segmenter
from paintpipe.stages.taxonomies.load import box_classes, load_taxonomy

pytestmark = pytest.mark.real
SK = load_taxonomy("semantickitti19")
CITY = load_taxonomy("cityscapes19-background")


def segmenter(real_data: Path, scale: str, size_px: tuple[int, int] | None = None) -> Segmenter:
    weights = real_data / f"weights/espnetv2/espnetv2_s_{scale}_city_1024x512.pth"
    card = find_card(f"espnetv2-s{scale}-cityscapes")
    return load_segmenter(card, weights, len(CITY), SegmentSettings(input_size_px=size_px))


def read(root: DirectoryRoot, path: str) -> bytes:
    with root.open_bytes(path) as stream:
        return stream.read()


def test_semantickitti_labels_are_their_own_perfect_prediction(real_data: Path) -> None:
    total = np.zeros((19, 20), np.int64)
    for path in sorted((real_data / "semantickitti/dataset/sequences/00/labels").glob("*.label")):
        raw = decode_labels(path.read_bytes(), "semantickitti", path.stat().st_size // 4, path.name)
        truth = oracle_from_labels(raw, SK)
        assert 0.9 < (truth != 255).mean() < 1.0
        total += confusion(truth, truth, 19)
    present = int((total.sum(axis=1) > 0).sum())
    assert 10 <= present < 19
    assert present_miou(total) == 1.0
    assert accuracy(total) == 1.0
    assert semantickitti_scores(total).miou == pytest.approx(present / 19, abs=1e-12)


def test_semantickitti_labels_corrupted_in_a_known_way(real_data: Path) -> None:
    """Every second point of road is called sidewalk: road keeps tp/n, sidewalk gains that many false positives."""
    path = real_data / "semantickitti/dataset/sequences/00/labels/000000.label"
    truth = oracle_from_labels(decode_labels(path.read_bytes(), "semantickitti", 124668, path.name), SK)
    road, sidewalk = SK.classes.index("road"), SK.classes.index("sidewalk")
    prediction = truth.copy()
    changed = np.flatnonzero(truth == road)[::2]
    prediction[changed] = sidewalk
    scores = semantickitti_scores(confusion(truth, prediction, 19))
    num_road, num_sidewalk = int((truth == road).sum()), int((truth == sidewalk).sum())
    assert scores.iou[road] == pytest.approx((num_road - len(changed)) / num_road, abs=1e-12)
    assert scores.iou[sidewalk] == pytest.approx(num_sidewalk / (num_sidewalk + len(changed)), abs=1e-12)
    untouched = [index for index in range(19) if index not in (road, sidewalk) and (truth == index).any()]
    assert scores.iou[untouched] == pytest.approx(1.0, abs=1e-12)


def test_espnetv2_on_cityscapes_has_its_published_figures(real_data: Path) -> None:
    paths = [str(path) for path in (real_data / "cityscapes").rglob("*.png")]
    pairs = find_pairs(paths, paths)
    assert [pair.name.split("_")[0] for pair in pairs] == ["aachen", "aachen", "aachen", "frankfurt"]
    pair, network = pairs[-1], segmenter(real_data, "0.5", (512, 1024))
    truth = classes_of_ids(decode_label_map(Path(pair.label).read_bytes(), pair.label), CITY)
    scores = network.predict([decode_image(Path(pair.image).read_bytes(), pair.image)])[0]
    counts = evaluate_image(truth, labels_of_scores(scores, (1024, 2048), CITY), len(CITY))
    row = images_table("espnetv2", "", {pair.name: counts}).to_pylist()[0]
    assert row["num_classes"] == 11
    assert row["miou"] == pytest.approx(0.5949, abs=0.003)
    assert row["accuracy"] == pytest.approx(0.9584, abs=0.003)


def test_boxes_of_kitti_hold_points_of_their_class(real_data: Path) -> None:
    """Frames 000000 and 000004 of the reference: Pedestrian 364 of 376, Car 77 + 26 of as many."""
    root = DirectoryRoot(real_data / "kitti")
    rows = open_dataset("kitti", root, IngestOptions()).read("training", None)
    network, tally = segmenter(real_data, "2.0"), BoxesTally(len(CITY))
    for frame_id in ("000000", "000004"):
        frame = next(row for row in rows.frames if row.frame_id == frame_id)
        image = next(row for row in rows.images if (row.frame_id, row.camera) == (frame_id, "image_2"))
        points = decode_points(read(root, frame.points_path), 4, frame.points_path)
        pixels = network.predict([decode_image(read(root, image.image_path), image.image_path)])[0]
        view = CameraView("image_2", image.width_px, image.height_px, image.image_from_lidar)
        painted = paint_frame(
            points, [view], {"image_2": pixels}, ("image_2",), len(CITY), PaintSettings(), frame.frame_id
        )
        boxes = [box for box in rows.boxes if box.frame_id == frame_id]
        tally += evaluate_boxes(points, painted.label, painted.flags, boxes, box_classes(CITY.name), len(CITY))
    person, car = CITY.classes.index("person"), CITY.classes.index("car")
    pedestrians, cars = tally.labels_inside("Pedestrian"), tally.labels_inside("Car")
    assert pedestrians.sum() == pytest.approx(376, abs=4)
    assert pedestrians[person] == pytest.approx(364, abs=4)
    assert cars.sum() == pytest.approx(103, abs=4)
    assert cars[car] >= 0.97 * cars.sum()
