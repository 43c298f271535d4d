"""What kind of file weights come in, told from its first bytes and, for a zip, from its list of names alone."""

import hashlib
import zipfile
from pathlib import Path
from typing import Literal

from paintpipe.schemas.errors import ModelError

WeightsKind = Literal["safetensors", "torch-zip", "torch-legacy", "torchscript", "torch-export", "onnx"]

RUNS_CODE: tuple[WeightsKind, ...] = ("torchscript", "torch-export")
"""Kinds that can run code while they are loaded."""

_EXPORT_NAMES = ("archive_format", "serialized_exported_program.json", "models/model.json")
_BLOCK_BYTES = 1 << 20


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
        ModelError: the file is absent, empty or of no known kind.
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
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        what = f"the weights are a damaged archive ({error})"
        raise ModelError(what, where=str(path), todo="download the file again") from error
    # Every name but the oldest exports' lies below one folder, named after the file.
    inner = {name.partition("/")[2] for name in names} | set(names)
    if any(name in inner for name in _EXPORT_NAMES):
        return "torch-export"
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        return "torchscript"
    return "torch-zip"
