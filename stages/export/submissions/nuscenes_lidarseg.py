"""`--to nuscenes-lidarseg`: predictions as the nuScenes lidar segmentation challenge takes them.

Layout and checks: nuscenes-devkit 1.2, `nuscenes/eval/lidarseg/validate_submission.py`: for an evaluation set of
`nuscenes.utils.splits`, `SET/submission.json` with five booleans under `meta`, and for every keyframe
`lidarseg/SET/TOKEN_lidarseg.bin` (TOKEN of the sweep's sample_data), uint8, one of 1 to 16 for each point.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export.options import flags
from paintpipe.stages.export.submissions import completeness
from paintpipe.stages.export.submissions.archive import write_zip, zip_faults
from paintpipe.stages.export.submissions.completeness import Completeness, Part
from paintpipe.stages.export.submissions.labels import complete_labels, settle_labels
from paintpipe.stages.export.target import DoneFrame, ReadFile
from paintpipe.stages.ingest.nuscenes.splits import official_splits

TAXONOMY = "nuscenes16"
CLASSES = (
    "barrier",
    "bicycle",
    "bus",
    "car",
    "construction_vehicle",
    "motorcycle",
    "pedestrian",
    "traffic_cone",
    "trailer",
    "truck",
    "driveable_surface",
    "other_flat",
    "sidewalk",
    "terrain",
    "manmade",
    "vegetation",
)
"""Class of the challenge's index 1, 2, …; its index 0, `ignore`, is no answer (eval/lidarseg/README.md)."""
KEYFRAMES = {"train": 28130, "val": 6019, "test": 6008, "mini_train": 323, "mini_val": 81}
"""Keyframes of each set, as published."""
_INPUTS = {"use_camera": True, "use_lidar": True, "use_radar": False, "use_map": False, "use_external": True}
_OPTIONS = {name: value for name, value in _INPUTS.items() if name not in ("use_lidar", "use_radar")} | {"zip": True}
"""By the challenge's rules a network trained on masks of other images is external data; its pre-training is not."""


@dataclass(frozen=True)
class NuscenesLidarsegTarget:
    """See `FrameTarget`; `--option use_camera=…`, `use_map=…`, `use_external=…` and `zip=…` may be set."""

    name: str = "nuscenes-lidarseg"
    keyframes_only: bool = True

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The challenge's classes; raises ConfigError for another dataset or an option about scores."""
        flags(settings, _OPTIONS, self.name)
        return settle_labels(settings, dataset, self.name, "nuscenes", TAXONOMY)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return label_path(row)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """One `.bin` file; raises ExportError for a scene of no official split, and see `complete_labels`."""
        path = label_path(frame.row)
        labels = complete_labels(frame, facts.settings.fill, f"scene {frame.row.sequence}, sweep {frame.row.frame_id}")
        table = [CLASSES.index(name) + 1 if name in CLASSES else 0 for name in facts.taxonomy.classes]
        return FrameExport({path: np.array(table, dtype=np.uint8)[labels].tobytes()})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """`submission.json` of each evaluation set, and what the sets lack."""
        done = list(frames)
        content = (json.dumps({"meta": meta(facts.settings)}, indent=2) + "\n").encode()
        sets = sorted({frame.row.split for frame in done if frame.row.split})
        files = {f"{name}/submission.json": content for name in sets}
        return files | {completeness.PATH: self.completeness(done).to_json()}

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The rules of the validator, and the labels as the challenge would read them."""
        path = label_path(frame.row)
        found = np.frombuffer(read(path), dtype=np.uint8)
        if len(found) != frame.row.num_points:
            yield f"{path}: {len(found)} predictions, but {frame.row.num_points} points"
            return
        outside = int(((found < 1) | (found > len(CLASSES))).sum())
        if outside:
            yield f"{path}: {outside} predictions are not in 1 to {len(CLASSES)}"
            return
        names = np.array(facts.taxonomy.classes)[frame.label]
        wrong = int((np.array(CLASSES)[found - 1] != names).sum())
        if wrong:
            yield f"{path}: {wrong} labels are not those of the layer"

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The rules of the validator for `submission.json`."""
        done = list(frames)
        for name in sorted({frame.row.split for frame in done if frame.row.split}):
            path = f"{name}/submission.json"
            found = json.loads(read(path)).get("meta", {})
            if set(found) != set(_INPUTS):
                yield f"{path}: meta holds {', '.join(sorted(found))}"
            elif not all(isinstance(value, bool) for value in found.values()):
                yield f"{path}: meta holds values that are neither true nor false"
        if read(completeness.PATH) != self.completeness(done).to_json():
            yield f"{completeness.PATH}: tells of other frames"

    def notes(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> list[str]:
        """What the user should know of this export: which keyframes a server would miss."""
        return self.completeness(frames).notes()

    def archive_path(self, facts: ExportFacts) -> str | None:
        """`submission.zip`."""
        return "submission.zip" if flags(facts.settings, _OPTIONS, self.name)["zip"] else None

    def archive(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile, file: BinaryIO) -> None:
        """The results folder: `lidarseg/SET` and `SET` side by side."""
        rows = [frame.row for frame in frames]
        sets = sorted({row.split for row in rows if row.split})
        write_zip([*map(label_path, rows), *(f"{name}/submission.json" for name in sets)], read, file)

    def archive_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, file: BinaryIO) -> Iterator[str]:
        """A file a keyframe, a byte a point, and `submission.json` of each set."""
        rows = [frame.row for frame in frames]
        sizes: dict[str, int | None] = {label_path(row): row.num_points for row in rows}
        return zip_faults(sizes | {f"{row.split}/submission.json": None for row in rows}, file)

    def completeness(self, frames: Iterable[DoneFrame]) -> Completeness:
        """Set by set: keyframes counted, and scenes that are not here."""
        counts: Counter[str] = Counter()
        scenes: defaultdict[str, set[str]] = defaultdict(set)
        for frame in frames:
            counts[str(frame.row.split)] += 1
            scenes[str(frame.row.split)].add(frame.row.sequence)
        splits = official_splits()
        missing = {scene for name in counts for scene in splits.get(name, [])} - set().union(*scenes.values())
        parts = {f"set {name}": Part(KEYFRAMES.get(name, counts[name]), counts[name]) for name in sorted(counts)}
        return Completeness(parts, tuple(sorted(missing)))


def meta(settings: ExportSettings) -> dict[str, bool]:
    """What `submission.json` tells of the inputs, as the user says."""
    chosen = flags(settings, _OPTIONS, NuscenesLidarsegTarget.name)
    return {name: chosen.get(name, value) for name, value in _INPUTS.items()}


def label_path(row: FrameRow) -> str:
    """Where the predictions of a keyframe lie.

    Raises:
        ExportError: the scene is in no official split.
    """
    if row.split not in KEYFRAMES or row.sweep_token is None:
        what = f"scene {row.sequence} is in no official split"
        raise ExportError(
            what, expected="a scene of nuscenes.utils.splits", todo="name the splits to export: --split val"
        )
    return f"lidarseg/{row.split}/{row.sweep_token}_lidarseg.bin"
