import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from support.command import paintpipe, succeed

from paintpipe.pipeline.folders.open import open_folder
from paintpipe.pipeline.lock import workspace_lock
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.pipeline.workspace import Workspace


def leave(workspace: Path, **changes: object) -> Path:
    lock = workspace / "ledger" / "lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps(asdict(replace(Owner.current(), **changes))))  # type: ignore[arg-type]
    return lock


def test_a_lock_of_another_host_is_shown_and_removed_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = leave(tmp_path, host="elsewhere", pid=4711)
    monkeypatch.setattr("click.confirm", lambda text: "4711 on elsewhere since" not in text)
    assert "kept" in succeed("unlock", "-w", tmp_path)
    assert lock.exists()
    out = succeed("unlock", "-w", tmp_path, "--yes")
    assert "process 4711 on elsewhere since 20" in out
    assert not lock.exists()
    assert "no lock is there" in succeed("unlock", "-w", tmp_path, "--yes")


def test_a_run_that_is_at_work_keeps_its_lock(tmp_path: Path) -> None:
    with workspace_lock(tmp_path / "ledger"):
        done = paintpipe("unlock", "-w", tmp_path, "--yes")
        assert (done.code, (tmp_path / "ledger" / "lock").exists()) == (2, True)
        assert "another run works here: process" in done.err
    # On a disk that another host mounts too, the kernel's lock tells what the file does not.
    with workspace_lock(tmp_path / "ledger"):
        leave(tmp_path, host="elsewhere")
        assert paintpipe("unlock", "-w", tmp_path, "--yes").code == 2


def test_the_lock_of_a_store_elsewhere(tmp_path: Path, moto: str) -> None:
    Workspace(tmp_path).write_config({"store": {"url": moto}})
    marks = open_folder(f"{moto}/ledger")
    owner = replace(Owner.current(), host="elsewhere")
    marks.publish({"lock": json.dumps({**asdict(owner), "token": "0"}).encode()})
    out = succeed("unlock", "-w", tmp_path, "--yes")
    assert f"removed: {moto}/ledger/lock: process" in out
    assert marks.size("lock") is None
