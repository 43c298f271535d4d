"""Paths of a dataset's files, which never lead out of its root."""

from paintpipe.schemas.errors import InputFileError, OutsideRootError


def path_parts(path: str) -> tuple[str, ...]:
    """The components of a relative path with `/`; raises OutsideRootError for whatever could climb out."""
    if not path.isascii() and any("\ud800" <= char <= "\udfff" for char in path):
        raise InputFileError("the name is not UTF-8", where=path, todo="rename the file")
    reason = ""
    if "\0" in path:
        reason = "the path holds a NUL character"
    elif "\\" in path:
        reason = "the path holds a backslash"
    elif path.startswith("/") or path[1:2] == ":":
        reason = "the path is absolute"
    elif ".." in path.split("/"):
        reason = "the path climbs with '..'"
    if reason:
        raise OutsideRootError(reason, where=repr(path)[1:-1], expected="a path relative to the dataset's root")
    return tuple(part for part in path.split("/") if part not in ("", "."))
