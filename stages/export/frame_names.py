"""Frames as names of files: the names come from datasets, and may hold anything."""

import re

from paintpipe.schemas.catalog import FrameRow
from paintpipe.schemas.errors import ExportError

_LONGEST = 200
"""Characters; a file system takes 255 bytes, endings included."""


def file_name(row: FrameRow) -> str:
    """The frame's id, if a file may be called so.

    Raises:
        ExportError: it leads into a folder, is hidden, too long, or holds what shells and file systems stumble over.
    """
    name = row.frame_id
    if not re.fullmatch(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*", name) or len(name) > _LONGEST or name.endswith(".partial"):
        expected = f"at most {_LONGEST} letters, digits and any of . _ + -"
        raise ExportError(f"frame id {name!r} can't name a file", where=row.sequence, expected=expected)
    return name
