"""`--to centerpoint`: painted sweeps, infos and ground-truth database for CenterPoint on nuScenes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings, FrameExport
from paintpipe.stages.export import pickles
from paintpipe.stages.export.centerpoint import check
from paintpipe.stages.export.centerpoint.config import CONFIG_PATH, config_text
from paintpipe.stages.export.centerpoint.database import found_in, objects_of
from paintpipe.stages.export.centerpoint.infos import annotations, keyframe_info
from paintpipe.stages.export.centerpoint.layout import FORMS, Form, Layout, painted_path, virtual_path
from paintpipe.stages.export.centerpoint.tables import painted_table, virtual_item
from paintpipe.stages.export.detection import split_of
from paintpipe.stages.export.npy import dumps_array, dumps_item
from paintpipe.stages.export.nuscenes_objects import add_db_infos, sample_files, samples_of
from paintpipe.stages.export.options import flags
from paintpipe.stages.export.sweep_rows import SweepRows
from paintpipe.stages.export.target import DoneFrame, ReadFile
from paintpipe.stages.export.ten_scores import settle_ten

SWEEPS = 9
"""Before the keyframe, ten with its own, as published."""


class CenterPointTarget:
    """See `FrameTarget`; keyframes and the sweeps between them each have files of their own.

    Options: `painted`, `virtual`: whether to write that form (both by default).
    """

    name = "centerpoint"
    keyframes_only = False

    def settle(self, settings: ExportSettings, dataset: str, features: tuple[str, ...]) -> ExportSettings:
        """See `FrameTarget.settle`: nine sweeps, ten scores, no background column."""
        if not forms_of(settings):
            raise ConfigError("centerpoint without painted and without virtual", expected="one of them at least")
        return settle_ten(settings, dataset, features, self.name, SWEEPS)

    def frame_path(self, row: FrameRow, facts: ExportFacts) -> str:
        """See `FrameTarget.frame_path`."""
        return path_of(forms_of(facts.settings)[0], row)

    def export(self, frame: ExportFrame, facts: ExportFacts) -> FrameExport:
        """See `FrameTarget.export`: the sweep's table and dict, and a training keyframe's objects."""
        files: dict[str, bytes] = {}
        found: dict[str, Any] = {}
        for form in forms_of(facts.settings):
            files[path_of(form, frame.row)] = _sweep_file(form, frame)
        if frame.row.is_keyframe and split_of(frame.row) == "train":
            inside = found_in(frame, facts.settings)
            for form in forms_of(facts.settings):
                objects = objects_of(frame, form, facts.settings, inside)
                files |= sample_files(objects)
                found[form] = [sample.to_json() for sample in objects.samples]
        return FrameExport(files, {"objects": found, "sweeps": [sweep.row.frame_id for sweep in frame.sweeps]})

    def finish(self, frames: Iterable[DoneFrame], facts: ExportFacts) -> Mapping[str, bytes]:
        """See `FrameTarget.finish`: infos of each split, database infos, configuration."""
        return dict(_finished(frames, facts))

    def faults(self, frame: ExportFrame, facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `FrameTarget.faults`."""
        for form in forms_of(facts.settings):
            yield from check.sweep_faults(form, frame, read)
        if frame.row.is_keyframe and split_of(frame.row) == "train":
            yield from check.database_faults(forms_of(facts.settings), frame, facts.settings, read)

    def finish_faults(self, frames: Iterable[DoneFrame], facts: ExportFacts, read: ReadFile) -> Iterator[str]:
        """See `FrameTarget.finish_faults`."""
        layout = Layout((facts.settings.sweeps or 0) + 1)
        return check.finish_faults(frames, layout, forms_of(facts.settings), read)


def forms_of(settings: ExportSettings) -> tuple[Form, ...]:
    """The forms to write. Raises ConfigError for an option that is neither."""
    wanted = flags(settings, dict.fromkeys(FORMS, True), CenterPointTarget.name)
    return tuple(form for form in FORMS if wanted[form])


def path_of(form: Form, row: FrameRow) -> str:
    """Where a sweep's file of a form lies."""
    return painted_path(row.points_path) if form == "painted" else virtual_path(row.points_path)


def _sweep_file(form: Form, frame: ExportFrame) -> bytes:
    if form == "painted":
        return dumps_array(painted_table(frame.points, frame.scores))
    return dumps_item(virtual_item(frame.points, frame.scores))


def _finished(frames: Iterable[DoneFrame], facts: ExportFacts) -> Iterator[tuple[str, bytes]]:
    count, forms = facts.settings.sweeps or 0, forms_of(facts.settings)
    layout, rows = Layout(count + 1), SweepRows()
    infos: dict[str, list[dict[str, Any]]] = {"train": [], "val": []}
    database: dict[Form, dict[str, list[dict[str, Any]]]] = {form: {} for form in forms}
    for frame in frames:
        rows.add(frame.row)
        if not frame.row.is_keyframe:
            continue
        split = split_of(frame.row)
        info = keyframe_info(frame, rows.of(frame), count)
        if split != "test":
            info |= annotations(frame.boxes)
        if split == "train":
            boxes = np.nan_to_num(info["gt_boxes"].astype(np.float32), nan=0.0)
            for form in forms:
                add_db_infos(database[form], samples_of(frame, form), boxes, len(infos["train"]))
        infos.setdefault(split, []).append(info)
    for split, found in infos.items():
        yield layout.infos(split), pickles.dumps(found)
    for form in forms:
        yield layout.db_infos(form), pickles.dumps(database[form])
    yield CONFIG_PATH, config_text(layout, facts.channels, database).encode()
