"""`paintpipe unlock`: remove a lock that a run on another host has left behind."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.local import LocalFolder
from paintpipe.pipeline.lock import LOCK, lock_owner, remove_lock
from paintpipe.pipeline.lock_owner import Owner
from paintpipe.pipeline.workspace import Workspace
from paintpipe.workflows.stores import base_to_remember, store_base


@dataclass(frozen=True)
class FoundLock:
    """A lock, and who holds it or has left it; None where it does not tell."""

    folder: Folder
    owner: Owner | None

    def text(self) -> str:
        """Whose it is, in a line."""
        held = str(self.owner) if self.owner else "a run that could not write its name"
        gone = "; that process runs no more" if self.owner and self.owner.is_gone() else ""
        return f"{self.folder.where(LOCK)}: {held}{gone}"


def unlock(workspace: Path, agree: Callable[[str], bool]) -> str:
    """Remove the locks of a workspace and of its store elsewhere, each after `agree` has been asked.

    Args:
        workspace: folder.
        agree: given the text of a lock, whether to remove it.

    Raises:
        WorkspaceLockedError: the owner surely still runs, on this host.
        StoreError: disk or service refuse.
    """
    lines = []
    for found in find_locks(Workspace(workspace)):
        if agree(found.text()):
            remove_lock(found.folder, found.owner)
            lines.append(f"removed: {found.text()}")
        else:
            lines.append(f"kept: {found.text()}")
    return "\n".join(lines) if lines else "no lock is there"


def find_locks(workspace: Workspace) -> list[FoundLock]:
    """Of the workspace, and of its store where that lies elsewhere."""
    base = store_base(workspace)
    folders: list[Folder] = [LocalFolder(workspace.ledger)]
    folders += [base.folder("ledger")] if base_to_remember(workspace, base) else []
    return [FoundLock(folder, lock_owner(folder)) for folder in folders if folder.size(LOCK) is not None]
