"""Painted frames in memory as export targets are given them: KITTI-like and nuScenes-like, small and seeded.

The boxes, matrices and times agree with each other as those of an ingested dataset do, and each box holds points.
"""

from dataclasses import replace
from math import pi
from typing import Any

import numpy as np

from paintpipe.schemas.arrays import AnyArray, Float32, Float64
from paintpipe.schemas.catalog import BoxRow, DatasetInfo, FrameRow, ImageRow
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, ExportSweep
from paintpipe.schemas.geometry import invert_se3
from paintpipe.schemas.painted import Flag
from paintpipe.stages.export.target import DoneFrame
from paintpipe.stages.ingest.kitti_boxes import KittiObject, box_row
from paintpipe.stages.taxonomies.load import load_taxonomy

POINTS_IN_BOX = 12
_KITTI_CAM = np.array([[0.0, -1, 0, -0.004], [0, 0, -1, -0.076], [1, 0, 0, -0.272], [0, 0, 0, 1]])
_KITTI_P2 = np.array([[700.0, 0, 600, 45], [0, 700, 180, 0.2], [0, 0, 1, 0.003]])
_CAMERAS = ("CAM_BACK", "CAM_BACK_LEFT", "CAM_BACK_RIGHT", "CAM_FRONT", "CAM_FRONT_LEFT", "CAM_FRONT_RIGHT")
_HEADINGS_RAD = (pi, pi * 0.6, -pi * 0.6, 0.0, pi * 0.3, -pi * 0.3)
_KEYFRAME_US, _SWEEP_US = 500_000, 50_000


def make_export_frame(dataset: str = "kitti", **overrides: Any) -> ExportFrame:
    """A frame of `kitti` or `nuscenes`; `index`, `points` (how many besides those in boxes), `num_sweeps` and `split`
    shape it, and every other override replaces a field of the record.

    A third of the points is unpainted; scores are numbers that float16 holds exactly, as a store gives them.
    """
    index, count = int(overrides.pop("index", 0)), int(overrides.pop("points", 40))
    num_sweeps, split = int(overrides.pop("num_sweeps", 0)), overrides.pop("split", "train")
    rng = np.random.default_rng(1000 + index)
    row = _row(dataset, index, split)
    boxes = _kitti_boxes(row) if dataset == "kitti" else _nuscenes_boxes(row)
    points = _points(rng, boxes, count, len(row.point_features))
    row = replace(row, num_points=len(points))
    images = (_kitti_image(row),) if dataset == "kitti" else _nuscenes_images(row)
    scores, label = _scores(rng, len(points), len(make_facts(dataset).channels))
    painted = label != 255
    camera = np.where(painted, rng.integers(0, len(images), len(points)), -1).astype(np.int8)
    flags = np.where(painted, Flag.PAINTED | Flag.VISIBLE, 0).astype(np.uint8)
    sweeps = tuple(_sweep(rng, row, lag, len(scores[0])) for lag in range(1, num_sweeps + 1))
    frame = ExportFrame(row, images, boxes, points, scores, label, camera, flags, sweeps)
    return replace(frame, **overrides)


def make_facts(dataset: str = "kitti", **overrides: Any) -> ExportFacts:
    """What holds for such frames: all classes of the usual detection taxonomy, background included."""
    taxonomy = load_taxonomy({"kitti": "kitti-det4", "nuscenes": "nuscenes-det11"}[dataset])
    info = DatasetInfo(
        dataset=dataset,
        version="v1.0-trainval" if dataset == "nuscenes" else "",
        root="/nowhere",
        labels_taxonomy=None,
        boxes_taxonomy=taxonomy.name,
        synthetic=True,
        counts={},
        digest="0" * 64,
    )
    facts = ExportFacts(
        info=info,
        layer="toy",
        taxonomy=taxonomy,
        channels=taxonomy.classes,
        features=_row(dataset, 0, "train").point_features,
        camera_names=("image_2",) if dataset == "kitti" else _CAMERAS,
        settings=ExportSettings(taxonomy=taxonomy.name, background="keep", sweeps=0),
        card={"source": {"dataset": dataset, "license": "made up for tests"}},
    )
    return replace(facts, **overrides)


def make_done(frame: ExportFrame, **facts: Any) -> DoneFrame:
    """The frame as `finish` sees it."""
    return DoneFrame(frame.row, frame.images, frame.boxes, facts)


