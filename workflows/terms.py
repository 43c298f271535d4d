"""What a worker elsewhere must share with the coordinator before it may write: versions, dataset and store."""

import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from paintpipe import __version__
from paintpipe.pipeline.events import Warned
from paintpipe.pipeline.executors.contract import Emit
from paintpipe.pipeline.ledger import Ledger
from paintpipe.schemas.errors import PaintpipeError, WorkerMismatchError
from paintpipe.schemas.settings import PAINT_FORMAT
from paintpipe.schemas.source import Root
from paintpipe.workflows.catalog import Catalog

SEEN_FILE = "workers.partial"
PATIENCE_S = 5.0
_LIBRARIES = ("numpy", "torch", "zarr", "numba", "opencv-python-headless")
"""Their versions may change the last bits of scores."""


@dataclass(frozen=True)
class Terms:
    """What the coordinator sees, for workers to compare.

    Attributes:
        file_sizes: of some files of the dataset, by path below its root; None for one that is absent.
        token: content of the file `SEEN_FILE` that lies beside the marks during the run, b"" for none.
        identity: of the painter.
        version: of paintpipe.
        paint_format: see `PAINT_FORMAT`.
        libraries: versions by name.
    """

    file_sizes: Mapping[str, int | None]
    token: bytes = b""
    identity: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__
    paint_format: int = PAINT_FORMAT
    libraries: Mapping[str, str] = field(default_factory=dict)

    def check(self, root: Root, ledger: Ledger, emit: Emit) -> None:
        """Compare with what this process sees; other library versions are a `Warned` event.

        Raises:
            WorkerMismatchError: anything else differs; the message says what, and on which worker.
        """
        self._check_versions(emit)
        seen = {path: _size(root, path) for path in self.file_sizes}
        wrong = [path for path, size in self.file_sizes.items() if seen[path] != size]
        if wrong:
            path = wrong[0]
            what = f"sees another dataset: {path} has {_bytes(seen[path])} there"
            raise _mismatch(what, _bytes(self.file_sizes[path]), "mount the dataset at the same path on every worker")
        if self.token and not _sees_token(ledger, self.token):
            what = f"sees another store: what this run wrote to {SEEN_FILE} beside its marks is not there"
            raise _mismatch(what, ledger.root.url, "let the workspace lie where every worker reaches it")

    def _check_versions(self, emit: Emit) -> None:
        own = {"paintpipe": __version__, "paint format": PAINT_FORMAT}
        for name, wanted in {"paintpipe": self.version, "paint format": self.paint_format}.items():
            if own[name] != wanted:
                raise _mismatch(f"has {name} {own[name]}", str(wanted), "install the same version on every worker")
        there = library_versions()
        for name, wanted in self.libraries.items():
            if there.get(name) != wanted:
                what = f"worker {here()} has {name} {there.get(name, '(none)')} instead of {wanted}"
                emit(Warned(f"{what}: the last bits of its scores may differ"))


def library_versions() -> dict[str, str]:
    """Of those installed that may change bytes; nothing is imported for it."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def some_file_sizes(catalog: Catalog, root: Root) -> dict[str, int | None]:
    """Sizes of the first points and image of the first and the last sequence."""
    paths: list[str] = []
    for sequence in {catalog.sequences[0]: 0, catalog.sequences[-1]: 0}:
        paths += catalog.column("frames", sequence, "points_path", 0, 1)
        paths += catalog.column("images", sequence, "image_path", 0, 1)[:1]
    return {path: _size(root, path) for path in paths}


@contextmanager
def store_token(ledger: Ledger) -> Iterator[bytes]:
    """Put a file beside the marks for as long as the block runs; a killed run's is cleaned up by the next."""
    content = secrets.token_bytes(16)
    ledger.root.publish({SEEN_FILE: content})
    try:
        yield content
    finally:
        ledger.root.remove(SEEN_FILE)


def _sees_token(ledger: Ledger, token: bytes) -> bool:
    """Patiently: an NFS client may take a while to notice a new file."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            if ledger.root.read(SEEN_FILE) == token:
                return True
        except OSError:  # StoreError is one too
            pass
        if time.monotonic() > until:
            return False
        time.sleep(0.5)


def here() -> str:
    """This process, as messages name workers."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _size(root: Root, path: str) -> int | None:
    try:
        return root.size(path)
    except (OSError, PaintpipeError):
        return None


def _bytes(size: int | None) -> str:
    return "no file" if size is None else f"{size} bytes"


def _mismatch(what: str, expected: str, todo: str) -> WorkerMismatchError:
    return WorkerMismatchError(what, where=f"worker {here()}", expected=expected, todo=todo)
