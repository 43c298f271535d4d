"""Second half of `make test-mmdet3d`: MMDetection3D's own loaders over the exports, against what the store says.

Run by MMDetection3D's environment: `python tests/mmdet3d/check_loaders.py FOLDER`. Nothing of paintpipe is imported;
the configuration is the one that the export wrote.
"""

import copy
import json
import logging
import platform
import sys
import warnings
from pathlib import Path

import mmcv
import mmcv.ops
import mmdet
import mmdet3d
import mmengine
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

warnings.simplefilter("ignore")  # of torch and MMDetection, about each other
if not hasattr(np, "long"):
    np.long = np.int64  # dbsampler.py names np.long, which numpy 1.24 to 1.26 do not have

import mmdet3d.datasets  # noqa: E402 - needs np.long
import mmdet3d.models  # noqa: E402
from mmdet3d.registry import DATASETS, MODELS, TRANSFORMS  # noqa: E402

STEP_M = 1e-5
"""A sweep's points are rounded to float32 twice by the loader, once by the reference; 100 m away a step is 8e-6 m."""


def say(*words):
    print("  ", *words, flush=True)


class Export:
    """One export and its reference."""

    def __init__(self, folder):
        self.out = folder / "export"
        self.facts = json.loads((folder / "reference.json").read_text())
        self.arrays = np.load(folder / "reference.npz")
        self.dataset = self.facts["dataset"]
        self.config = Config.fromfile(self.out / f"painted_{self.dataset}.py")
        self.frames = {frame["name"]: frame for frame in self.facts["frames"]}

    def own(self, name):
        """(N, W) float32 as the file should have it."""
        points, scores = self.arrays[f"{name}/points"], self.arrays[f"{name}/scores"]
        time = [np.zeros((len(points), 1), np.float32)] if self.dataset == "nuscenes" else []
        return np.hstack([points[:, :4], *time, scores])

    def scene(self, name):
        """(N', W) float32: a keyframe and its sweeps, as far as they were painted."""
        clouds = [self.own(name)]
        for sweep in self.frames[name]["sweeps"]:
            cloud = self.own(sweep["name"])
            cloud = cloud[~(np.abs(cloud[:, :2]) < 1.0).all(axis=1)]
            matrix = np.array(sweep["frame_SE3_sweep"])
            cloud[:, :3] = cloud[:, :3].astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
            cloud[:, 4] = sweep["lag_s"]
            clouds.append(cloud)
        return np.concatenate(clouds)

    def build(self, upto):
        """The training dataset with the pipeline's first steps, up to the one named."""
        settings = copy.deepcopy(self.config.train_dataloader.dataset)
        names = [step["type"] for step in settings.pipeline]
        settings.pipeline = settings.pipeline[: names.index(upto) + 1]
        settings.filter_empty_gt = False
        return DATASETS.build(settings)


def check_points(export):
    """LoadPointsFromFile over every file, bit for bit."""
    loader = TRANSFORMS.build(export.config.points_loader)
    folders = ("training/velodyne_painted", "samples/LIDAR_TOP", "sweeps/LIDAR_TOP")
    paths = [path for folder in folders for path in sorted(export.out.glob(f"{folder}/*"))]
    assert {path.name for path in paths} == set(export.frames), "other files than frames"
    rows = 0
    for path in paths:
        loaded = loader({"lidar_points": {"lidar_path": str(path)}})["points"].tensor.numpy()
        assert loaded.dtype == np.float32
        assert loaded.tobytes() == np.ascontiguousarray(export.own(path.name)).tobytes(), path
        rows += len(loaded)
    say(f"LoadPointsFromFile: {len(paths)} files, {rows} points, {loaded.shape[1]} columns: equal bit for bit")


def check_scenes(export):
    """The dataset with LoadPointsFromMultiSweeps and LoadAnnotations3D: points and boxes."""
    data = export.build("LoadAnnotations3D")
    boxes = worst = far = 0
    for index in range(len(data)):
        item = data[index]
        name = Path(item["lidar_path"]).name
        points = item["points"].tensor.numpy()
        if export.frames[name]["sweeps"] or export.dataset == "kitti":
            wanted = export.scene(name)
            assert points.shape == wanted.shape, (points.shape, wanted.shape)
            own = len(export.own(name))
            assert points[:own].tobytes() == np.ascontiguousarray(wanted[:own]).tobytes()
            difference = np.abs(points[:, :3] - wanted[:, :3])
            worst = max(worst, float(difference.max()))
            far += int((difference > 0).any(axis=1).sum())
            assert worst <= STEP_M, worst
            columns = 5 if export.dataset == "nuscenes" else 3
            assert points[:, columns:].tobytes() == np.ascontiguousarray(wanted[:, columns:]).tobytes()
            if export.dataset == "nuscenes":
                assert np.abs(points[:, 4] - wanted[:, 4]).max() < 1e-6
        boxes += check_boxes(export, name, item)
    say(f"the training dataset: {len(data)} frames, {boxes} boxes where the catalog has them")
    if any(frame["sweeps"] for frame in export.frames.values()):
        steps = sum(len(frame["sweeps"]) for frame in export.frames.values() if frame["keyframe"])
        say(f"LoadPointsFromMultiSweeps: {steps} sweeps, points in place within {worst:.1e} m ({far} not exactly),")
        say("  intensity and scores equal bit for bit")