def _row(dataset: str, index: int, split: str | None) -> FrameRow:
    if dataset == "kitti":
        name = f"{index:06d}"
        features = ("x", "y", "z", "intensity")
        return FrameRow("training", index, name, f"training/velodyne/{name}.bin", 0, features, split=split)
    token = f"{index:032x}"
    pose = _se3(0.1 * index, (5.0 * index, 1.0, 0.0))
    mount = _se3(-pi / 2, (0.94, 0.0, 1.84))  # nuScenes' LiDAR looks along its +y
    return FrameRow(
        sequence="scene-0001",
        index=index,
        frame_id=f"n008-{index}__LIDAR_TOP__{_KEYFRAME_US * (index + 1)}",
        points_path=f"samples/LIDAR_TOP/n008-{index}__LIDAR_TOP__{_KEYFRAME_US * (index + 1)}.pcd.bin",
        num_points=0,
        point_features=("x", "y", "z", "intensity", "ring"),
        sample_token="a" + token[1:],
        sweep_token="b" + token[1:],
        timestamp_us=_KEYFRAME_US * (index + 1),
        split=split,
        ego_SE3_lidar=mount,
        global_SE3_ego=pose,
        global_SE3_lidar=pose @ mount,
    )


def _se3(yaw_rad: float, translation_m: tuple[float, float, float]) -> Float64:
    matrix = np.eye(4)
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    matrix[:2, :2], matrix[:3, 3] = [[c, -s], [s, c]], translation_m
    return matrix


def _kitti_boxes(row: FrameRow) -> tuple[BoxRow, ...]:
    lidar_SE3_rect = invert_se3(_KITTI_CAM)
    objects = (
        ("Car", 0.0, 0, (1.5, 1.6, 3.9, 2.0, 1.7, 12.0, 0.3), (620.0, 150.0, 800.0, 260.0)),
        ("Pedestrian", 0.1, 1, (1.75, 0.6, 0.8, -3.0, 1.6, 9.0, -1.2), (300.0, 140.0, 350.0, 280.0)),
        ("Cyclist", 0.0, 2, (1.7, 0.6, 1.8, 4.0, 1.7, 20.0, 2.9), (700.0, 150.0, 740.0, 210.0)),
        ("Van", 0.4, 0, (2.1, 1.9, 5.0, -6.0, 1.8, 25.0, -0.1), (380.0, 130.0, 470.0, 215.0)),
    )
    boxes = []
    for name, truncation, occlusion, box, box_2d in objects:
        item = KittiObject(name, truncation, occlusion, 0.2, np.array(box_2d), np.array(box))
        boxes.append(box_row(item, row, lidar_SE3_rect))
    return tuple(boxes)


def _nuscenes_boxes(row: FrameRow) -> tuple[BoxRow, ...]:
    every = (
        ("vehicle.car", (4.0, 10.0, -0.9), (4.5, 1.9, 1.6), 1.4, (3.0, 0.5), "vehicle.moving"),
        ("human.pedestrian.adult", (-3.0, 6.0, -0.8), (0.7, 0.7, 1.8), -0.4, (0.9, -0.1), "pedestrian.moving"),
        ("vehicle.bicycle", (6.0, -7.0, -0.9), (1.8, 0.6, 1.3), 3.0, None, "cycle.with_rider"),
        ("movable_object.barrier", (-8.0, -4.0, -1.0), (0.6, 2.5, 1.0), 0.1, (0.0, 0.0), None),
        ("static_object.bicycle_rack", (9.0, 2.0, -1.0), (3.0, 1.0, 1.2), 0.7, None, None),
    )
    return tuple(
        BoxRow(
            sequence=row.sequence,
            index=row.index,
            frame_id=row.frame_id,
            class_name=name,
            center_m=np.array(center),
            size_lwh_m=np.array(size),
            yaw_rad=yaw,
            instance_token=f"{number:032x}",
            annotation_token=f"{row.index}{number:031x}",
            rotation_wxyz=np.array([np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)]),
            velocity_mps=None if velocity is None else np.array(velocity),
            visibility="4",
            attribute=attribute,
            num_lidar_points=POINTS_IN_BOX,
        )
        for number, (name, center, size, yaw, velocity, attribute) in enumerate(every)
    )


