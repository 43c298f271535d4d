import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.lock import WorkspaceLock, remove_lock, workspace_lock
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.schemas.errors import StoreError, WorkspaceLockedError

_HOLD = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from paintpipe.pipeline.lock import workspace_lock
    with workspace_lock(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(60)
    """
)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def leave(path: Path, owner: Owner) -> None:
    path.write_text(json.dumps(asdict(owner)))


def test_held_and_released(tmp_path: Path) -> None:
    with workspace_lock(tmp_path / "ledger"):
        content = json.loads((tmp_path / "ledger" / "lock").read_text())
        assert (content["host"], content["pid"]) == (socket.gethostname(), os.getpid())
        with pytest.raises(WorkspaceLockedError), workspace_lock(tmp_path / "ledger"):
            pytest.fail("two runs at once")
    assert list((tmp_path / "ledger").iterdir()) == []
    with pytest.raises(ZeroDivisionError), workspace_lock(tmp_path / "ledger"):
        raise ZeroDivisionError
    with workspace_lock(tmp_path / "ledger"):
        pass


def test_another_process_is_named_and_its_death_frees_the_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(WorkspaceLockedError) as caught, workspace_lock(tmp_path):
        pytest.fail("two runs at once")
    line = str(caught.value)
    assert f"process {holder.pid} on {socket.gethostname()} since 20" in line
    assert str(tmp_path / "lock") in line
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "lock").exists()
    with workspace_lock(tmp_path):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({}, False),  # this very process, which lives
        ({"process_start": 1}, True),  # its id was given to another process since
        ({"boot_id": "before"}, True),
        ({"pid": 2**22 + 1}, True),  # beyond the largest id
        ({"host": "elsewhere"}, False),
        ({"host": "elsewhere", "pid": 2**22 + 1, "boot_id": "before"}, False),
        ({"pid": 2**22 + 1, "pid_namespace": "pid:[1]"}, False),  # no such process here, but perhaps in its container
        ({"process_start": 1, "pid_namespace": "pid:[1]"}, False),
    ],
)
def test_only_the_surely_dead_lose_their_lock(tmp_path: Path, changes: dict[str, object], taken: bool) -> None:
    leave(tmp_path / "lock", replace(Owner.current(), **changes))  # type: ignore[arg-type]
    if taken:
        with workspace_lock(tmp_path):
            pass
        return
    with pytest.raises(WorkspaceLockedError, match="since"), workspace_lock(tmp_path):
        pytest.fail("two runs at once")
    assert (tmp_path / "lock").exists()


def test_a_zombie_is_dead(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    start = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    owner = replace(Owner.current(), pid=child.pid, process_start=start)
    assert owner.is_gone()
    child.wait()
    assert owner.is_gone()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_torn_lock_file_is_taken_over(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock").write_text(content)
    with workspace_lock(tmp_path):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
        with pytest.raises(WorkspaceLockedError), workspace_lock(tmp_path):
            pass
    assert not (tmp_path / "lock").exists()


def test_of_many_takers_of_a_stale_lock_one_alone_gets_in_at_a_time(tmp_path: Path) -> None:
    inside, most, entered = 0, 0, 0
    guard, start = threading.Lock(), threading.Barrier(8)

    def take() -> None:
        nonlocal inside, most, entered
        start.wait()
        for _ in range(60):
            try:
                with WorkspaceLock(tmp_path / "lock"):
                    with guard:
                        inside, entered = inside + 1, entered + 1
                        most = max(most, inside)
                    with guard:
                        inside -= 1
            except WorkspaceLockedError:
                pass

    leave(tmp_path / "lock", replace(Owner.current(), boot_id="before"))
    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert entered >= 1
    assert not (tmp_path / "lock").exists()


def test_a_lock_file_that_its_owner_removes_meanwhile_is_not_taken_for_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = fcntl.flock, []

    def flock(descriptor: int, operation: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            (tmp_path / "lock").unlink()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with workspace_lock(tmp_path):
        assert len(calls) == 2
        with pytest.raises(WorkspaceLockedError), workspace_lock(tmp_path):
            pytest.fail("two runs at once")
    assert not (tmp_path / "lock").exists()


def test_two_processes_race_for_a_stale_lock(tmp_path: Path) -> None:
    leave(tmp_path / "lock", replace(Owner.current(), boot_id="before"))
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    # The losers end by themselves; the winner holds on.
    losers = []
    while len(losers) < 2:
        losers = [racer for racer in racers if racer.poll() is not None]
    (winner,) = set(racers) - set(losers)
    assert winner.stdout is not None
    assert winner.stdout.readline() == "held\n"
    winner.kill()
    for racer in racers:
        _, errors = racer.communicate()
        assert (racer is winner) or "WorkspaceLockedError" in errors


def test_a_run_that_lost_its_lock_leaves_that_of_its_successor(tmp_path: Path) -> None:
    with workspace_lock(tmp_path):
        (tmp_path / "lock").unlink()
        leave(tmp_path / "lock", replace(Owner.current(), host="elsewhere"))
    assert (tmp_path / "lock").exists()


def test_no_run_takes_a_lock_over_while_it_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = replace(Owner.current(), boot_id="before")
    leave(tmp_path / "lock", owner)
    real = LocalFolder.remove

    def remove(self: LocalFolder, path: str) -> None:
        with pytest.raises(WorkspaceLockedError), workspace_lock(tmp_path):
            pytest.fail("its lock would be removed now")
        real(self, path)

    monkeypatch.setattr(LocalFolder, "remove", remove)
    remove_lock(LocalFolder(tmp_path), owner)
    assert not (tmp_path / "lock").exists()


def test_a_folder_that_can_not_be_written_is_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"), workspace_lock(tmp_path / "file"):
        pytest.fail("locked nothing")
