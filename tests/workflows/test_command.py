"""The command itself: help, exit codes, models, doctor, pictures."""

import contextlib
import hashlib
import http.server
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command import COMMAND, paintpipe, succeed

from paintpipe.cli import cli
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.schemas.errors import PaintpipeError

Paint = Callable[..., str]


def test_the_installed_command_answers() -> None:
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("paintpipe, version ")


def test_help_has_a_whole_line_for_each_command() -> None:
    lines = [line[2:].split(maxsplit=1) for line in succeed("--help").partition("Commands:\n")[2].splitlines()]
    assert [name for name, _ in lines] == list(cli.commands)
    assert not [about for _, about in lines if not about.endswith(".") or about.endswith("...")]


@pytest.mark.parametrize(
    "words",
    [("ingest",), ("paint",), ("evaluate",), ("view",), ("verify",), ("models",), ("synth",), ("demo",), ("doctor",)],
)
def test_each_command_explains_itself(words: tuple[str, ...]) -> None:
    assert "Usage: paintpipe" in succeed(*words, "--help")


def test_mistakes_exit_with_2_and_one_line(tmp_path: Path) -> None:
    unknown = paintpipe("ingest", "waymo", tmp_path, "-w", tmp_path / "w", "-q")
    assert unknown.code == 2
    assert "semantickitti, kitti, kitti-raw, nuscenes, custom" in unknown.err
    empty = paintpipe("paint", "-w", tmp_path)
    assert empty.code == 2
    assert "paintpipe ingest" in empty.err
    assert paintpipe("paint", "--tta", "huge", "-w", tmp_path).code == 2
    for size in ("²x²", "1024", "16x16", "64x", "9" * 5000 + "x64"):
        assert "WIDTHxHEIGHT" in paintpipe("paint", "--input-size", size, "-w", tmp_path).err
    for option in ("--threads-per-worker", "--workers", "--batch-size", "--frames-per-shard", "--limit"):
        done = paintpipe("paint", option, 10**12, "-w", tmp_path)
        assert (done.code, "is not in the range" in done.err) == (2, True)
    assert paintpipe("frobnicate").code == 2


def test_debug_shows_the_error_itself(tmp_path: Path) -> None:
    with pytest.raises(PaintpipeError):
        paintpipe("--debug", "paint", "-w", tmp_path)


def test_doctor_names_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    report = succeed("doctor", "-w", tmp_path)
    assert "torch" in report
    assert "no catalog here" in report
    assert "GiB free" in report


def test_models_tell_licence_and_source() -> None:
    listed = succeed("models")
    for word in ("street-tiny", "espnetv2-s2.0-cityscapes", "bisenetv2-cityscapes", "MIT", "EdgeNets", "synthetic"):
        assert word in listed


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server on 127.0.0.1 and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


def test_models_fetch_checks_what_it_downloads(server: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = server
    (folder / "net.pth").write_bytes(b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    card = tmp_path / "net.toml"
    text = 'name = "net"\narchitecture = "bisenetv2"\ntaxonomy = "cityscapes19"\nweights = "net.pth"\n'
    text += f'url = "{url}/net.pth"\n'
    card.write_text(text + f'weights_sha256 = "{sha256}"\n')
    assert str(tmp_path / "to/net.pth") in succeed("models", "fetch", card, "--to", tmp_path / "to", "-q")
    assert (tmp_path / "to/net.pth").read_bytes() == b"weights"
    card.write_text(text + f'weights_sha256 = "{"0" * 64}"\n')
    done = paintpipe("models", "fetch", card, "--to", tmp_path / "again", "-q")
    assert done.code == 2
    assert not list((tmp_path / "again").glob("*"))


def test_custom_data_from_a_written_specification(drive: Path, tmp_path: Path) -> None:
    spec = tmp_path / "my.toml"
    succeed("ingest", "custom", "--write-spec", spec)
    assert "[[cameras]]" in spec.read_text() or "[cameras" in spec.read_text()
    assert paintpipe("ingest", "custom", "--write-spec", spec).code == 2


def test_pictures_charts_and_video(workspace: Path, paint_masks: Paint) -> None:
    paint_masks(workspace)
    succeed("evaluate", "-w", workspace, "-q")
    sheet, *_ = succeed("view", "-w", workspace, "--frame", "08/000002").split()
    assert cv2.imread(sheet).shape[1] > 1000
    charts = succeed("view", "-w", workspace, "--charts").split()
    assert [Path(path).name for path in charts] == ["masks-confusion.png", "masks-classes.png", "masks-reliability.png"]
    single = succeed("view", "-w", workspace, "--single").split()
    ends = ("image_2-points", "image_2-classes", "birds-eye")
    assert [Path(path).name for path in single] == [f"masks-08-000000-{end}.png" for end in ends]
    (video,) = succeed("view", "-w", workspace, "--video", "-q").split()
    capture = cv2.VideoCapture(video)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    capture.release()
    done = paintpipe("view", "-w", workspace, "--frame", "08/999999")
    assert done.code == 2
    assert "999999" in done.err


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("paint", "--oracle", "--weights", __file__), "--weights"),
        (("paint", "--from-masks", ".", "--tta", "flip"), "--tta"),
        (("paint", "--from-predictions", ".", "--device", "cpu"), "--device"),
        (("evaluate", "--model", "street-tiny"), "--model"),
        (("evaluate", "--input-size", "64x64"), "--input-size"),
        (("evaluate", "--images", ".", "--labels", ".", "--model", "street-tiny", "--layer", "x"), "--layer"),
        (("evaluate", "--images", ".", "--labels", ".", "--model", "street-tiny", "--fill", "nearest"), "--fill"),
    ],
)
def test_options_that_would_do_nothing_are_refused(workspace: Path, words: tuple[str, ...], option: str) -> None:
    done = paintpipe(*words, "-w", workspace)
    assert done.code == 2
    assert f"{option} does nothing" in done.err


