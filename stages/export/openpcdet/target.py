"""`export --to openpcdet`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export.detection import SPLITS, frame_name, object_name, split_of
from paintpipe.stages.export.gt_database import relative, rows_in_boxes
from paintpipe.stages.export.npy import dumps_array
from paintpipe.stages.export.openpcdet import checks
from paintpipe.stages.export.openpcdet.config import dataset_yaml
from paintpipe.stages.export.openpcdet.infos import gather
from paintpipe.stages.export.openpcdet.layout import (
    box_array,
    frame_table,
    is_sampled,
    labels_path,
    points_path,
    sample_path,
)
from paintpipe.stages.export.pickles import dumps
from paintpipe.stages.export.target import DoneFrame, ReadFile

TAXONOMIES = {"kitti": "kitti-det4", "kitti-raw": "kitti-det4", "nuscenes": "nuscenes-det11"}
CLASS_FILE = "painted_dataset.py"


class OpenPCDetTarget:
    """OpenPCDet's CustomDataset layout; see `FrameTarget`."""

    name = "openpcdet"
    keyframes_only = True

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The detection taxonomy of the dataset, the background column kept as on KITTI in the paper, no sweeps.

        Raises:
            ConfigError: points without x, y, z first or with a column that has no printable name, sweeps of a dataset
                without any, or an option that this target does not have.
        """
        if features[:3] != ("x", "y", "z"):
            raise ConfigError(f"point columns {', '.join(features)}", expected="x, y, z first, as OpenPCDet reads them")
        if unprintable := [name for name in features if not name.isprintable()]:
            todo = "rename it in the dataset's specification, and ingest again"
            raise ConfigError(f"a point column called {unprintable[0]!r}", expected="a printable name", todo=todo)
        if settings.options:
            raise ConfigError(f"openpcdet has no option {settings.options[0][0]!r}", expected="none")
        if settings.fill:
            raise ConfigError("openpcdet writes scores, no labels to fill", todo="leave --fill out")
        if settings.sweeps and dataset != "nuscenes":
            raise ConfigError(f"{dataset} has no sweeps", todo="leave --sweeps out")
        return replace(
            settings,
            taxonomy=settings.taxonomy or TAXONOMIES.get(dataset, ""),
            background="keep" if settings.background == "auto" else settings.background,
            sweeps=settings.sweeps or 0,
        )

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return points_path(frame_name(row, facts.info.dataset))

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """Points, labels, and the frame's objects for the database where it is for training."""
        name, table = frame_name(frame.row, facts.info.dataset), frame_table(frame, facts)
        found = rows_in_boxes(table, frame.boxes)
        written = {points_path(name): dumps_array(table)}
        if split_of(frame.row) != "test":
            written[labels_path(name)] = labels_text(frame, facts).encode()
        if split_of(frame.row) == "train":
            for number, (box, rows) in enumerate(zip(frame.boxes, found, strict=True)):
                class_name = object_name(box, facts.info.dataset)
                if len(rows) and is_sampled(class_name, facts.info.dataset):
                    path = sample_path(name, class_name, number)
                    written[path] = relative(table[rows], box.center_m).tobytes()
        return FrameExport(written, {"points_in_boxes": [len(rows) for rows in found]})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """Image sets, infos, the database's index, the dataset YAML and the dataset class."""
        lists = gather(frames, facts)
        written = {f"ImageSets/{split}.txt": "".join(f"{name}\n" for name in lists.names[split]) for split in SPLITS}
        return {path: text.encode() for path, text in written.items()} | {
            **{f"custom_infos_{split}.pkl": dumps(lists.infos[split]) for split in SPLITS},
            "custom_dbinfos_train.pkl": dumps(lists.samples),
            "painted_dataset.yaml": dataset_yaml(facts, lists.samples).encode(),
            CLASS_FILE: class_file(),
        }

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `checks`."""
        return checks.frame_faults(frame, facts, read)

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `checks`."""
        return checks.list_faults(frames, facts, read)


def labels_text(frame: ExportFrame, facts: ExportFacts) -> str:
    """A line `x y z dx dy dz heading class` for each box, in full precision."""
    boxes = box_array(frame.boxes, with_velocity=False).tolist()
    names = [object_name(box, facts.info.dataset) for box in frame.boxes]
    return "".join(f"{' '.join(map(repr, box))} {name}\n" for box, name in zip(boxes, names, strict=True))


@cache
def class_file() -> bytes:
    """The dataset class that comes with the export."""
    return files("paintpipe.stages.export.openpcdet").joinpath(f"{CLASS_FILE}.txt").read_bytes()
