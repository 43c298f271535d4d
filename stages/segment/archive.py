"""What kind of file weights come in, told from its first bytes and, for a zip, from its list of names alone."""

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from paintpipe.schemas.errors import ModelError

WeightsKind = Literal["safetensors", "torch-zip", "torch-legacy", "torchscript", "torch-export", "onnx"]

RUNS_CODE: tuple[WeightsKind, ...] = ("torchscript", "torch-export")
"""Kinds that can run code while they are loaded."""

_EXPORT_NAMES = ("archive_format", "serialized_exported_program.json", "models/model.json")
_BLOCK_BYTES = 1 << 20
_MAX_INFLATION = 4
_MAX_PICKLE_BYTES = 64 << 20
"""The pickle of a checkpoint holds names and shapes alone; its tensors are members of their own."""


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file; raises ModelError where it can't be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"the weights can't be read ({error.strerror})", where=str(path)) from error
    return digest.hexdigest()


def weights_kind(path: Path) -> WeightsKind:
    """The kind of a weights file. Nothing in it is unpickled, compiled or run.

    Raises:
        ModelError: the file is absent, empty, of no known kind, or a checkpoint that unpacks to far more than its size.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ModelError(f"the weights can't be read ({error.strerror})", where=str(path)) from error
    if not head:
        raise ModelError("the weights file is empty", where=str(path), todo="download it again")
    if head.startswith(b"PK"):
        return _zip_kind(path)
    suffix = path.suffix.lower()
    if suffix == ".safetensors" or head[8:9] == b"{":
        return "safetensors"
    if suffix == ".onnx":
        return "onnx"
    if suffix in (".pt2", ".ts"):
        return "torch-export" if suffix == ".pt2" else "torchscript"
    return "torch-legacy"


def _zip_kind(path: Path) -> WeightsKind:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        what = f"the weights are a damaged archive ({error})"
        raise ModelError(what, where=str(path), todo="download the file again") from error
    names = [member.filename for member in members]
    # Every name but the oldest exports' lies below one folder, named after the file.
    inner = {name.partition("/")[2] for name in names} | set(names)
    if any(name in inner for name in _EXPORT_NAMES):
        return "torch-export"
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return "torchscript"
    _check_inflation(path, members)
    return "torch-zip"


def _check_inflation(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuses a checkpoint that would fill the memory once it is unpacked; torch itself stores and never deflates."""
    unpacked_bytes = sum(member.file_size for member in members)
    deflated = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    pickle_bytes = max((m.file_size for m in members if m.filename.rpartition("/")[2] == "data.pkl"), default=0)
    if pickle_bytes > _MAX_PICKLE_BYTES or (deflated and unpacked_bytes > _MAX_INFLATION * path.stat().st_size):
        what = f"the checkpoint would unpack to {unpacked_bytes} bytes, {pickle_bytes} of them a pickle"
        expected = f"at most {_MAX_INFLATION} times its size, and a pickle of at most {_MAX_PICKLE_BYTES} bytes"
        raise ModelError(what, where=str(path), expected=expected, todo="save it again with torch.save")
