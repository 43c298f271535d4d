"""`export --to mmdet3d`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export.detection import SPLITS, split_of
from paintpipe.stages.export.gt_database import relative, rows_in_boxes
from paintpipe.stages.export.mmdet3d import checks
from paintpipe.stages.export.mmdet3d.boxes import front_camera, upright_boxes
from paintpipe.stages.export.mmdet3d.config import example, example_name, fragment, fragment_name
from paintpipe.stages.export.mmdet3d.frame import frame_objects, own_sweeps
from paintpipe.stages.export.mmdet3d.infos import gather, infos_file
from paintpipe.stages.export.mmdet3d.layout import frame_table, points_path
from paintpipe.stages.export.mmdet3d.nuscenes import sweep_facts
from paintpipe.stages.export.pickles import dumps
from paintpipe.stages.export.target import DoneFrame, ReadFile

TAXONOMIES = {"kitti": "kitti-det4", "nuscenes": "nuscenes-det11"}
NUSCENES_SWEEPS = 10
"""`max_sweeps` of `nuscenes_converter.py`, and `sweeps_num` of `nus-3d.py`."""


class MMDet3DTarget:
    """MMDetection3D 1.x; see `FrameTarget`."""

    name = "mmdet3d"
    keyframes_only = True

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The detection taxonomy of the dataset, the background column kept as on KITTI in the paper, 10 sweeps.

        Raises:
            ConfigError: neither KITTI object nor nuScenes, or something this target does not have.
        """
        if dataset not in TAXONOMIES:
            todo = "openpcdet has a layout for people's own data"
            raise ConfigError(f"mmdet3d has no loader for {dataset}", expected="kitti or nuscenes", todo=todo)
        if settings.options:
            raise ConfigError(f"mmdet3d has no option {settings.options[0][0]!r}", expected="none")
        if settings.fill:
            raise ConfigError("mmdet3d writes scores, no labels to fill", todo="leave --fill out")
        if settings.sweeps and dataset != "nuscenes":
            raise ConfigError(f"{dataset} has no sweeps", todo="leave --sweeps out")
        usual = NUSCENES_SWEEPS if dataset == "nuscenes" else 0
        return replace(
            settings,
            taxonomy=settings.taxonomy or TAXONOMIES[dataset],
            background="keep" if settings.background == "auto" else settings.background,
            sweeps=usual if settings.sweeps is None else settings.sweeps,
        )

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return points_path(row, facts.info.dataset)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """Points of the frame and its sweeps, and its objects for the database where it is for training."""
        dataset = facts.info.dataset
        if dataset == "kitti":
            front_camera(frame.images)
        own = frame_table(frame.points, frame.scores, facts)
        written = {points_path(frame.row, dataset): own.tobytes()}
        for sweep in own_sweeps(frame):
            table = frame_table(sweep.points, sweep.scores, facts)
            written[points_path(sweep.row, dataset)] = table.tobytes()
        objects = frame_objects(frame, own, facts)
        if split_of(frame.row) == "train":
            for item in objects.items:
                written[item.path] = relative(objects.table[item.rows], item.bottom_m).tobytes()
        found: dict[str, Any] = {
            "points_in_boxes": objects.counts if objects.table is own else _counts(frame, dataset),
            "points_in_samples": objects.counts,
            "sweeps": [sweep_facts(sweep) for sweep in frame.sweeps],
        }
        return FrameExport(written, found)

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """Infos, the database's index, and the configuration."""
        lists, dataset = gather(frames, facts), facts.info.dataset
        return {
            **{f"{dataset}_infos_{split}.pkl": dumps(infos_file(split, lists, facts)) for split in SPLITS},
            f"{dataset}_dbinfos_train.pkl": dumps(lists.samples),
            fragment_name(dataset): fragment(facts, lists.samples).encode(),
            example_name(dataset): example(facts).encode(),
        }

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `checks`."""
        return checks.frame_faults(frame, facts, read)

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `checks`."""
        return checks.list_faults(frames, facts, read)


def _counts(frame: ExportFrame, dataset: str) -> list[int]:
    """The frame's own points in each of its boxes."""
    return [len(rows) for rows in rows_in_boxes(frame.points, upright_boxes(frame.boxes, frame.images, dataset))]
