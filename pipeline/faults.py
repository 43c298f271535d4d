"""What the operating system refused, as one clear line."""

import errno
import shutil
from pathlib import Path

from paintpipe.schemas.errors import StoreError

_KEPT = "what was finished is kept, the same command carries on from there"


def write_error(error: OSError, path: Path, num_bytes: int = 0) -> StoreError:
    """A StoreError that says what stopped a write, where, and what to do.

    Args:
        error: as raised by the write.
        path: the folder or file written to.
        num_bytes: how much was to be written, 0 where unknown.
    """
    code = error.errno
    if code in (errno.ENOSPC, errno.EDQUOT):
        what = "no space left on this disk" if code == errno.ENOSPC else "the disk quota is used up"
        needed = f"{format_bytes(num_bytes)} were to be written, " if num_bytes else ""
        what += f": {needed}{format_bytes(_free_bytes(path))} free"
        return StoreError(what, where=str(path), todo=f"make room or work in another folder; {_KEPT}")
    if code == errno.EROFS:
        return StoreError("the file system is read-only", where=str(path), todo="choose a folder that can be written")
    if code in (errno.EACCES, errno.EPERM):
        todo = "change the folder's rights or choose another"
        return StoreError("no permission to write here", where=str(path), todo=todo)
    return StoreError(f"can't write: {error.strerror or error}", where=str(path), todo=_KEPT)


def format_bytes(num_bytes: int) -> str:
    """A size as people say it, such as `1.5 MB`."""
    value = float(num_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _free_bytes(path: Path) -> int:
    existing = next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))
    return shutil.disk_usage(existing).free