def _kitti_image(row: FrameRow) -> ImageRow:
    camera_SE3_lidar = _KITTI_CAM.copy()
    camera_SE3_lidar[0, 3] += _KITTI_P2[0, 3] / 700.0
    return ImageRow(
        sequence=row.sequence,
        index=row.index,
        frame_id=row.frame_id,
        camera="image_2",
        image_path=f"training/image_2/{row.frame_id}.png",
        width_px=1242,
        height_px=375,
        K=_KITTI_P2[:, :3],
        camera_SE3_lidar=camera_SE3_lidar,
        image_from_lidar=_KITTI_P2 @ _KITTI_CAM,
        P_rect=_KITTI_P2,
        R_rect=np.eye(3),
        cam_SE3_velo=_KITTI_CAM,
        velo_SE3_imu=_se3(0.01, (-0.8, 0.3, -0.8)),
    )


def _nuscenes_images(row: FrameRow) -> tuple[ImageRow, ...]:
    K = np.array([[1266.0, 0, 816], [0, 1266, 491], [0, 0, 1]])
    assert row.global_SE3_ego is not None
    assert row.ego_SE3_lidar is not None
    images = []
    for camera, heading in zip(_CAMERAS, _HEADINGS_RAD, strict=True):
        axes = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])  # optical from forward, left, up
        camera_SE3_lidar = axes @ invert_se3(_se3(heading, (0.5, 0.0, 1.5))) @ row.ego_SE3_lidar
        images.append(
            ImageRow(
                sequence=row.sequence,
                index=row.index,
                frame_id=row.frame_id,
                camera=camera,
                image_path=f"samples/{camera}/n008-{row.index}__{camera}.jpg",
                width_px=1600,
                height_px=900,
                K=K,
                camera_SE3_lidar=camera_SE3_lidar,
                image_from_lidar=K @ camera_SE3_lidar[:3],
                token=f"{camera}-{row.index}",
                timestamp_us=row.timestamp_us,
                dt_us=0,
                global_SE3_ego=row.global_SE3_ego,
            )
        )
    return tuple(images)


def _points(rng: np.random.Generator, boxes: tuple[BoxRow, ...], count: int, features: int) -> Float32:
    """`POINTS_IN_BOX` well inside each box, and `count` above all boxes, in mixed order."""
    inside = [_inside(rng, box) for box in boxes]
    around = rng.uniform((-40, -40, 3.0), (40, 40, 6.0), (count, 3))
    places = rng.permutation(np.concatenate([*inside, around]))
    rest = rng.uniform(0, 1, (len(places), features - 3))
    if features == 5:
        rest = np.stack([rng.integers(0, 256, len(places)), rng.integers(0, 32, len(places))], axis=1)
    return np.ascontiguousarray(np.concatenate([places, rest], axis=1), dtype=np.float32)


def _inside(rng: np.random.Generator, box: BoxRow) -> Float64:
    own = rng.uniform(-0.4, 0.4, (POINTS_IN_BOX, 3)) * box.size_lwh_m
    turned: Float64 = own @ _se3(box.yaw_rad, (0.0, 0.0, 0.0))[:3, :3].T + box.center_m
    return turned


def _scores(rng: np.random.Generator, count: int, classes: int) -> tuple[Float32, AnyArray]:
    raw = rng.dirichlet(np.ones(classes), count).astype(np.float16).astype(np.float32)
    painted = np.arange(count) % 3 != 2
    label = np.where(painted, raw.argmax(axis=1), 255).astype(np.uint8)
    return np.where(painted[:, None], raw, np.float32(0)), label


def _sweep(rng: np.random.Generator, row: FrameRow, lag: int, channels: int) -> ExportSweep:
    time_us = int(row.timestamp_us or 0) - lag * _SWEEP_US
    name = f"n008-{row.index}__LIDAR_TOP__{time_us}"
    back = _se3(0.01 * lag, (-0.4 * lag, 0.0, 0.0))
    points = _points(rng, (), 9, len(row.point_features))
    scores, _ = _scores(rng, len(points), channels)
    sweep = replace(
        row,
        index=row.index,
        frame_id=name,
        points_path=f"sweeps/LIDAR_TOP/{name}.pcd.bin",
        num_points=len(points),
        sample_token=None,
        sweep_token=f"c{lag:01d}{row.index:030x}",
        timestamp_us=time_us,
        is_keyframe=False,
        global_SE3_lidar=None if row.global_SE3_lidar is None else row.global_SE3_lidar @ back,
    )
    return ExportSweep(sweep, points, scores, back, lag * _SWEEP_US * 1e-6)
