"""The lock of a store on an object store: a conditional PUT, with the same manners as the lock of a folder."""

import json
import os
import socket
import uuid
from dataclasses import asdict, replace

import pytest
from support.together import together

from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.lock import lock_owner, remove_lock, workspace_lock
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.schemas.errors import WorkspaceLockedError


def leave(objects: ObjectFolder, **changes: object) -> Owner:
    owner = replace(Owner.current(), **changes)  # type: ignore[arg-type]
    objects.publish({"lock": json.dumps({**asdict(owner), "token": uuid.uuid4().hex}).encode()})
    return owner


def test_held_and_released(objects: ObjectFolder) -> None:
    with workspace_lock(objects):
        content = json.loads(objects.read("lock"))
        assert (content["host"], content["pid"]) == (socket.gethostname(), os.getpid())
        with pytest.raises(WorkspaceLockedError) as caught, workspace_lock(objects):
            pytest.fail("two runs at once")
        line = str(caught.value)
        assert f"process {os.getpid()} on {socket.gethostname()} since 20" in line
        assert objects.where("lock") in line
        assert "paintpipe unlock" in line
        assert lock_owner(objects) is not None
    assert list(objects.walk()) == []
    assert lock_owner(objects) is None
    with pytest.raises(ZeroDivisionError), workspace_lock(objects):
        raise ZeroDivisionError
    assert list(objects.walk()) == []


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
        ({"boot_id": "before", "machine_id": "another"}, False),
    ],
)
def test_only_the_surely_dead_lose_their_lock(objects: ObjectFolder, changes: dict[str, object], taken: bool) -> None:
    leave(objects, **changes)
    if taken:
        with workspace_lock(objects):
            assert json.loads(objects.read("lock"))["pid"] == os.getpid()
        assert list(objects.walk()) == []
        return
    with pytest.raises(WorkspaceLockedError, match="since"), workspace_lock(objects):
        pytest.fail("two runs at once")
    assert objects.size("lock") is not None


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_takers_one_alone_gets_in_at_a_time(objects: ObjectFolder, stale: bool) -> None:
    if stale:
        leave(objects, boot_id="before")
    inside: list[int] = []
    most: list[int] = []

    def take() -> None:
        for _ in range(3):
            try:
                with workspace_lock(objects):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except WorkspaceLockedError:
                pass

    assert together([take] * 8) == [None] * 8
    assert set(most) == {1}
    assert list(objects.walk()) == []


def test_a_lock_that_was_lost_is_not_taken_from_its_new_owner(objects: ObjectFolder) -> None:
    with workspace_lock(objects):
        leave(objects, host="elsewhere")
    assert lock_owner(objects) is not None


def test_removing_a_lock(objects: ObjectFolder) -> None:
    owner = leave(objects, host="elsewhere")
    with pytest.raises(WorkspaceLockedError, match="elsewhere"):
        remove_lock(objects, replace(owner, pid=1))
    remove_lock(objects, owner)
    assert objects.size("lock") is None
    with workspace_lock(objects), pytest.raises(WorkspaceLockedError, match="process"):
        remove_lock(objects, lock_owner(objects))
    objects.publish({"lock": b"torn"})
    with pytest.raises(WorkspaceLockedError, match="another run"), workspace_lock(objects):
        pytest.fail("whose it is, nobody knows")
    remove_lock(objects, None)
