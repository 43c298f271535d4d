"""Frames of the benchmarks' datasets, every point labelled unless told otherwise, and the rules of their servers."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from support.export_frames import make_export_frame, make_facts

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.export import ExportFacts, ExportFrame, ExportSettings
from paintpipe.stages.export.target import FrameTarget, ReadFile
from paintpipe.stages.taxonomies.load import load_taxonomy

TAXONOMIES = {"semantickitti": "semantickitti19", "nuscenes": "nuscenes16"}


def make_scan(sequence: str = "11", index: int = 0, labels: Sequence[int] = (0, 4, 18), **row: Any) -> ExportFrame:
    """A scan of SemanticKITTI with these labels."""
    name = f"{index:06d}"
    facts = FrameRow(
        sequence, index, name, f"sequences/{sequence}/velodyne/{name}.bin", len(labels), ("x", "y", "z", "i")
    )
    return _labelled(replace(make_export_frame(), images=(), boxes=()), replace(facts, **row), labels)


def make_keyframe(index: int = 0, labels: Sequence[int] = (0, 4, 15), **row: Any) -> ExportFrame:
    """A keyframe of nuScenes with these labels."""
    frame = make_export_frame("nuscenes", index=index, split="mini_val")
    return _labelled(frame, replace(frame.row, num_points=len(labels), **row), labels)


def submission_facts(dataset: str, **settings: Any) -> ExportFacts:
    """What holds for a submission."""
    taxonomy = load_taxonomy(TAXONOMIES[dataset])
    facts = make_facts("nuscenes")
    return replace(
        facts,
        info=replace(facts.info, dataset=dataset),
        taxonomy=taxonomy,
        channels=taxonomy.classes,
        settings=ExportSettings(taxonomy=taxonomy.name, sweeps=0, **settings),
    )


def exported(target: FrameTarget, frames: Sequence[ExportFrame], facts: ExportFacts) -> dict[str, bytes]:
    """All files of an export."""
    from support.export_frames import make_done

    files = {path: data for frame in frames for path, data in target.export(frame, facts).files.items()}
    return files | dict(target.finish([make_done(frame) for frame in frames], facts))


def reader(files: dict[str, bytes]) -> ReadFile:
    """Reads from a dict as from a folder."""

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return read


def refusals(data: bytes, scans: dict[str, dict[str, int]]) -> list[str]:
    """What the SemanticKITTI server has against a zip: its folders, then each label file's size.

    The rules of `validate_submission.py` in PRBonn/semantic-kitti-api, for the sequences of `scans` (name → scan →
    points) instead of 11 to 21.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
    folders = ["sequences/"]
    for name in scans:
        folders += [f"sequences/{name}/", f"sequences/{name}/predictions/"]
    found = [f"{folder} missing" for folder in folders if folder not in sizes]
    for name, points in scans.items():
        for scan, count in points.items():
            path = f"sequences/{name}/predictions/{scan}.label"
            if sizes.get(path) != 4 * count:
                found.append(f"{path}: {sizes.get(path)} bytes")
    return found


def _labelled(frame: ExportFrame, row: FrameRow, labels: Sequence[int]) -> ExportFrame:
    count = len(labels)
    points = np.arange(count * len(row.point_features), dtype=np.float32).reshape(count, len(row.point_features))
    return replace(
        frame,
        row=row,
        points=points,
        scores=np.zeros((count, 2), np.float32),
        label=np.array(labels, dtype=np.uint8),
        camera=np.zeros(count, np.int8),
        flags=np.ones(count, np.uint8),
    )
