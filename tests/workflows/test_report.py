"""The report of a workspace: whole, without an evaluation, of boxes alone, and with names that mean harm."""

import csv
import json
import os
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.command import paintpipe, succeed
from support.hostile import CAMERA, CATEGORY, FRAME, NAMES, SEQUENCE, hostile_workspace

from paintpipe.pipeline.tables import read_parquet, write_parquet


class Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def images(self) -> list[str]:
        return [str(attrs["src"]) for tag, attrs in self.tags if tag == "img"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_workspace(tmp_path_factory.mktemp("hostile"))


def test_a_report_shows_layers_scores_frames_and_runs(workspace: Path, paint_masks: Callable[..., str]) -> None:
    paint_masks(workspace)
    succeed("evaluate", "-w", workspace, "-q")
    out = succeed("report", "-w", workspace, "--frames", 1)
    assert out == f"page: {workspace / 'report.html'}\n"
    page = Reader((workspace / "report.html").read_text())
    headings = ("Layers", "Classes", "Range", "Layer masks", "Frames", "Runs", "Rejects", "All numbers")
    assert all(heading in page.text for heading in headings)
    assert len(page.images()) == 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.images())
    frames = read_parquet(workspace / "tables/frames.parquet").to_pylist()
    best = max(frames, key=lambda row: row["miou_present"])
    worst = min(frames, key=lambda row: row["miou_present"])
    assert f"Best: 08 / {best['frame_id']}: mIoU {best['miou_present']:.3f}" in page.text
    assert f"Worst: 08 / {worst['frame_id']}: mIoU {worst['miou_present']:.3f}" in page.text
    (miou,) = [
        row["miou"]
        for row in read_parquet(workspace / "tables/summary.parquet").to_pylist()
        if row["subset"] == "points in view"
    ]
    assert f"{miou:.3f}" in page.text
    assert "frames/s" in page.text


def test_frames_of_a_table_add_up_to_the_whole(workspace: Path, paint_masks: Callable[..., str]) -> None:
    paint_masks(workspace)
    succeed("evaluate", "-w", workspace, "-q", "--workers", 2)
    frames = read_parquet(workspace / "tables/frames.parquet").to_pylist()
    assert [row["frame_id"] for row in frames] == [f"{number:06d}" for number in range(5)]
    (coverage,) = read_parquet(workspace / "tables/coverage.parquet").to_pylist()
    assert sum(row["num_points"] for row in frames) == coverage["num_points"]
    assert sum(row["num_in_view"] for row in frames) == coverage["num_in_view"]
    (view,) = [
        row
        for row in read_parquet(workspace / "tables/summary.parquet").to_pylist()
        if row["subset"] == "points in view"
    ]
    assert sum(row["labelled_in_view"] for row in frames) == view["num_points"]
    right = sum(row["accuracy"] * row["labelled_in_view"] for row in frames)
    assert right / view["num_points"] == pytest.approx(view["accuracy"])


def test_without_an_evaluation_the_report_says_so_and_shows_the_rest(
    workspace: Path, paint_masks: Callable[..., str]
) -> None:
    succeed("report", "-w", workspace)
    page = Reader((workspace / "report.html").read_text())
    assert "Nothing is painted yet: run paintpipe paint." in page.text
    paint_masks(workspace, "--limit", 1)
    out = workspace / "pages" / "mine.html"
    said = json.loads(succeed("report", "-w", workspace, "--out", out, "--json"))
    assert said["page"] == str(out)
    page = Reader(out.read_text())
    assert "No layer has been evaluated yet" in page.text
    assert "masks" in page.text
    assert "Where the time went" in page.text
    assert len(page.images()) == 3
    assert "which nothing has judged" in page.text
    assert "Frame 1: 08 / 000000" in page.text


def test_a_pipe_or_a_device_is_not_replaced(workspace: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = paintpipe("report", "-w", workspace, "--out", tmp_path / "pipe")
    assert done.code == 2
    assert "pipe: is no regular file, so it is not replaced; name another file" in done.err
    assert (tmp_path / "pipe").is_fifo()


def test_a_layer_that_is_not_there_is_one_line(workspace: Path, paint_masks: Callable[..., str]) -> None:
    paint_masks(workspace, "--limit", 1)
    done = paintpipe("report", "-w", workspace, "--layer", "nothing")
    assert done.code == 2
    assert "no painted layer 'nothing'; expected one of masks" in done.err
    assert not (workspace / "report.html").exists()


def test_tables_of_another_version_are_told(workspace: Path, paint_masks: Callable[..., str]) -> None:
    paint_masks(workspace, "--limit", 1)
    succeed("evaluate", "-w", workspace, "-q")
    path = workspace / "tables/frames.parquet"
    write_parquet(path, read_parquet(path).drop_columns(["miou_present"]))
    done = paintpipe("report", "-w", workspace)
    assert done.code == 2
    assert "frames.parquet: has no column miou_present" in done.err
    assert "evaluate" in done.err


def test_frames_whose_files_are_gone_are_told_without_a_picture(tmp_path: Path) -> None:
    workspace = hostile_workspace(tmp_path)
    for path in (tmp_path / "data").rglob("*.png"):
        path.unlink()
    succeed("report", "-w", workspace)  # the points are in the store: from above, the frame can still be seen
    assert len(Reader((workspace / "report.html").read_text()).images()) == 1


def test_hostile_names_stay_text(hostile: Path) -> None:
    succeed("report", "-w", hostile)
    html = (hostile / "report.html").read_text()
    page = Reader(html)
    assert "<script" not in html
    assert {"script", "iframe", "object", "link", "b"}.isdisjoint({tag for tag, _ in page.tags})
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert all(source.startswith("data:image/jpeg") for source in page.images())
    for name in NAMES:
        assert name in page.text, name
    assert "<b>broken.bin" in page.text
    policy = next(attrs for tag, attrs in page.tags if "http-equiv" in attrs)
    assert str(policy["content"]).startswith("default-src 'none'; img-src data:")


def test_hostile_names_are_no_formulas_in_csv(hostile: Path) -> None:
    cells = {}
    for name in ("frames", "boxes"):
        with (hostile / f"tables/{name}.csv").open(newline="") as handle:
            cells[name] = next(iter(csv.DictReader(handle)))
    assert cells["frames"]["frame_id"] == "'" + FRAME
    assert cells["boxes"]["category"] == "'" + CATEGORY
    for path in (hostile / "tables").glob("*.csv"):
        with path.open(newline="") as handle:
            every = [cell for row in csv.reader(handle) for cell in row]
        assert not [cell for cell in every if cell.startswith(("=", "+", "@", "\t", "\r"))], path


def test_hostile_names_stay_data_on_the_3d_page(hostile: Path, tmp_path: Path) -> None:
    (path,) = succeed("view", "-w", hostile, "--3d", "--out", tmp_path / "scene.html").split("\n")[:1]
    assert path == str(tmp_path / "scene.html")
    html = (tmp_path / "scene.html").read_text()
    data = html.split('id="scene">')[1].split("</script>")[0]
    scene = json.loads(data)
    assert "<" not in data
    assert scene["cameras"] == [CAMERA]
    assert scene["boxes"][0]["name"] == CATEGORY
    assert scene["title"] == f"{SEQUENCE} / {FRAME}"
    scripts = [attrs for tag, attrs in Reader(html).tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "scene"}, {}, {}]
