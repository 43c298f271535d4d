"""`--to semantickitti`: predictions as the SemanticKITTI benchmark takes them.

Layout and checks: PRBonn/semantic-kitti-api at 839b23f, `validate_submission.py` (task `segmentation`): a zip with
entries for the folders `sequences/`, `sequences/NN/` and `sequences/NN/predictions/` of the sequences 11 to 21, in it
a `.label` file of 4 bytes a point for every file of `velodyne`. Ids: `learning_map_inv` of `config/semantic-kitti.yaml`
there, since `evaluate_semantics.py` sends predictions through `learning_map`, which takes any other to unlabelled.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from paintpipe.schemas.arrays import UInt32
from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.export.options import flags
from paintpipe.stages.export.submissions import completeness
from paintpipe.stages.export.submissions.archive import write_zip, zip_faults
from paintpipe.stages.export.submissions.completeness import Completeness, Part
from paintpipe.stages.export.submissions.labels import complete_labels, settle_labels
from paintpipe.stages.export.target import DoneFrame, ReadFile
from paintpipe.stages.ingest.semantickitti import SPLITS
from paintpipe.stages.paint.oracle import oracle_from_labels

TAXONOMY = "semantickitti19"
IDS = {
    "car": 10,
    "bicycle": 11,
    "motorcycle": 15,
    "truck": 18,
    "other-vehicle": 20,
    "person": 30,
    "bicyclist": 31,
    "motorcyclist": 32,
    "road": 40,
    "parking": 44,
    "sidewalk": 48,
    "other-ground": 49,
    "building": 50,
    "fence": 51,
    "vegetation": 70,
    "trunk": 71,
    "terrain": 72,
    "pole": 80,
    "traffic-sign": 81,
}
"""`learning_map_inv`."""
_ID_BYTES = 4
_SCANS: tuple[int, ...] = (4541, 1101, 4661, 801, 271, 2761, 1101, 1101, 4071, 1591, 1201)
_SCANS += (921, 1061, 3281, 631, 1901, 1731, 491, 1801, 4981, 831, 2721)
SCANS = {f"{number:02d}": count for number, count in enumerate(_SCANS)}
"""Scans of each sequence, as published: 23201 in 00 to 10 and 20351 in 11 to 21 (Behley et al., ICCV 2019, table 1)."""


@dataclass(frozen=True)
class SemanticKittiTarget:
    """See `FrameTarget`; `--option zip=false` leaves out `submission.zip`."""

    name: str = "semantickitti"
    keyframes_only: bool = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """The benchmark's classes; raises ConfigError for another dataset or an option about scores."""
        flags(settings, {"zip": True}, self.name)
        return settle_labels(settings, dataset, self.name, "semantickitti", TAXONOMY)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return label_path(row)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """One `.label` file; see `complete_labels` for what it raises."""
        labels = complete_labels(frame, facts.settings.fill, _where(frame.row))
        return FrameExport({label_path(frame.row): _ids(facts.taxonomy)[labels].astype("<u4").tobytes()})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """What the exported splits lack."""
        return {completeness.PATH: self.completeness(frames).to_json()}

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """The rules of the validator, and the labels as the benchmark would read them."""
        path = label_path(frame.row)
        data = read(path)
        if len(data) != _ID_BYTES * frame.row.num_points:
            yield f"{path}: {len(data)} bytes, expected {_ID_BYTES * frame.row.num_points}: 4 for each point"
            return
        ids = np.frombuffer(data, dtype="<u4")
        strange = ~np.isin(ids, list(IDS.values()))
        if strange.any():
            yield f"{path}: {int(strange.sum())} labels are no id of learning_map_inv, such as {ids[strange][0]}"
        wrong = int((oracle_from_labels(ids, facts.taxonomy) != frame.label).sum())
        if wrong:
            yield f"{path}: {wrong} labels are not those of the layer"

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """Whether `completeness.json` tells of these frames."""
        if read(completeness.PATH) != self.completeness(frames).to_json():
            yield f"{completeness.PATH}: tells of other frames"

    def notes(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> list[str]:
        """What the user should know of this export: which scans a server would miss."""
        return self.completeness(frames).notes()

    def archive_path(self, facts: ExportFacts) -> str | None:
        """`submission.zip`."""
        return "submission.zip" if flags(facts.settings, {"zip": True}, self.name)["zip"] else None

    def archive(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile, file: BinaryIO) -> None:
        """The label files, with entries for their folders as the validator wants them."""
        write_zip((label_path(frame.row) for frame in frames), read, file)

    def archive_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, file: BinaryIO) -> Iterator[str]:
        """The rules of the validator for the zip: entries for the folders, a file a scan, 4 bytes a point."""
        return zip_faults({label_path(frame.row): _ID_BYTES * frame.row.num_points for frame in frames}, file)

    def completeness(self, frames: Iterable[DoneFrame]) -> Completeness:
        """Sequence by sequence, for the splits of which anything was exported."""
        exported: defaultdict[str, set[str]] = defaultdict(set)
        for frame in frames:
            exported[frame.row.sequence].add(frame.row.frame_id)
        splits = {SPLITS[name] for name in exported if name in SPLITS}
        official = [name for name, split in SPLITS.items() if split in splits]
        parts = {f"sequence {name}": _part(name, exported[name]) for name in sorted(official) if name in exported}
        missing = tuple(sorted(name for name in official if name not in exported))
        return Completeness(parts, missing, tuple(sorted(set(exported) - set(SPLITS))))


def label_path(row: FrameRow) -> str:
    """Where the predictions of a scan lie."""
    return f"sequences/{row.sequence}/predictions/{row.frame_id}.label"


def _where(row: FrameRow) -> str:
    return f"sequence {row.sequence}, scan {row.frame_id}"


def _ids(taxonomy: Taxonomy) -> UInt32:
    """(C,) ids by class; a class `other` at the end has none, and no label is it."""
    return np.array([IDS.get(name, 0) for name in taxonomy.classes], dtype=np.uint32)


def _part(sequence: str, exported: set[str]) -> Part:
    expected = [f"{number:06d}" for number in range(SCANS[sequence])]
    return Part(len(expected), len(exported & set(expected)), tuple(name for name in expected if name not in exported))
