"""Tables that lie: numbers no column holds, tokens that come twice, lists without end, names that climb."""

from pathlib import Path

import pytest
from support.nuscenes_tables import find, make_tables, open_small, reasons, write_dataset, write_files, write_tables

from paintpipe.schemas.errors import ConfigError, InputFileError

SWEEP = "scene-0061-LIDAR_TOP-10"
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize("content", ["[" * 200_000, f'[{{"token": "a", "other": {DEEP}}}]'])
@pytest.mark.parametrize("table", ["sample_annotation", "sample_data", "ego_pose", "scene"])
def test_lists_without_end(tmp_path: Path, table: str, content: str) -> None:
    write_dataset(tmp_path)
    (tmp_path / "v1.0-mini" / f"{table}.json").write_text(content)
    expected = f"v1.0-mini/{table}.json: damaged table: "
    if table == "sample_annotation":
        assert reasons(open_small(tmp_path).rejected).startswith(expected)
    else:
        with pytest.raises(InputFileError) as raised:
            open_small(tmp_path)
        assert raised.value.line().startswith(expected)


@pytest.mark.parametrize(
    ("table", "token", "field", "value"),
    [
        ("sample", "scene-0061-s1", "timestamp", 1 << 63),
        ("sample", "scene-0061-s1", "timestamp", -(1 << 70)),
        ("sample_data", SWEEP, "timestamp", (1 << 64) - 1),
        ("sample_data", SWEEP, "timestamp", -(1 << 63)),
        ("sample_data", SWEEP, "width", 1 << 31),
        ("sample_data", SWEEP, "width", -64),
        ("sample_data", SWEEP, "height", (1 << 32) + 48),
        ("sample_annotation", "scene-0061-car-1", "num_lidar_pts", 1 << 32),
        ("sample_annotation", "scene-0061-car-1", "num_lidar_pts", -1),
        ("sample_annotation", "scene-0061-car-1", "num_lidar_pts", 1 << 64),
    ],
)
def test_integers_that_no_column_holds(tmp_path: Path, table: str, token: str, field: str, value: int) -> None:
    tables = write_dataset(tmp_path)
    find(tables, table, token)[field] = value
    write_tables(tmp_path, tables)
    reader = open_small(tmp_path)
    rows = reader.read("scene-0061", None)
    assert f"v1.0-mini/{table}.json: {table} {token}: Expected `int" in reasons(reader.rejected)
    assert (len(rows.frames), len(rows.boxes)) == ((3, 3) if table == "sample_annotation" else (2, 3))


@pytest.mark.parametrize("sweeps", [False, True])
@pytest.mark.parametrize(
    ("table", "token"),
    [
        ("sample_data", SWEEP),
        ("sample_data", "scene-0061-LIDAR_TOP-9"),
        ("sample_data", "scene-0061-CAM_FRONT-6"),
        ("sample", "scene-0061-s1"),
        ("sample_annotation", "scene-0061-car-1"),
        ("ego_pose", f"pose-{SWEEP}"),
        ("calibrated_sensor", "scene-0061-CAM_FRONT"),
        ("scene", "scene-0061"),
        ("sensor", "sensor-CAM_FRONT"),
        ("instance", "scene-0061-car"),
        ("category", "cat-car"),
    ],
)
def test_a_record_that_comes_twice_counts_once(tmp_path: Path, table: str, token: str, sweeps: bool) -> None:
    """The repeat differs, so that it would be noticed in the rows."""
    spoiling = {
        "sample_data": {"timestamp": 1_000_400_000, "prev": "scene-0061-LIDAR_TOP-1"},
        "sample": {"timestamp": 1_000_400_000},
        "ego_pose": {"translation": [0.0, 0.0, 0.0]},
        "calibrated_sensor": {"translation": [9.0, 9.0, 9.0]},
        "sample_annotation": {"translation": [0.0, 0.0, 0.0]},
        "scene": {"name": "scene-0103"},
        "sensor": {"channel": "CAM_BACK"},
        "instance": {"category_token": "cat-man"},
        "category": {"name": "another"},
    }
    tables = write_dataset(tmp_path)
    expected = _shown(open_small(tmp_path, sweeps=sweeps).read("scene-0061", None))
    tables[table].append(find(tables, table, token) | spoiling[table])
    write_tables(tmp_path, tables)
    reader = open_small(tmp_path, sweeps=sweeps)
    rows = reader.read("scene-0061", None)
    assert [row.reason for row in reader.rejected + rows.rejected] == [f"{table} {token}: comes twice"]
    assert _shown(rows) == expected


def _shown(rows) -> str:
    return f"{rows.frames}{rows.images}{rows.boxes}"


@pytest.mark.parametrize(
    "name", ["../../../evil", "", ".", "..", ".hidden", "a/b", "a\\b", "a b", "x.partial", "a\n", "-rf"]
)
def test_a_scene_whose_name_can_not_name_a_folder_is_left_out(tmp_path: Path, name: str) -> None:
    tables = make_tables()
    write_files(tmp_path, tables)
    find(tables, "scene", "scene-0061")["name"] = name
    write_tables(tmp_path, tables)
    reader = open_small(tmp_path)
    assert reader.sequences() == ["scene-0103"]
    (row,) = reader.rejected
    assert (row.path, row.reason) == (
        "v1.0-mini/scene.json",
        f"scene scene-0061: scene name {name!r} can't name a folder",
    )
    rows = reader.read("scene-0103", None)
    assert (len(rows.frames), len(rows.boxes), rows.rejected) == (3, 4, [])
    with pytest.raises(ConfigError, match="no sequence"):
        open_small(tmp_path, sequences=(name,))


def test_two_scenes_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    tables = make_tables()
    write_files(tmp_path, tables)
    find(tables, "scene", "scene-0103")["name"] = "scene-0061"
    write_tables(tmp_path, tables)
    reader = open_small(tmp_path)
    assert reader.sequences() == ["scene-0061"]
    assert len(reader.read("scene-0061", None).frames) == 3
    assert [row.reason for row in reader.rejected] == ["scene scene-0103: scene name 'scene-0061' comes twice"]
