"""Parquet, LAS and PLY, read back by other people's readers."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import laspy
import numpy as np
import plyfile
import polars as pl
import pytest
from support.export_frames import make_done, make_export_frame, make_facts

from paintpipe.schemas.errors import ConfigError, ExportError, MissingExtraError
from paintpipe.schemas.export import ExportSettings
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.export.las import STEP_M, LasTarget
from paintpipe.stages.export.parquet import ParquetTarget
from paintpipe.stages.export.ply import PlyTarget

TARGETS = (ParquetTarget(), LasTarget(), PlyTarget())
each = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def written(target: Any, tmp_path: Path, *frames: Any, **facts: Any) -> Path:
    """The files of these frames on disk."""
    known = make_facts(**facts)
    files: dict[str, bytes] = dict(target.finish([make_done(frame) for frame in frames], known))
    for frame in frames:
        files |= target.export(frame, known).files
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def test_duckdb_and_polars_read_the_tables_by_partition(tmp_path: Path) -> None:
    frames = [make_export_frame(index=0), make_export_frame(index=1, split="val")]
    folder = written(ParquetTarget(), tmp_path, *frames)
    glob = str(folder / "points/**/*.parquet")
    query = f"select frame_id, split, count(*), sum(score_car), sum((flags & 1)::int) from read_parquet('{glob}', \
        hive_partitioning=true) group by all order by 1"
    rows = duckdb.sql(query).fetchall()
    for row, frame in zip(rows, frames, strict=True):
        assert row[:3] == (frame.row.frame_id, frame.row.split, len(frame.points))
        assert row[3] == pytest.approx(float(frame.scores[:, 0].sum()), rel=1e-6)
        assert row[4] == int((frame.flags & 1).sum())
    table = pl.read_parquet(glob, hive_partitioning=True).filter(pl.col("frame") == 1).sort("point")
    assert table["sequence"].unique().to_list() == ["training"]
    there = table.select("x", "y", "z", "intensity").to_numpy()
    assert there.tobytes() == frames[1].points.tobytes()
    scores = table.select([f"score_{name}" for name in make_facts().channels]).to_numpy()
    assert np.ascontiguousarray(scores).tobytes() == frames[1].scores.tobytes()
    classes = [None if label == 255 else make_facts().taxonomy.classes[label] for label in frames[1].label]
    assert table["class"].to_list() == classes
    assert set(table["camera"].to_list()) == {None, "image_2"}
    assert table["timestamp_us"].null_count() == len(table)
    assert pl.read_csv(folder / "classes.csv")["class"].to_list() == list(make_facts().taxonomy.classes)


def test_laspy_reads_coordinates_to_half_a_step_and_the_rest_as_it_is(tmp_path: Path) -> None:
    frame, facts = make_export_frame("nuscenes"), make_facts("nuscenes")
    path = next(written(LasTarget(), tmp_path, frame, dataset="nuscenes").rglob("*.las"))
    las = laspy.read(path)
    assert (str(las.header.version), las.header.point_format.id) == ("1.4", 7)
    assert np.abs(las.xyz - frame.points[:, :3]).max() <= STEP_M / 2 + 1e-12
    assert np.asarray(las["score_construction_vehicle"]).tobytes() == frame.scores[:, 4].tobytes()
    assert np.asarray(las["raw_ring"]).tolist() == frame.points[:, 4].tolist()
    assert np.asarray(las["label"]).tolist() == frame.label.tolist()
    assert np.asarray(las["paint_flags"]).tolist() == frame.flags.tolist()
    assert np.asarray(las["camera"]).tolist() == frame.camera.tolist()
    wanted = [1 if label == 255 else 64 + label for label in frame.label]
    assert np.asarray(las.classification).tolist() == wanted
    assert las.gps_time[0] == pytest.approx(0.5)
    painted = int(np.flatnonzero(frame.label != 255)[0])
    color = facts.taxonomy.colors_rgb[frame.label[painted]]
    assert [las.red[painted] // 257, las.green[painted] // 257, las.blue[painted] // 257] == list(color)


def test_plyfile_reads_every_column_bit_by_bit(tmp_path: Path) -> None:
    frame = make_export_frame()
    vertex = plyfile.PlyData.read(next(written(PlyTarget(), tmp_path, frame).rglob("*.ply")))["vertex"].data
    there = np.stack([vertex[name] for name in ("x", "y", "z", "intensity")], axis=1)
    assert there.tobytes() == frame.points.tobytes()
    scores = np.stack([vertex[f"score_{name}"] for name in make_facts().channels], axis=1)
    assert scores.tobytes() == frame.scores.tobytes()
    for name in ("label", "camera", "flags"):
        assert vertex[name].tolist() == getattr(frame, name).tolist()
    assert (vertex["red"][0], vertex["green"][0], vertex["blue"][0]) == tuple(
        make_facts().taxonomy.palette()[frame.label[0]]
    )


@each
@pytest.mark.parametrize("dataset", ["kitti", "nuscenes"])
def test_what_was_written_has_no_fault_and_repeats(target: Any, dataset: str) -> None:
    frame, facts = make_export_frame(dataset), make_facts(dataset)
    files = target.export(frame, facts).files
    assert target.export(frame, facts).files == files
    assert list(target.faults(frame, facts, files.__getitem__)) == []
    done = [make_done(frame)]
    over_all = target.finish(done, facts)
    assert list(target.finish_faults(done, facts, over_all.__getitem__)) == []
    assert list(target.finish_faults(done, facts, lambda _: b"")) != []


@each
def test_no_points_and_points_that_are_not_finite(target: Any) -> None:
    facts, frame = make_facts(), make_export_frame()
    arrays = {name: getattr(frame, name)[:0] for name in ("points", "scores", "label", "camera", "flags")}
    empty = replace(frame, **arrays)
    assert list(target.faults(empty, facts, target.export(empty, facts).files.__getitem__)) == []
    frame.points[3, 1] = np.nan
    if target.name == "las":
        with pytest.raises(ExportError, match=r"not finite.*expected at most 21,475 m"):
            target.export(frame, facts)
    else:
        assert list(target.faults(frame, facts, target.export(frame, facts).files.__getitem__)) == []


@each
@pytest.mark.parametrize("name", ["points", "scores", "label", "camera", "flags"])
def test_another_value_anywhere_is_a_fault(target: Any, name: str) -> None:
    frame, facts = make_export_frame(), make_facts()
    files = target.export(frame, facts).files
    array = getattr(frame, name).copy()
    array.reshape(-1)[5] += 1
    assert list(target.faults(replace(frame, **{name: array}), facts, files.__getitem__)) != []


@each
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.999])
def test_a_file_cut_short_is_a_fault_or_can_not_be_read(target: Any, part: float) -> None:
    frame, facts = make_export_frame(), make_facts()
    content = next(iter(target.export(frame, facts).files.values()))
    try:
        found = list(target.faults(frame, facts, lambda _: content[: int(len(content) * part)]))
    except (OSError, ValueError, LookupError, EOFError) as error:
        found = [str(error)]
    assert found


@each
@pytest.mark.parametrize("frame_id", ["../up", "a/b", ".hidden", "", "x" * 300, "a\nb", "nul\0", "ü"])
def test_a_frame_that_can_name_no_file_is_refused(target: Any, frame_id: str) -> None:
    frame = make_export_frame()
    with pytest.raises(ExportError, match="can't name a file"):
        target.export(replace(frame, row=replace(frame.row, frame_id=frame_id)), make_facts())


@each
def test_settings_that_do_nothing_here_are_refused(target: Any) -> None:
    with pytest.raises(ConfigError, match="--sweeps does nothing"):
        target.settle(ExportSettings(sweeps=3), "kitti", ("x", "y", "z"))
    with pytest.raises(ConfigError, match="has no option 'zip'"):
        target.settle(ExportSettings(options=(("zip", "true"),)), "kitti", ("x", "y", "z"))
    assert target.settle(ExportSettings(), "kitti", ()).background == "keep"


def test_points_in_view_have_no_place_in_the_point_file() -> None:
    facts = make_facts(settings=ExportSettings(fov_only=True))
    files = ParquetTarget().export(make_export_frame(), facts).files
    assert "point" not in pl.read_parquet(io.BytesIO(next(iter(files.values())))).columns


def test_names_that_las_and_ply_have_no_room_for() -> None:
    long = tuple(f"{'a' * 40}{number}" for number in range(2))
    taxonomy = Taxonomy("long", long, ((0, 0, 0),) * 2)
    frame = make_export_frame()
    two = replace(frame, scores=frame.scores[:, :2].copy(), label=np.full(len(frame.points), 255, np.uint8))
    with pytest.raises(ExportError, match="the same first 32 characters"):
        LasTarget().export(two, make_facts(taxonomy=taxonomy, channels=long))
    spaced = make_facts(taxonomy=Taxonomy("s", ("a b", "a\nb"), ((0, 0, 0),) * 2), channels=("a b", "a\nb"))
    with pytest.raises(ExportError, match="the same name"):
        PlyTarget().export(two, spaced)


def test_las_without_laspy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "laspy", None)
    with pytest.raises(MissingExtraError, match=r'pip install "paintpipe\[files\]"'):
        LasTarget().settle(ExportSettings(), "kitti", ())
