"""`paintpipe export`: what is exported, what is left out, and what a second run makes of the first."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support.command import COMMAND, content, paintpipe, start, succeed

from paintpipe import open_painted

SHARDS = ("--frames-per-shard", 1)
Paint = Callable[..., str]


@pytest.fixture(scope="module")
def painted(drive: Path, ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drive painted from its masks, a frame a shard; nobody writes into it."""
    whole = Path(shutil.copytree(ingested, tmp_path_factory.mktemp("painted") / "drive"))
    succeed("paint", "-w", whole, "--from-masks", drive / "masks", "-q", *SHARDS)
    return whole


@pytest.fixture
def own(painted: Path, tmp_path: Path) -> Path:
    """A copy of it to write into."""
    return Path(shutil.copytree(painted, tmp_path / "own"))


@pytest.fixture(scope="module")
def exported(painted: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every byte of its Parquet export by the serial executor."""
    out = tmp_path_factory.mktemp("exported") / "out"
    assert "5 exported and read back" in succeed(*words(painted, out, "--executor", "serial"))
    return files(out)


def words(workspace: Path, out: Path, *options: object, to: str = "parquet") -> tuple[object, ...]:
    return ("export", "-w", workspace, "-q", "--to", to, "--out", out, *options)


def files(out: Path) -> dict[str, bytes]:
    """Every byte of an export, the lock and what a run says of itself aside."""
    assert not list(out.rglob("*.partial"))
    return {path.removeprefix(out.name): value for path, value in content(out).items()}


def table(out: Path) -> pl.DataFrame:
    return pl.read_parquet(f"{out}/points/**/*.parquet", hive_partitioning=True).sort("frame", "point")


def test_without_a_target_they_are_listed() -> None:
    out = succeed("export")
    assert "parquet" in out
    assert "paintpipe export --to TARGET --out FOLDER" in out
    named = {row["name"]: row["about"] for row in json.loads(succeed("export", "--json"))["targets"]}
    assert all(named.values())
    assert next(iter(named)) == "openpcdet"


def test_the_export_holds_what_the_store_holds(painted: Path, exported: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = json.loads(succeed(*words(painted, out, "--json")))
    assert (done["frames"], done["frames_now"], done["left_out"], done["faults"]) == (5, 5, 0, [])
    assert files(out) == exported
    rows = table(out)
    store = open_painted(painted)
    for frame in store.sequence(store.sequences[0]):
        own = rows.filter(pl.col("frame") == frame.index)
        layer = frame.layer(done["layer"])
        assert own.select(frame.features).to_numpy().tobytes() == np.asfortranarray(frame.points).tobytes()
        scores = own.select([f"score_{name}" for name in layer.classes]).to_numpy()
        assert (scores == layer.scores).all()
        assert own["label"].to_list() == layer.label.tolist()
        assert own["flags"].to_list() == layer.flags.tolist()


@pytest.mark.parametrize("name", ["threads", "processes", "dask"])
def test_the_same_bytes_out_of_every_executor(
    name: str, painted: Path, exported: dict[str, bytes], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    spread: tuple[object, ...] = ("--executor", name, "--workers", 2)
    if name == "dask":
        spread = ("--scheduler-file", request.getfixturevalue("cluster").file)
    succeed(*words(painted, tmp_path / "out", *spread))
    assert files(tmp_path / "out") == exported


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_killed_and_started_again_it_ends_with_the_same_bytes(
    painted: Path, exported: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for count in (1, 3):
        process = start(*words(painted, out, "--executor", "serial"))
        while len(marks(out)) < count and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
    assert 0 < len(marks(out)) < 5, "the kill came too late to prove anything"
    done = json.loads(succeed(*words(painted, out, "--json")))
    assert 0 < done["frames_now"] < 5
    assert files(out) == exported
    again = json.loads(succeed(*words(painted, out, "--json")))
    assert (again["frames_now"], again["frames"]) == (0, 5)
    assert files(out) == exported


def marks(out: Path) -> list[Path]:
    return list((out / ".paintpipe/ledger/parquet").glob("*/*.json"))


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_of_two_at_once_the_second_is_refused(painted: Path, exported: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = start(*words(painted, out))
    lock = out / ".paintpipe/ledger/lock"
    while not (lock.is_file() and lock.stat().st_size) and first.poll() is None:
        time.sleep(0.001)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        second = paintpipe(*words(painted, out))
    finally:
        os.kill(first.pid, signal.SIGCONT)
    first.communicate()
    assert (first.returncode, second.code) == (0, 2)
    assert f"process {first.pid}" in second.err
    assert files(out) == exported


def test_other_settings_are_named_and_refused_until_told(painted: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    succeed(*words(painted, out))
    before = files(out)
    for check in ((), ("--check",)):
        done = paintpipe(*words(painted, out, "--one-hot", *check))
        assert done.code == 2
        assert "settings.one_hot: false → true; use another --out, or --overwrite" in done.err
    assert files(out) == before
    succeed(*words(painted, out, "--one-hot", "--overwrite"))
    succeed(*words(painted, whole, "--one-hot"))
    assert files(out) == files(whole) != before


def test_a_layer_that_is_painted_anew_is_noticed(own: Path, tmp_path: Path, drive: Path) -> None:
    out = tmp_path / "out"
    succeed(*words(own, out, "--layer", "masks"))
    assert content(out)
    os.utime(drive)
    succeed("paint", "-w", own, "-q", "--oracle", "--layer", "masks", "--overwrite", *SHARDS)
    done = paintpipe(*words(own, out, "--layer", "masks"))
    assert done.code == 2
    assert "layer.painter" in done.err
    succeed(*words(own, out, "--overwrite"))
    succeed(*words(own, tmp_path / "whole"))
    assert files(out) == files(tmp_path / "whole")


def test_the_layer_painted_last_unless_one_is_named(own: Path, tmp_path: Path) -> None:
    succeed("paint", "-w", own, "-q", "--oracle", *SHARDS)
    done = json.loads(succeed(*words(own, tmp_path / "last", "--json")))
    assert done["layer"] == "oracle"
    named = json.loads(succeed(*words(own, tmp_path / "named", "--layer", "masks", "--json")))
    assert named["layer"] == "masks"
    wrong = paintpipe(*words(own, tmp_path / "wrong", "--layer", "masksy"))
    assert wrong.code == 2
    assert "no painted layer 'masksy'" in wrong.err
    assert "one of masks, oracle" in wrong.err
    assert not (tmp_path / "wrong").exists()


def test_damage_is_found_by_check_and_mended_by_overwrite(
    painted: Path, exported: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    succeed(*words(painted, out))
    assert "5 of them read back" in succeed(*words(painted, out, "--check"))
    assert files(out) == exported
    paths = sorted(out.glob("points/*/*/*.parquet"))
    broken = bytearray(paths[2].read_bytes())
    broken[len(broken) // 3] ^= 4
    paths[2].write_bytes(broken)
    done = paintpipe(*words(painted, out, "--check"))
    assert done.code == 1
    assert paths[2].name in done.out
    assert "08/000002" in done.out
    assert "--overwrite" in done.out
    paths[4].unlink()
    assert paintpipe(*words(painted, out, "--check")).code == 1
    assert (
        json.loads(succeed(*words(painted, out, "--json")))["frames_now"] == 1
    )  # a file that is gone is written again
    succeed(*words(painted, out, "--overwrite"))
    assert files(out) == exported
    (out / "classes.csv").write_text("label\n")
    done = paintpipe(*words(painted, out, "--check"))
    assert (done.code, "classes.csv" in done.out) == (1, True)


def test_a_flipped_bit_in_the_store_is_never_exported(own: Path, tmp_path: Path) -> None:
    path = next(path for path in (own / "painted.zarr/08/layers/masks/scores/c").rglob("*") if path.is_file())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = paintpipe(*words(own, tmp_path / "out"))
    assert done.code == 2
    assert "paintpipe verify" in done.err


def test_a_limit_may_grow_and_what_is_there_stays(painted: Path, exported: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = json.loads(succeed(*words(painted, out, "--limit", 2, "--json")))
    assert (first["frames"], first["left_out"]) == (2, 0)
    again = json.loads(succeed(*words(painted, out, "--limit", 1, "--json")))
    assert (again["frames"], again["frames_now"]) == (2, 0)
    more = json.loads(succeed(*words(painted, out, "--json")))
    assert (more["frames"], more["frames_now"]) == (5, 3)
    assert files(out) == exported


def test_frames_that_are_not_painted_are_counted_and_fail_unless_told(
    ingested: Path, drive: Path, tmp_path: Path, exported: dict[str, bytes]
) -> None:
    own = Path(shutil.copytree(ingested, tmp_path / "own"))
    paint = ("paint", "-w", own, "-q", "--from-masks", drive / "masks", *SHARDS)
    succeed(*paint, "--limit", 3)
    out = tmp_path / "out"
    done = paintpipe(*words(own, out))
    assert done.code == 1
    assert "2 frames are not painted in layer masks, and left out" in done.out
    succeed(*words(own, out, "--partial"))
    assert json.loads((out / "paintpipe.json").read_text())["frames_left_out"] == 2
    succeed(*paint)
    succeed(*words(own, out))
    assert files(out) == exported
    nothing = paintpipe(*words(own, tmp_path / "none", "--sequences", "09"))
    assert nothing.code == 2
    assert "no sequence '09'" in nothing.err


def test_a_frame_that_could_not_be_painted_is_left_out_with_its_reason(
    drive: Path, tmp_path: Path, exported: dict[str, bytes]
) -> None:
    root = Path(shutil.copytree(drive, tmp_path / "drive"))
    own, out = tmp_path / "own", tmp_path / "out"
    succeed("ingest", "semantickitti", root, "-w", own, "-q")
    next((root / "masks").rglob("000001.png")).write_bytes(b"no picture")
    assert paintpipe("paint", "-w", own, "-q", "--from-masks", root / "masks", *SHARDS).code == 1
    for _ in range(2):  # the second run tells of it as well
        done = paintpipe(*words(own, out))
        assert done.code == 1
        assert "1 frame could not be used" in done.out
        assert "08/000001: " in done.out
    succeed(*words(own, out, "--partial"))
    assert table(out)["frame"].unique().to_list() == [0, 2, 3, 4]


def test_splits_are_those_of_the_catalog(painted: Path, tmp_path: Path) -> None:
    done = paintpipe(*words(painted, tmp_path / "out", "--split", "test"))
    assert done.code == 2
    assert "no frame is in split 'test'; expected some of valid" in done.err
    succeed(*words(painted, tmp_path / "out", "--split", "valid", "--limit", 1))
    assert table(tmp_path / "out")["split"].unique().to_list() == ["valid"]


def test_taxonomy_classes_one_hot_padding_and_view(painted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--taxonomy", "kitti-det4", "--classes", "pedestrian,car", "--pad-channels", 3, "--fov-only")
    succeed(*words(painted, out, *options))
    rows = pl.read_parquet(f"{out}/points/**/*.parquet")
    assert [name for name in rows.columns if name.startswith("score_")] == [
        "score_pedestrian",
        "score_car",
        "score_pad0",
    ]
    assert (rows["flags"].to_numpy() & 2).all()
    assert rows["score_pad0"].max() == 0
    assert rows["label"].max() <= 3
    card = json.loads((out / "paintpipe.json").read_text())
    assert card["score_columns"] == ["pedestrian", "car", "pad0"]
    assert card["taxonomy"]["name"] == "kitti-det4"
    done = paintpipe(*words(painted, tmp_path / "b", "--background", "drop", "--classes", "car"))
    assert (done.code, "--background does nothing with --classes" in done.err) == (2, True)


def test_fill_gives_every_point_a_label(painted: Path, tmp_path: Path) -> None:
    succeed(*words(painted, tmp_path / "near", "--fill", "nearest"))
    assert table(tmp_path / "near")["label"].max() < 255
    wrong = paintpipe(*words(painted, tmp_path / "wrong", "--fill", "sea"))
    assert (wrong.code, "can't fill with 'sea'" in wrong.err) == (2, True)
    other = paintpipe(*words(painted, tmp_path / "wrong", "--taxonomy", "semantickitti19", "--fill", "other"))
    assert (other.code, "can't fill with 'other'" in other.err) == (2, True)


def test_the_card_tells_where_it_all_comes_from(exported: dict[str, bytes]) -> None:
    card = json.loads(exported["/paintpipe.json"])
    assert card["source"]["dataset"] == "semantickitti"
    assert card["source"]["synthetic"] is True
    assert card["layer"]["painter"]["painter"] == "masks"
    assert card["layer"]["settings"]["projection"] == "default"
    assert (card["frames"], card["frames_left_out"], len(card["catalog_digest"]), len(card["layer_digest"])) == (
        5,
        0,
        64,
        64,
    )
    assert "paintpipe" in card["versions"]
    mark = json.loads(exported["/.paintpipe/ledger/parquet/08/00000.json"])
    assert "versions" not in mark["inputs"]["card"]


def test_a_folder_with_something_else_in_it_is_refused(painted: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = paintpipe(*words(painted, tmp_path, "--overwrite"))
    assert done.code == 2
    assert "holds no export" in done.err
    out = tmp_path / "out"
    succeed(*words(painted, out, "--limit", 1))
    other = paintpipe(*words(painted, out, to="ply"))
    assert other.code == 2
    assert "holds an export to parquet" in other.err
    succeed(*words(painted, out, "--overwrite", to="ply"))
    assert not list(out.rglob("*.parquet"))
    assert len(list(out.rglob("*.ply"))) == 5


def test_there_has_to_be_something_to_check(painted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = paintpipe(*words(painted, out, "--check"))
    assert (done.code, "holds no export to parquet" in done.err, out.exists()) == (2, True, False)
    (out / ".paintpipe/ledger").mkdir(parents=True)  # as a run leaves it that was killed before its first file
    assert "holds no export to parquet" in paintpipe(*words(painted, out, "--check")).err


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--to", "parquet"), "--to needs --out FOLDER"),
        (("--out", "x"), "--out needs --to TARGET"),
        (("--to", "pcd", "--out", "x"), "no export target 'pcd'; expected one of openpcdet"),
        (("--to", "parquet", "--out", "x", "--check", "--overwrite"), "--overwrite does nothing with --check"),
        (("--to", "parquet", "--out", "x", "--option", "zip"), "--option 'zip'; expected NAME=VALUE"),
        (("--to", "parquet", "--out", "x", "--classes", "car,sea"), "no class 'sea' in synthetic"),
    ],
)
def test_mistakes_are_one_clear_line(options: tuple[str, ...], line: str, painted: Path, tmp_path: Path) -> None:
    done = paintpipe("export", "-w", painted, *(tmp_path / "x" if word == "x" else word for word in options))
    assert done.code == 2
    assert line in done.err
    assert not (tmp_path / "x").exists()
