"""The same bytes out of every executor, whatever happens to its workers."""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from support.command import COMMAND, content, paintpipe, start, succeed
from support.dask_cluster import Cluster

from paintpipe.pipeline.events import Event
from paintpipe.pipeline.ledger import Ledger
from paintpipe.pipeline.roots import LocalRoot
from paintpipe.schemas.errors import WorkerMismatchError
from paintpipe.schemas.settings import PAINT_FORMAT
from paintpipe.stages.segment import gpus
from paintpipe.workflows import terms
from paintpipe.workflows.catalog import open_catalog
from paintpipe.workflows.workers import WorkerOptions, check_workers, executor_settings, gpu_environments

SHARDS = ("--frames-per-shard", 1, "--threads-per-worker", 1)
PARALLEL = ("threads", "processes", "dask")
each = pytest.mark.parametrize("name", PARALLEL)
Options = Callable[[str], tuple[object, ...]]


@pytest.fixture
def spread(request: pytest.FixtureRequest) -> Options:
    """The options of an executor."""

    def options(name: str) -> tuple[object, ...]:
        if name == "dask":
            cluster: Cluster = request.getfixturevalue("cluster")
            return ("--scheduler-file", cluster.file)
        return ("--executor", name, "--workers", 2)

    return options


@pytest.fixture(scope="module")
def network(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of street-tiny, painted by the serial executor."""
    whole = Path(shutil.copytree(ingested, tmp_path_factory.mktemp("network") / "whole"))
    succeed("paint", "-w", whole, "-q", "--executor", "serial", *SHARDS)
    return painted(whole)


def painted(workspace: Path) -> dict[str, bytes]:
    """Every byte of store and ledger; nothing that a run leaves only while it is at work."""
    assert not list(workspace.rglob("*.partial"))
    return content(workspace / "painted.zarr", workspace / "ledger")


@each
def test_same_bytes_and_marks_as_serial(
    name: str, spread: Options, workspace: Path, network: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes are those of two GPUs that aren't there, told to compute on the CPU: all else is as with GPUs."""
    monkeypatch.setattr(gpus, "gpu_names", lambda: ["first", "second"])
    options = ("--gpus", "0,1", "--device", "cpu") if name == "processes" else spread(name)
    assert "5 frames painted" in succeed("paint", "-w", workspace, "-q", *options, *SHARDS)
    assert painted(workspace) == network
    report = json.loads(next((workspace / "ledger/runs").glob("*.json")).read_text())
    assert report["settings"]["executor"] == name
    assert report["settings"]["gpus"] == (["0", "1"] if name == "processes" else [])
    assert report["counts"]["frames"] == 5
    assert {"load", "network", "encode", "publish"} <= report["stages"].keys()


@pytest.fixture(scope="module")
def judged(drive: Path, ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace painted from masks, and judged by the serial executor."""
    whole = Path(shutil.copytree(ingested, tmp_path_factory.mktemp("judged") / "whole"))
    succeed("paint", "-w", whole, "-q", "--from-masks", drive / "masks", "--executor", "serial", *SHARDS)
    succeed("evaluate", "-w", whole, "-q", "--executor", "serial")
    return whole


@each
def test_evaluate_and_ingest_give_the_same_tables(
    name: str, spread: Options, drive: Path, judged: Path, tmp_path: Path
) -> None:
    workspace = Path(shutil.copytree(judged, tmp_path / "whole"))
    for folder in ("catalog", "tables"):
        shutil.rmtree(workspace / folder)
    succeed("ingest", "semantickitti", drive, "-w", workspace, "-q", *spread(name))
    succeed("evaluate", "-w", workspace, "-q", *spread(name))
    wanted = content(judged / "catalog", judged / "tables")
    assert content(workspace / "catalog", workspace / "tables") == wanted
    assert len(wanted) > 10


@pytest.fixture(scope="module")
def layered(judged: Path, drive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A workspace with two layers, and its bytes once the serial executor has made two more of them."""
    before = Path(shutil.copytree(judged, tmp_path_factory.mktemp("layered") / "before"))
    succeed("paint", "-w", before, "-q", "--oracle", "--executor", "serial", *SHARDS)
    source = ("--from-masks", drive / "masks", "--provenance", "full", "--layer", "full", "--limit", 3)
    succeed("paint", "-w", before, "-q", *source, "--executor", "serial", *SHARDS)
    whole = Path(shutil.copytree(before, before.parent / "whole"))
    make_layers(whole, "--executor", "serial")
    return before, painted(whole)


def make_layers(workspace: Path, *spread: object) -> None:
    repaint = ("--from", "full", "--layer", "again", "--occlusion", "clear", "--edges", "smooth", "--temperature", 2)
    assert "3 frames painted" in succeed("repaint", "-w", workspace, "-q", *repaint, *spread)
    fuse = ("--layers", "masks,oracle", "--layer", "mix", "--taxonomy", "semantickitti19", "--limit", 3)
    assert "3 frames painted" in succeed("fuse", "-w", workspace, "-q", *fuse, *spread)


@each
def test_layers_from_layers_are_the_same_bytes(
    name: str, spread: Options, layered: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    before, wanted = layered
    workspace = Path(shutil.copytree(before, tmp_path / "workspace"))
    make_layers(workspace, *spread(name))
    assert painted(workspace) == wanted
    assert any("layers/again" in path for path in wanted)


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
@pytest.mark.parametrize("how", ["worker", "coordinator", "ctrl-c"])
def test_killed_in_mid_run(how: str, workspace: Path, judged: Path, drive: Path) -> None:
    """A worker is replaced within the run; a run that was stopped goes on; either way the bytes are the same."""
    words = ("paint", "-w", workspace, "-q", "--from-masks", drive / "masks", "--workers", 2, *SHARDS)
    process = start(*words)
    try:
        wait_until(lambda: next((workspace / "ledger").glob("points/*/0*.json"), None) is not None)
        workers = children(process.pid)
        if how == "worker":
            os.kill(workers[0], signal.SIGKILL)
        else:
            process.send_signal(signal.SIGKILL if how == "coordinator" else signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    if how == "worker":
        assert process.returncode == 0, err
    else:
        assert process.returncode != 0
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        succeed(*words)
    if how == "ctrl-c":
        assert err.strip() == "paintpipe: stopped; run the same command again to go on where it stopped"
    assert painted(workspace) == painted(judged)


def wait_until(true: Callable[[], bool], within_s: float = 60) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_that_sees_another_store_may_not_write(
    workspace: Path, judged: Path, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the workspace is not on a shared disk: what the run writes beside its marks is not what workers find."""
    monkeypatch.setattr(terms, "store_token", lambda _: nullcontext(b"elsewhere"))
    monkeypatch.setattr("paintpipe.workflows.paint.store_token", lambda _: nullcontext(b"elsewhere"))
    done = paintpipe("paint", "-w", workspace, "-q", "--from-masks", drive / "masks", "--workers", 1, *SHARDS)
    assert done.code == 2
    assert re.search(r"worker \S+:\d+: sees another store: .*ledger", done.err)
    assert not list((workspace / "ledger").glob("points/*/0*.json"))


def test_what_a_worker_must_share(drive: Path, judged: Path, tmp_path: Path) -> None:
    catalog, root, ledger = open_catalog(judged / "catalog"), LocalRoot(drive), Ledger(tmp_path)
    events = list[Event]()
    with terms.store_token(ledger) as token:
        fine = terms.Terms(terms.some_file_sizes(catalog, root), token, libraries=terms.library_versions())
        fine.check(root, ledger, events.append)
    assert events == []
    assert len(fine.file_sizes) == 2
    assert list(tmp_path.iterdir()) == []
    other = replace(fine, token=b"", libraries={"numpy": "0.1"})
    other.check(root, ledger, events.append)
    assert "has numpy 1." in events[0].message  # type: ignore[union-attr]
    for change, what in {
        "version": "has paintpipe .*; expected 9",
        "paint_format": f"has paint format {PAINT_FORMAT}; expected 9",
        "file_sizes": "sees another dataset: velodyne.bin has no file there; expected 5 bytes",
    }.items():
        wrong = {"file_sizes": {"velodyne.bin": 5}, "paint_format": 9, "version": "9"}[change]
        with pytest.raises(WorkerMismatchError, match=what):
            replace(other, **{change: wrong}).check(root, ledger, events.append)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--gpus", "0"), "this machine has no CUDA GPU"),
        (("--gpus", "x"), "--gpus 'x'; expected all, or numbers such as 0,1"),
        (("--executor", "dask"), "the dask executor needs a scheduler"),
        (("--executor", "serial", "--scheduler", "tcp://a:1"), "the serial executor takes no scheduler"),
        (("--executor", "threads", "--gpus", "0"), "--gpus with the threads executor"),
        (("--executor", "serial", "--workers", "2"), "--workers with the serial executor"),
        (("--gpus", "0", "--workers", "2"), "--workers with --gpus; there is one worker for each GPU"),
        (("--executor", "threads", "--in-flight", "2"), "--in-flight with the threads executor"),
    ],
)
def test_workers_that_can_not_be_are_refused(
    options: tuple[str, ...], line: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "gpu_names", list)
    done = paintpipe("paint", "-w", workspace, "-q", "--oracle", *options)
    assert done.code == 2
    assert line in done.err
    assert len(done.err.splitlines()) == 1
    assert not (workspace / "painted.zarr").exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--oracle",), "--gpus without a network; use --workers"),
        (("--model", "street-tiny", "--backend", "openvino"), "--backend openvino with --gpus"),
    ],
)
def test_gpus_that_would_have_nothing_to_do_are_refused(
    options: tuple[str, ...], line: str, drive: Path, ingested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "gpu_names", lambda: ["H100"])
    done = paintpipe("paint", "-w", ingested, "-q", "--gpus", "0", *options)
    assert done.code == 2
    assert line in done.err


def test_a_device_that_no_worker_would_see_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "gpu_names", lambda: ["H100", "L4"])
    options = WorkerOptions(gpus="all")
    with pytest.raises(ValueError, match="--device cuda:1 with --gpus; leave --device out"):
        check_workers(options, "cuda:1")
    check_workers(options, "auto")


def test_gpus_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "gpu_names", lambda: ["H100", "L4"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpu_environments("all") == ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"})
    assert gpu_environments((1,)) == ({"CUDA_VISIBLE_DEVICES": "1"},)
    with pytest.raises(ValueError, match=r"there is no GPU 2; expected all, or some of 0 \(H100\), 1 \(L4\)"):
        gpu_environments((0, 2))
    with pytest.raises(ValueError, match="a GPU is named twice"):
        gpu_environments((1, 1))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,MIG-7")
    assert gpu_environments((1,)) == ({"CUDA_VISIBLE_DEVICES": "MIG-7"},)


def test_numbers_that_the_user_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paintpipe.workflows.workers.usable_cores", lambda: 16)
    monkeypatch.setattr(gpus, "gpu_names", lambda: ["H100", "L4"])
    cpu = executor_settings(WorkerOptions("processes"), threads=4)
    assert (cpu.workers, cpu.in_flight, cpu.threads) == (4, 2, 4)
    gpu = executor_settings(WorkerOptions(gpus="all"), threads=4, on_gpu=True)
    assert (gpu.name, gpu.workers, gpu.in_flight) == ("processes", 2, 4)
    assert executor_settings(WorkerOptions(), threads=2).name == "threads"
    assert executor_settings(WorkerOptions(workers=3), threads=2).name == "processes"
