"""One run at a time in a store that lies on an object store: an object that is written only if it is absent."""

import json
import uuid
from dataclasses import asdict
from types import TracebackType

from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.lock_owner import Owner, locked

_TRIES = 5


class ObjectLock:
    """An exclusive lock as a context manager: one conditional PUT of who holds it.

    A lock left by a process of this host that surely runs no more is taken over, on condition that it is unchanged: of
    two that try, one alone succeeds.

    Args:
        folder: where the lock lies.
        name: of the object.

    Raises:
        WorkspaceLockedError: on entering, another run holds the lock.
        StoreError: on entering, the service refuses or does not answer.
    """

    def __init__(self, folder: ObjectFolder, name: str = "lock") -> None:
        self._folder, self._name = folder, name
        self._content = b""

    def __enter__(self) -> "ObjectLock":
        # The token tells two locks of one process apart.
        fields = {**asdict(Owner.current()), "token": uuid.uuid4().hex}
        self._content = (json.dumps(fields, sort_keys=True) + "\n").encode()
        for _ in range(_TRIES):
            if self._take():
                break
        there = self._folder.version(self._name)
        # Read back: a service that knows no conditions has let everybody in.
        if there is None or there.content != self._content:
            raise locked(self._where, Owner.decode(there.content) if there else None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        there = self._folder.version(self._name)
        if there is not None and there.content == self._content:
            self._folder.remove(self._name)

    @property
    def _where(self) -> str:
        return self._folder.where(self._name)

    def _take(self) -> bool:
        """False where the lock changed hands between our looking and our writing."""
        if self._folder.create(self._name, self._content):
            return True
        there = self._folder.version(self._name)
        if there is None:
            return False
        owner = Owner.decode(there.content)
        if owner is None or not owner.is_gone():
            raise locked(self._where, owner)
        return self._folder.replace(self._name, self._content, there)
