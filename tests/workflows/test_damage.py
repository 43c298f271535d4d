"""A workspace that was damaged or edited by hand: one clear line, and `ingest` mends its catalog."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.command import content, paintpipe, succeed

from paintpipe.schemas.errors import WorkspaceError
from paintpipe.workflows import catalog_swap
from paintpipe.workflows.catalog import open_catalog

TABLES = ("frames", "images", "boxes", "rejected")
Paint = Callable[..., str]


def delete(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def keep_no_row(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.slice(0, max(0, table.num_rows - 1)), path)


def one_line(*arguments: object) -> str:
    done = paintpipe(*arguments)
    assert (done.code, done.out) == (2, ""), done
    assert len(done.err.splitlines()) == 1, done.err
    assert done.err.startswith("paintpipe: ")
    return done.err


def ingest_again(drive: Path, workspace: Path) -> str:
    return succeed("ingest", "semantickitti", drive, "-w", workspace, "-q")


@pytest.mark.parametrize("damage", [delete, make_folder, cut])
@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_table_is_told_and_mended(
    workspace: Path, drive: Path, name: str, damage: Callable[[Path], None]
) -> None:
    before = content(workspace / "catalog")
    path = workspace / f"catalog/{name}.parquet"
    damage(path)
    err = one_line("paint", "-w", workspace, "-q")
    assert str(path) in err
    assert "run `paintpipe ingest` again" in err
    assert "catalog written" in ingest_again(drive, workspace)
    assert content(workspace / "catalog") == before
    assert not list(workspace.glob("*.partial"))


def test_another_table_or_too_few_rows_are_told(workspace: Path, drive: Path) -> None:
    catalog = workspace / "catalog"
    shutil.copy(catalog / "boxes.parquet", catalog / "frames.parquet")
    assert "other columns" in one_line("paint", "-w", workspace, "-q")
    ingest_again(drive, workspace)
    keep_no_row(catalog / "frames.parquet")
    assert "4 rows; expected 5" in one_line("paint", "-w", workspace, "-q")


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '"x"', "\x00", "[" * 100_000, '{"catalog_format": 1, "more": 2}', '{"catalog_format": 99}'],
)
def test_a_damaged_description_is_told_and_mended(workspace: Path, drive: Path, text: str) -> None:
    described = workspace / "catalog/dataset.json"
    described.write_text(text)
    err = one_line("evaluate", "-w", workspace, "-q")
    assert "dataset.json" in err
    assert "run `paintpipe ingest` again" in err
    assert "catalog written" in ingest_again(drive, workspace)


@pytest.mark.parametrize(("field", "value"), [("root", 3), ("counts", {}), ("counts", []), ("synthetic", "no")])
def test_fields_of_another_type_are_told(workspace: Path, field: str, value: object) -> None:
    described = workspace / "catalog/dataset.json"
    described.write_text(json.dumps({**json.loads(described.read_text()), field: value}))
    assert "other fields" in one_line("verify", "-w", workspace, "-q")


def test_a_description_that_is_a_folder_is_told_and_mended(workspace: Path, drive: Path) -> None:
    make_folder(workspace / "catalog/dataset.json")
    assert "dataset.json" in one_line("paint", "-w", workspace, "-q")
    ingest_again(drive, workspace)
    open_catalog(workspace / "catalog")


def test_a_catalog_that_is_a_file_is_replaced(workspace: Path, drive: Path) -> None:
    shutil.rmtree(workspace / "catalog")
    (workspace / "catalog").write_text("")
    (workspace / "catalog.partial").write_text("")
    one_line("paint", "-w", workspace, "-q")
    ingest_again(drive, workspace)
    open_catalog(workspace / "catalog")
    assert not list(workspace.glob("*.partial"))


def test_ingest_that_was_killed_between_its_renames_loses_nothing(
    workspace: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, before = workspace / "catalog", content(workspace / "catalog")
    rename = catalog_swap._rename

    def die_in_between(source: Path, target: Path) -> None:
        if source.name == "catalog.partial":
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(catalog_swap, "_rename", die_in_between)
    arguments = ("ingest", "semantickitti", drive, "-w", workspace, "-q")
    assert paintpipe(*arguments, "--limit", 2).code == 130
    assert not catalog.exists()
    with pytest.raises(WorkspaceError, match="stopped while it replaced the catalog; run `paintpipe ingest` again"):
        open_catalog(catalog)
    monkeypatch.undo()
    assert "catalog unchanged" in succeed(*arguments)
    assert content(catalog) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('store = "x"', "a table [store]"),
        ("network = 3", "a table [network]"),
        ("last = 3", "a table [last]"),
        ("[layers]\nmasks = 3", "a table [layers.masks]"),
        ('[network]\nweights = "x"', "[network] names no model"),
        ('[store]\nzarr_frames_per_shard = "abc"', "a whole number"),
        ('[store]\nformat = "foo"', "zarr or parquet"),
        ("[last]\nlayer = 3", "a string"),
    ],
)
def test_a_hand_in_the_configuration_is_one_line(workspace: Path, drive: Path, text: str, told: str) -> None:
    (workspace / "paintpipe.toml").write_text(text)
    for command in ("paint", "view"):
        if command == "view" and not (workspace / "painted.zarr").exists():
            (workspace / "painted.zarr").mkdir()
        err = one_line(command, "-w", workspace)
        assert "paintpipe.toml" in err
        assert told in err


def test_files_that_cant_be_read_or_written_are_one_line(drive: Path, tmp_path: Path) -> None:
    image = drive / "sequences/08/image_2/000000.png"
    assert "not a text file" in one_line("ingest", "custom", image, "-w", tmp_path)
    succeed("ingest", "custom", "--write-spec", tmp_path / "new/my.toml")
    assert (tmp_path / "new/my.toml").is_file()
    assert "/proc/zz" in one_line("ingest", "custom", "--write-spec", "/proc/zz/my.toml")
    assert "/proc/zz" in one_line("synth", "/proc/zz", "-q")
    assert "/proc/zz" in one_line("demo", "--out", "/proc/zz", "-q")
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in one_line("paint", "-w", tmp_path / "file/below")


def test_synth_writes_nothing_outside_its_root(tmp_path: Path) -> None:
    err = one_line("synth", tmp_path / "root", "--sequences", "../../evil", "-q")
    assert "'../../evil' can't name a folder" in err
    assert not list(tmp_path.iterdir())
