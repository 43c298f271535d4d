"""Checks on files that all readers share: is it there, is its size right, does its header hold.

Each raises an InputFileError that names the file; `rejected` turns that into a row of the catalog. No check reads
more than a header, so that ingest costs one look at each file. NaN and infinite points are not looked for here: they
are no reason to lose a sweep, and projection never counts them as seen.
"""

from collections.abc import Iterable

from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import InputFileError, LabelsError, PaintpipeError, PointsError, StoreError, printable
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import formats
from paintpipe.stages.ingest.images import image_size
from paintpipe.stages.ingest.npy import NpyHeader, read_npy_header
from paintpipe.stages.synth.settings import MARKER

MAX_SMALL_BYTES = 64_000_000
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")


def rejected(path: str, error: Exception) -> RejectedRow:
    """The catalog's row for a file that `error` was raised for."""
    return RejectedRow(printable(path), "ingest", _reason(path, error))


def absent(folder: str, missing: int, total: int, what: str) -> RejectedRow:
    """One row for all the files that a folder lacks: partial downloads are normal, and one row says so."""
    reason = f"absent for {missing} of {total} {what} (partial download?): left out"
    return RejectedRow(folder, "ingest", reason)


def file_size(root: Root, path: str) -> int:
    """Size in bytes of a file that must be there.

    Raises:
        InputFileError: it is absent, can't be reached, or its path leads out of the root.
    """
    try:
        size = root.size(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    if size is None:
        raise InputFileError("absent", where=path)
    return size


def count_points(root: Root, path: str, num_features: int, points_format: str = "float32") -> int:
    """How many points a file holds, by its size or header; at least 1.

    Raises:
        PointsError: it is absent, empty, or not a whole number of records.
    """
    try:
        size = file_size(root, path)
        if points_format == "float32":
            return formats.count_records(size, num_features, path)
        header = _npy_header(root, path, size)
    except PointsError:
        raise
    except InputFileError as error:
        raise PointsError(error.what, where=path, expected=error.expected, todo=error.todo) from None
    return formats.check_points_array(header.shape, header.dtype, num_features, path)


def check_labels(root: Root, path: str, labels_format: str, num_points: int) -> None:
    """Check that a label file has one label for each point, by its size or header.

    Raises:
        LabelsError: it is absent or holds another number.
    """
    try:
        size = file_size(root, path)
        if labels_format != "npy":
            formats.check_num_labels(size, formats.LABEL_BYTES[labels_format], num_points, path)
            return
        formats.check_labels_header(_npy_header(root, path, size), num_points, path)
    except LabelsError:
        raise
    except InputFileError as error:
        raise LabelsError(error.what, where=path, expected=error.expected, todo=error.todo) from None


def read_image_size(root: Root, path: str) -> tuple[int, int]:
    """(width, height) in px of an image, from its header.

    Raises:
        InputFileError: it is absent, unreadable or above 64 megapixels (ImageError), or can't be reached.
    """
    try:
        with root.open_bytes(path) as stream:
            return image_size(stream, path)
    except OSError as error:
        raise _unreadable(path, error) from None


def read_text(root: Root, path: str) -> str:
    """The text of a small file (calibration, poses, labels).

    Raises:
        InputFileError: it is absent, larger than 64 MB, or no text.
    """
    try:
        return read_bytes(root, path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputFileError("not a text file", where=path, expected="UTF-8") from None


def read_bytes(root: Root, path: str) -> bytes:
    """The whole of a small file; raises InputFileError where it is absent or larger than 64 MB."""
    try:
        with root.open_bytes(path) as stream:
            data = stream.read(MAX_SMALL_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) > MAX_SMALL_BYTES:
        raise InputFileError("larger than 64 MB", where=path, expected="a small file")
    return data


def list_dir(root: Root, folder: str) -> list[str]:
    """Sorted names in a folder, [] where it is absent; raises InputFileError where it can't be reached."""
    try:
        return root.list_dir(folder)
    except OSError as error:
        raise _unreadable(folder, error) from None


def files_by_stem(root: Root, folder: str, suffixes: Iterable[str]) -> dict[str, str]:
    """Name without suffix → path, for the files of a folder with one of the suffixes, sorted; {} where it is absent.

    Raises:
        InputFileError: the folder can't be reached.
    """
    found: dict[str, str] = {}
    for name in list_dir(root, folder):
        for suffix in suffixes:
            if name.endswith(suffix):
                found.setdefault(name.removesuffix(suffix), join(folder, name))
    return found


def is_synthetic(root: Root) -> bool:
    """Whether the dataset was made by `paintpipe synth`, which writes its marker last."""
    return root.size(MARKER) is not None


def join(folder: str, name: str) -> str:
    """A path below a folder, where "" is the root."""
    return f"{folder}/{name}" if folder else name


def _reason(path: str, error: Exception) -> str:
    """The message without the path, which has a column of its own."""
    line = error.line() if isinstance(error, PaintpipeError) else str(error)
    return printable(line).removeprefix(f"{printable(path)}: ")


def _npy_header(root: Root, path: str, size: int) -> NpyHeader:
    try:
        with root.open_bytes(path) as stream:
            header = read_npy_header(stream, path)
    except OSError as error:
        raise _unreadable(path, error) from None
    if header.num_bytes != size:
        raise InputFileError(f"{size} bytes", where=path, expected=f"{header.num_bytes}, as its header says")
    return header


def _unreadable(path: str, error: OSError) -> InputFileError:
    """What a file that can't be read is rejected for; a disk or service that does not answer rejects nothing."""
    if isinstance(error, StoreError):
        raise error
    if isinstance(error, FileNotFoundError):
        return InputFileError("absent", where=path)
    return InputFileError(f"can't be read ({error.strerror or error})", where=path)