def check_boxes(export, name, item):
    """Every box that was loaded is one of the catalog's, within the tilt that upright boxes lose."""
    centers = item["gt_bboxes_3d"].gravity_center.numpy()
    frame = export.frames[name]
    for center, box in zip(centers, item["gt_bboxes_3d"].tensor.numpy(), strict=True):
        distances = [np.abs(np.array(one["center_m"]) - center).max() for one in frame["boxes"]]
        one = frame["boxes"][int(np.argmin(distances))]
        assert min(distances) < 0.03, distances
        assert np.abs(box[3:6] - one["size_lwh_m"]).max() < 1e-5
        assert abs(np.angle(np.exp(1j * (box[6] - one["yaw_rad"])))) < 0.02
    return len(centers)


def check_database(export):
    """ObjectSample: what it pastes is points of the store."""
    data = export.build("ObjectSample")
    sampler = data.pipeline.transforms[-1].db_sampler
    names = {index: Path(data.get_data_info(index)["lidar_path"]).name for index in range(len(data))}
    scenes = {index: by_scores(export.scene(name)) for index, name in names.items()}
    exact = total = objects = 0
    worst = 0.0
    known = set()
    for info in [info for infos in sampler.db_infos.values() for info in infos]:
        points = sampler.points_loader({"lidar_points": {"lidar_path": str(export.out / info["path"])}})["points"]
        points.translate(info["box3d_lidar"][:3])
        found, scene = points.tensor.numpy(), scenes[info["image_idx"]]
        for row in found:
            same = np.array(scene[row[3:].tobytes()])
            difference = np.abs(same[:, :3] - row[:3]).max(axis=1)
            nearest = same[difference.argmin()]
            worst = max(worst, float(difference.min()))
            exact += int((nearest[:3] == row[:3]).sum())
            total += 3
            known.add(row.tobytes())
        objects += 1
    assert worst <= 1e-6, worst
    share = f"{100 * exact / total:.2f}% of {total} coordinates"
    say(f"its database: {objects} objects, {share} equal bit for bit, the others differ by at most {worst:.1e} m,")
    say("  intensity and scores equal bit for bit")
    check_pasting(export, data, known)


def by_scores(scene):
    """The rows' coordinates by the bytes of all that stands behind them."""
    found = {}
    for row in scene:
        found.setdefault(row[3:].tobytes(), []).append(row[:3])
    return found


def check_pasting(export, data, known):
    before = export.build("LoadAnnotations3D")
    sampled_boxes = pasted = 0
    for index in range(len(data)):
        np.random.seed(index)  # noqa: NPY002 - the sampler draws from it
        plain, item = before[index], data[index]
        more = len(item["gt_labels_3d"]) - len(plain["gt_labels_3d"])
        points = item["points"].tensor.numpy()
        assert points.shape[1] == plain["points"].tensor.shape[1]
        new = [row.tobytes() in known for row in points]
        leading = new.index(False)  # what is sampled comes first
        assert (more > 0) == (leading > 0)
        sampled_boxes, pasted = sampled_boxes + more, pasted + leading
    say(f"ObjectSample: {sampled_boxes} objects pasted into {len(data)} frames, their {pasted} points are the store's")


def check_training(export):
    """The whole pipeline, and one forward and backward pass of PointPillars as the export configures it."""
    config = Config.fromfile(export.out / f"pointpillars_painted_{export.dataset}.py")
    data = DATASETS.build(config.train_dataloader.dataset)
    item = next(item for item in (data[index] for index in range(len(data))) if item is not None)
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.train()
    batch = {"inputs": {"points": [item["inputs"]["points"]]}, "data_samples": [item["data_samples"]]}
    batch = model.data_preprocessor(batch, True)
    losses = model(**batch, mode="loss")
    parts = [part for value in losses.values() for part in (value if isinstance(value, list) else [value])]
    total = torch.stack([part.sum() for part in parts]).sum()
    total.backward()
    encoder = next(module for name, module in model.named_modules() if name.endswith("voxel_encoder"))
    layers = encoder.pfn_layers if hasattr(encoder, "pfn_layers") else encoder.vfe_layers
    weights = layers[0].linear.weight
    assert torch.isfinite(total)
    first, width = (5 if export.dataset == "nuscenes" else 4), export.config.load_dim
    gradient = weights.grad[:, first:width].abs().sum(dim=0)
    painted = (item["inputs"]["points"][:, first:width] != 0).any(dim=0)  # a network may not know every class
    assert bool((gradient[painted] > 0).all()), gradient
    used = int(painted.sum())
    say(f"PointPillars: a step of training, loss {total.item():.1f}, gradients for all {used} score columns in use")


def main(folder):
    init_default_scope("mmdet3d")
    MMLogger.get_instance("mmdet3d", log_level="ERROR")
    logging.disable(logging.INFO)
    versions = {"mmdet3d": mmdet3d, "mmdet": mmdet, "mmcv": mmcv, "mmengine": mmengine, "torch": torch, "numpy": np}
    versions = [f"{name} {module.__version__}" for name, module in versions.items()]
    print(", ".join([*versions, f"Python {platform.python_version()}"]))
    exports = sorted(path.parent for path in folder.glob("*/reference.json"))
    assert exports, "no exports here: run make_exports.py first"
    for path in exports:
        print(path.name, flush=True)
        export = Export(path)
        check_points(export)
        check_scenes(export)
        check_database(export)
        check_training(export)
    print("all as the store has it")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