def test_only_custom_data_has_a_specification(tmp_path: Path) -> None:
    assert paintpipe("ingest", "kitti", "--write-spec", tmp_path / "x.toml").code == 2
    assert not list(tmp_path.iterdir())


def test_scores_of_images_leave_those_of_layers_alone(workspace: Path, paint_masks: Paint, tmp_path: Path) -> None:
    paint_masks(workspace, "--limit", 1)
    succeed("evaluate", "-w", workspace, "-q")
    tables = workspace / "tables"
    before = {path.name: path.read_bytes() for path in tables.iterdir()}
    for folder, name, array in (
        ("images", "a_leftImg8bit.png", np.zeros((64, 128, 3), np.uint8)),
        ("labels", "a_gtFine_labelIds.png", np.full((64, 128), 7, np.uint8)),
    ):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / name), array)
    folders = ("--images", tmp_path / "images", "--labels", tmp_path / "labels")
    arguments = ("evaluate", "-w", workspace, "-q", "--model", "street-tiny", *folders)
    with workspace_lock(workspace / "ledger"):
        assert "another run works here" in paintpipe(*arguments).err
    succeed(*arguments)
    assert {name: (tables / name).read_bytes() for name in before} == before
    assert "Images" in (tables / "comparison-images.md").read_text()


def test_a_full_disk_behind_the_output_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "models"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "paintpipe: No space left on device\n")


def test_an_error_of_the_system_names_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr("paintpipe.workflows.models.list_text", refuse)
    done = paintpipe("models")
    assert (done.code, done.err) == (2, "paintpipe: /some/file: Permission denied\n")
    with pytest.raises(PermissionError):
        paintpipe("--debug", "models")


@pytest.mark.parametrize("then", [None, ImportError("of something half imported")])
def test_an_interrupt_that_a_library_swallows_still_stops(
    monkeypatch: pytest.MonkeyPatch, then: Exception | None
) -> None:
    def swallow() -> str:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        if then is not None:
            raise then
        return "done"

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("paintpipe.workflows.models.list_text", swallow)
    done = paintpipe("models")
    assert done.code == 130
    assert "paintpipe: stopped; run the same command again" in done.err
    assert signal.getsignal(signal.SIGINT) is before


def test_models_of_the_hub_are_fetched_without_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tmp_path / "net.toml"
    options = '[architecture_options]\nmodel = "someone/segformer"\n'
    card.write_text(f'name = "net"\narchitecture = "hf"\ntaxonomy = "cityscapes19"\n{options}')
    monkeypatch.setattr("paintpipe.stages.segment.hf.fetch_snapshot", lambda _card: tmp_path / "snapshot")
    assert str(tmp_path / "snapshot") in succeed("models", "fetch", card, "-q")
    assert "the hub's own cache" in paintpipe("models", "fetch", card, "-q", "--to", tmp_path).err
