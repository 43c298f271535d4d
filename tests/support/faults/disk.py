"""A file system in memory that remembers what is safe: what a disk may hold after the power fails.

The harsh reading of POSIX: a file's bytes are safe once it is synced, a name once its folder is. All else may be there,
in part, in another order, or not at all; only a single rename within one folder is never seen half done. (ext4 and XFS
promise more.)
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from support.faults.calls import Call

DAMAGES = ("nothing unsynced", "names without bytes", "torn writes", "any order", "all of it")


@dataclass
class _File:
    safe: bytes = b""
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(position, bytes written there, or None for a truncation)."""

    def content(self, changes: Iterable[tuple[int, bytes | None]]) -> bytes:
        data = bytearray(self.safe)
        for position, written in changes:
            if written is None:
                data[position:] = b""
                continue
            data.extend(bytes(max(0, position - len(data))))
            data[position : position + len(written)] = written
        return bytes(data)


Entries = dict[str, "_File | _Folder"]
Change = tuple[tuple[str, ...], Entries]
"""Names that go, and entries that come, in one step."""


@dataclass
class _Folder:
    safe: Entries = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def entries(self, changes: Iterable[Change]) -> Entries:
        names = dict(self.safe)
        for gone, come in changes:
            names = {name: node for name, node in names.items() if name not in gone} | come
        return names

    @property
    def now(self) -> Entries:
        return self.entries(self.changes)


class Disk:
    """Follows the calls of `watched` below one folder.

    Args:
        start: a folder that holds what is safe at the beginning.
        root: the folder that the calls are about; its paths alone matter.
        ignored: kinds of sync that this disk does not honour (`file`, `folder`), to see that they are needed.
    """

    def __init__(self, start: Path, root: Path, ignored: tuple[str, ...] = ()) -> None:
        self._root, self._ignored = root, ignored
        self._top = _read(start)

    def apply(self, call: Call) -> None:
        """Do what a call asks for; what the system refuses (removing what is absent) changes nothing."""
        try:
            self._apply(call)
        except KeyError:
            return

    def _apply(self, call: Call) -> None:
        match call.kind:
            case "open" if not call.folder:
                self._open(call)
            case "write":
                self._file(call.path).changes.append((call.position, call.data))
            case "truncate":
                self._file(call.path).changes.append((call.position, None))
            case "fsync":
                self._sync(call)
            case "mkdir":
                folder, name = self._parent(call.path)
                if name not in folder.now:
                    self._change(call.path, come=_Folder())
            case "unlink" | "rmdir":
                self._change(call.path)
            case "rename":
                self._rename(call)

    def after_power_loss(self, damage: str, draw: random.Random, target: Path) -> None:
        """Write what the disk may hold into an empty folder."""
        _write(self._top, damage, draw, target)

    def _open(self, call: Call) -> None:
        folder, name = self._parent(call.path)
        if name not in folder.now:
            self._change(call.path, come=_File())
        elif call.fresh:
            self._file(call.path).changes.append((0, None))

    def _sync(self, call: Call) -> None:
        if ("folder" if call.folder else "file") in self._ignored:
            return
        if call.folder:
            node = self._node(call.path)
            assert isinstance(node, _Folder)
            node.safe, node.changes = node.now, []
        else:
            file = self._file(call.path)
            file.safe, file.changes = file.content(file.changes), []

    def _rename(self, call: Call) -> None:
        node = self._node(call.path)
        (source, old), (target, new) = self._parent(call.path), self._parent(call.target)
        if source is target:
            source.changes.append(((old,), {new: node}))
        else:
            target.changes.append(((), {new: node}))
            source.changes.append(((old,), {}))

    def _change(self, path: str, come: "_File | _Folder | None" = None) -> None:
        folder, name = self._parent(path)
        if come is None:
            folder.now[name]  # refused where it is absent
        folder.changes.append(((), {name: come}) if come is not None else ((name,), {}))

    def _file(self, path: str) -> _File:
        node = self._node(path)
        assert isinstance(node, _File)
        return node

    def _node(self, path: str) -> "_File | _Folder":
        node: _File | _Folder = self._top
        for part in PurePosixPath(path).relative_to(self._root).parts:
            assert isinstance(node, _Folder)
            node = node.now[part]
        return node

    def _parent(self, path: str) -> tuple[_Folder, str]:
        place = PurePosixPath(path)
        folder = self._node(str(place.parent))
        assert isinstance(folder, _Folder)
        return folder, place.name


def _read(path: Path) -> _Folder:
    return _Folder(
        {entry.name: _read(entry) if entry.is_dir() else _File(entry.read_bytes()) for entry in path.iterdir()}
    )


def _write(folder: _Folder, damage: str, draw: random.Random, target: Path) -> None:
    kept = folder.changes
    if damage == "nothing unsynced":
        kept = []
    elif damage == "any order":
        kept = draw.sample(kept, draw.randint(0, len(kept)))
    for name, node in folder.entries(kept).items():
        if isinstance(node, _File):
            (target / name).write_bytes(_bytes(node, damage, draw))
        else:
            (target / name).mkdir()
            _write(node, damage, draw, target / name)


def _bytes(file: _File, damage: str, draw: random.Random) -> bytes:
    changes = file.changes
    match damage:
        case "nothing unsynced" | "names without bytes":
            changes = []
        case "torn writes":
            changes = [(at, None if data is None else data[: draw.randint(0, len(data))]) for at, data in changes]
        case "any order":
            changes = draw.sample(changes, draw.randint(0, len(changes)))
    return file.content(changes)
