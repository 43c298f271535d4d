"""A dataset's root for tests of readers."""

from pathlib import Path
from typing import BinaryIO

from paintpipe.schemas.errors import OutsideRootError


class DirectoryRoot:
    """`paintpipe.schemas.source.Root` over a folder; counts what it is asked, so that tests can bound it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.calls: dict[str, int] = {"open_bytes": 0, "size": 0, "list_dir": 0}

    def open_bytes(self, path: str) -> BinaryIO:
        self.calls["open_bytes"] += 1
        return self._inside(path).open("rb")

    def size(self, path: str) -> int | None:
        self.calls["size"] += 1
        full = self._inside(path)
        return full.stat().st_size if full.is_file() else None

    def list_dir(self, path: str) -> list[str]:
        self.calls["list_dir"] += 1
        full = self._inside(path)
        return sorted(item.name for item in full.iterdir()) if full.is_dir() else []

    def _inside(self, path: str) -> Path:
        full = (self.path / path).resolve()
        if path.startswith("/") or not full.is_relative_to(self.path):
            raise OutsideRootError("leads out of the root", where=path)
        return full
