"""Whether the owner of a lock is alive, dead, or not to be judged from here."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from paintpipe.pipeline import lock_owner
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.lock import remove_lock, workspace_lock
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.pipeline.process_identity import FIRST_NAMESPACE, process_start
from paintpipe.schemas.errors import WorkspaceLockedError

DEAD = 2**22 + 1
"""Beyond the largest process id."""
OURS, THEIRS = "pid:[4026532111]", "pid:[4026532222]"


@pytest.fixture(autouse=True)
def contained(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process as one of a container that has no machine id."""
    monkeypatch.setattr(lock_owner, "pid_namespace", lambda: OURS)
    monkeypatch.setattr(lock_owner, "machine_id", lambda: "")
    monkeypatch.setattr(lock_owner, "boot_id", lambda: "this boot")


def judged(**changes: object) -> str:
    owner = replace(Owner.current(), **changes)  # type: ignore[arg-type]
    assert not (owner.is_gone() and owner.is_running())
    return "dead" if owner.is_gone() else "alive" if owner.is_running() else "unknown"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "alive"),
        ({"pid": DEAD}, "dead"),
        ({"process_start": 1}, "dead"),
        ({"pid_namespace": THEIRS}, "unknown"),
        ({"pid_namespace": THEIRS, "pid": DEAD}, "unknown"),
        ({"pid_namespace": "", "pid": DEAD}, "dead"),  # a lock of an older version, or of a system without /proc
        ({"pid_namespace": ""}, "alive"),
        ({"boot_id": "before"}, "unknown"),  # perhaps a container of the same name on another machine
        ({"boot_id": "before", "pid_namespace": FIRST_NAMESPACE}, "dead"),
        ({"boot_id": "before", "pid_namespace": ""}, "dead"),
        ({"host": "elsewhere", "pid": DEAD}, "unknown"),
    ],
)
def test_who_can_be_judged(changes: dict[str, object], expected: str) -> None:
    assert judged(**changes) == expected


@pytest.mark.parametrize(("machine", "expected"), [("m1", "dead"), ("m2", "unknown")])
def test_a_boot_of_this_machine_and_of_another_of_its_name(
    machine: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_owner, "machine_id", lambda: "m1")
    assert judged(boot_id="before", machine_id=machine, pid_namespace=FIRST_NAMESPACE) == expected


def test_without_proc_the_process_id_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pid_namespace", "boot_id"):
        monkeypatch.setattr(lock_owner, name, lambda: "")
    monkeypatch.setattr(lock_owner, "process_start", lambda pid: 0 if pid == os.getpid() else None)
    assert judged() == "alive"
    assert judged(pid=DEAD) == "dead"


@pytest.mark.parametrize("hidden", [FileNotFoundError, PermissionError])
def test_a_process_that_proc_hides_is_not_dead(hidden: type[OSError], monkeypatch: pytest.MonkeyPatch) -> None:
    """As for other users' processes where /proc is mounted with hidepid."""

    def read(_self: Path) -> bytes:
        raise hidden

    def kill(pid: int, _signal: int) -> None:
        raise ProcessLookupError if pid == DEAD else PermissionError

    monkeypatch.setattr(Path, "read_bytes", read)
    monkeypatch.setattr(os, "kill", kill)
    assert judged(pid=1, process_start=5) == "alive"
    assert judged(pid=DEAD) == ("dead" if hidden is FileNotFoundError else "alive")


def test_a_name_cut_through_a_letter_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_self: Path) -> bytes:
        return "7 (a日) S 日本".encode()[:-1] + b") S " + b"1 " * 18 + b"77 0"

    monkeypatch.setattr(Path, "read_bytes", read)
    assert process_start(7) == 77


def test_a_lock_of_odd_values_names_nobody() -> None:
    owner = asdict(Owner.current())
    for changes in ({"pid": "self"}, {"pid": "1\0"}, {"pid": True}, {"host": None}, {"device": 1.5}):
        assert Owner.decode(json.dumps(owner | changes).encode()) is None


def test_locks_of_older_and_newer_versions_are_read() -> None:
    owner = Owner.current()
    old = {
        name: value for name, value in asdict(owner).items() if name not in ("pid_namespace", "machine_id", "device")
    }
    assert Owner.decode(json.dumps(old).encode()) == replace(owner, pid_namespace="")
    assert Owner.decode(json.dumps({**asdict(owner), "token": "1", "cell": 7}).encode()) == owner
    assert Owner.decode(json.dumps({"pid": 1}).encode()) is None


def leave(folder: Path, device: int) -> Owner:
    owner = replace(Owner.current(device), pid_namespace=THEIRS, pid=DEAD, host="container-7")
    (folder / "lock").write_text(json.dumps(asdict(owner)))
    return owner


def test_the_kernel_knows_of_the_dead_of_other_containers(tmp_path: Path) -> None:
    """It lets go of their locks: where ours is taken on that file system, theirs is gone."""
    leave(tmp_path, tmp_path.stat().st_dev)
    with workspace_lock(tmp_path):
        there = Owner.decode((tmp_path / "lock").read_bytes())
        assert there is not None
        assert (there.pid, there.device) == (os.getpid(), tmp_path.stat().st_dev)


@pytest.mark.parametrize("device", [0, 12345])
def test_a_kernel_lock_elsewhere_proves_nothing(tmp_path: Path, device: int) -> None:
    leave(tmp_path, device)
    with pytest.raises(WorkspaceLockedError, match="container-7"), workspace_lock(tmp_path):
        pytest.fail("two runs at once")


def test_a_boot_proves_nothing_of_another(tmp_path: Path) -> None:
    owner = replace(leave(tmp_path, tmp_path.stat().st_dev), boot_id="another machine")
    (tmp_path / "lock").write_text(json.dumps(asdict(owner)))
    with pytest.raises(WorkspaceLockedError, match="container-7"), workspace_lock(tmp_path):
        pytest.fail("two runs at once")


def test_unlock_removes_what_can_not_be_judged(tmp_path: Path) -> None:
    owner = replace(leave(tmp_path, 0), host=Owner.current().host)
    (tmp_path / "lock").write_text(json.dumps(asdict(owner)))
    remove_lock(LocalFolder(tmp_path), owner)
    assert not (tmp_path / "lock").exists()
