"""nuScenes: 20 s scenes of a spinning LiDAR and six cameras, from its JSON tables.

The devkit's `NuScenes(...)` holds every record of every table as Python objects; here only what the rows need is kept,
as columns. Layout: https://www.nuscenes.org/nuscenes#data-format.
"""

from dataclasses import dataclass

from paintpipe.schemas.catalog import BoxRow, FrameRow, RejectedRow, SequenceRows
from paintpipe.schemas.errors import ConfigError, InputFileError
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.nuscenes import records as kinds
from paintpipe.stages.ingest.nuscenes.annotations import Annotations, read_annotations
from paintpipe.stages.ingest.nuscenes.boxes import Keyframe, SceneBoxes
from paintpipe.stages.ingest.nuscenes.calibration import Calibration, read_calibrations
from paintpipe.stages.ingest.nuscenes.frames import FrameBuilder
from paintpipe.stages.ingest.nuscenes.garbage import without_gc
from paintpipe.stages.ingest.nuscenes.samples import Samples, read_samples
from paintpipe.stages.ingest.nuscenes.scene import Scene, sort_out
from paintpipe.stages.ingest.nuscenes.scene_names import UNUSABLE, read_scene_names
from paintpipe.stages.ingest.nuscenes.sensor_files import SensorFile, SensorFiles, read_sensor_files
from paintpipe.stages.ingest.nuscenes.splits import official_splits, select_scenes, split_of_scenes
from paintpipe.stages.ingest.nuscenes.tables import Tables
from paintpipe.stages.ingest.reader import IngestOptions

LABELS_TAXONOMY = "nuscenes16"
BOXES_TAXONOMY = "nuscenes-det11"


@dataclass
class NuScenesReader:
    """See `Reader`; the other fields are the tables, cut down to the selected scenes."""

    root: Root
    version: str
    labels_taxonomy: str | None
    boxes_taxonomy: str | None
    synthetic: bool
    rejected: list[RejectedRow]
    tables: Tables
    samples: Samples
    split_of: dict[str, str]
    calibrations: dict[str, Calibration]
    files: SensorFiles
    annotations: Annotations
    labels: dict[str, str]
    dataset: str = "nuscenes"

    def sequences(self) -> list[str]:
        """Names of the scenes, sorted."""
        return list(self.samples.scenes)

    @without_gc
    def read(self, sequence: str, limit: int | None) -> SequenceRows:
        """The rows of one scene: its keyframes, and the frames between them where they were asked for.

        What can't be used (absent, damaged, outside the root, tied to a record that is absent) is a rejected row.
        """
        index = self.samples.scenes.index(sequence)
        scene = sort_out(self.files, index, self.calibrations, self.tables.path("sample_data"))
        split, tokens = self.split_of.get(sequence), self.samples.tokens
        builder = FrameBuilder(self.root, sequence, split, scene, tokens, self.calibrations, self.labels)
        frames = builder.frames(limit)
        images = builder.images(frames)
        boxes, unusable = self._boxes(sequence, scene, frames)
        rejected = [*scene.rejected, *builder.rejected, *unusable]
        return SequenceRows([frame for frame, _ in frames], images, boxes, rejected)

    def _boxes(
        self, sequence: str, scene: Scene, frames: list[tuple[FrameRow, SensorFile]]
    ) -> tuple[list[BoxRow], list[RejectedRow]]:
        span, table_path = self.samples.span(sequence), self.tables.path("sample_annotation")
        boxes = SceneBoxes(self.annotations, span, self.samples.timestamp_us, table_path)
        keyframes = [self._keyframe(scene, row, sweep) for row, sweep in frames if row.is_keyframe]
        return boxes.rows(keyframes) if keyframes else [], boxes.rejected

    def _keyframe(self, scene: Scene, row: FrameRow, sweep: SensorFile) -> Keyframe:
        mount, ego = self.calibrations[sweep.calibration_token], scene.poses.row[sweep.pose_token]
        rotations_wxyz = (scene.poses.rotation_wxyz[ego], mount.rotation_wxyz)
        return Keyframe(row, sweep.sample, scene.poses.of(sweep) @ mount.ego_SE3_sensor, rotations_wxyz)


@without_gc
def open_nuscenes(root: Root, options: IngestOptions) -> NuScenesReader:
    """Read the tables of one version folder.

    Raises:
        ConfigError: no such version, scene or split is here, or several versions are.
        InputFileError: there are no tables, or one that is needed is absent or damaged.
    """
    rejected: list[RejectedRow] = []
    tables = Tables(root, _version(root, options.version), rejected)
    scene_names, splits = read_scene_names(tables), official_splits()
    names = select_scenes([name for name in scene_names.values() if name != UNUSABLE], options, splits)
    samples = read_samples(tables, scene_names, names)
    calibrations = read_calibrations(tables)
    files = read_sensor_files(tables, samples, calibrations, options.sweeps)
    annotations = read_annotations(tables, samples)
    labels = _read_labels(tables)
    return NuScenesReader(
        root=root,
        version=tables.version,
        labels_taxonomy=LABELS_TAXONOMY if labels else None,
        boxes_taxonomy=BOXES_TAXONOMY if len(annotations) else None,
        synthetic=checks.is_synthetic(root),
        rejected=rejected,
        tables=tables,
        samples=samples,
        split_of=split_of_scenes(tables.version, splits),
        calibrations=calibrations,
        files=files,
        annotations=annotations,
        labels=labels,
    )


def _version(root: Root, wanted: str | None) -> str:
    """The version folder: the one asked for, or the only one there is."""
    present = [name for name in root.list_dir("") if name.startswith("v1.") and root.list_dir(name)]
    listed = ", ".join(present) or "no version folder"
    if wanted is not None and wanted not in present:
        raise ConfigError(f"no version {wanted!r} here", expected=f"one of those here: {listed}")
    if not present:
        raise InputFileError("no nuScenes tables are here", expected="a folder such as v1.0-mini or v1.0-trainval")
    if wanted is None and len(present) > 1:
        raise ConfigError(f"several versions are here: {listed}", todo="choose one with --version")
    return wanted or present[0]


def _read_labels(tables: Tables) -> dict[str, str]:
    """LIDAR_TOP sample_data token → its file of point labels; {} where lidarseg was not downloaded."""
    if not tables.has("lidarseg"):
        return {}
    return {record.sample_data_token: record.filename for record in tables.read_optional("lidarseg", kinds.Lidarseg)}
