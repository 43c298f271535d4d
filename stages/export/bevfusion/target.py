"""`--to bevfusion`: painted sweeps, infos and ground-truth database for BEVFusion on nuScenes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export import pickles
from paintpipe.stages.export.bevfusion import check
from paintpipe.stages.export.bevfusion.config import CONFIG_PATH, config_text
from paintpipe.stages.export.bevfusion.database import objects_of
from paintpipe.stages.export.bevfusion.infos import annotations, keyframe_info, pasted_boxes
from paintpipe.stages.export.bevfusion.layout import DB_INFOS, infos_path, painted_path
from paintpipe.stages.export.bevfusion.tables import painted_item
from paintpipe.stages.export.detection import split_of
from paintpipe.stages.export.npy import dumps_item
from paintpipe.stages.export.nuscenes_objects import add_db_infos, sample_files, samples_of, with_points
from paintpipe.stages.export.options import flags
from paintpipe.stages.export.sweep_rows import SweepRows
from paintpipe.stages.export.target import DoneFrame, ReadFile
from paintpipe.stages.export.ten_scores import settle_ten

SWEEPS = 10
"""Before the keyframe, as the published infos have; its loader takes nine of them, its database all."""


class BevFusionTarget:
    """See `FrameTarget`; keyframes and the sweeps between them each have files of their own."""

    name = "bevfusion"
    keyframes_only = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """See `FrameTarget.settle`: ten sweeps, ten scores, no background column."""
        flags(settings, {}, self.name)
        return settle_ten(settings, dataset, features, self.name, SWEEPS)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return painted_path(row.points_path)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """See `FrameTarget.export`: the sweep's dict, and a training keyframe's objects."""
        files = {painted_path(frame.row.points_path): dumps_item(painted_item(frame.points, frame.scores))}
        found: list[list[Any]] = []
        if frame.row.is_keyframe and split_of(frame.row) == "train":
            objects = objects_of(frame, facts.settings)
            files |= sample_files(objects)
            found = [sample.to_json() for sample in objects.samples]
        sweeps = [sweep.row.frame_id for sweep in frame.sweeps]
        return FrameExport(files, {"objects": {check.FORM: found}, "sweeps": sweeps})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """See `FrameTarget.finish`: infos of each split, database infos, configuration."""
        rows, database = SweepRows(), dict[str, list[dict[str, Any]]]()
        infos: dict[str, list[dict[str, Any]]] = {"train": [], "val": []}
        for frame in frames:
            rows.add(frame.row)
            if frame.row.is_keyframe:
                split = split_of(frame.row)
                infos.setdefault(split, []).append(_info(frame, rows, split))
                if split == "train":
                    boxes, token = pasted_boxes(with_points(frame.boxes)), infos[split][-1]["token"]
                    add_db_infos(database, samples_of(frame, check.FORM), boxes, token)
        metadata = {"version": facts.info.version}
        return {
            **{infos_path(s): pickles.dumps({"infos": found, "metadata": metadata}) for s, found in infos.items()},
            DB_INFOS: pickles.dumps(database),
            CONFIG_PATH: config_text(facts.channels, database, facts.settings.sweeps or 0).encode(),
        }

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `FrameTarget.faults`."""
        yield from check.sweep_faults(frame, read)
        if frame.row.is_keyframe and split_of(frame.row) == "train":
            yield from check.database_faults(frame, facts.settings, read)

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `FrameTarget.finish_faults`."""
        return check.finish_faults(frames, read)


def _info(frame: DoneFrame, rows: SweepRows, split: str) -> dict[str, Any]:
    return keyframe_info(frame, rows.of(frame)) | ({} if split == "test" else annotations(frame.boxes))
