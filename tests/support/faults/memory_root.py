"""A dataset's root whose files are bytes in memory."""

import io
from typing import BinaryIO

from paintpipe.pipeline.root_paths import path_parts


class MemoryRoot:
    """`paintpipe.schemas.source.Root` over a dict of paths."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def open_bytes(self, path: str) -> BinaryIO:
        content = self.files.get("/".join(path_parts(path)))
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return io.BytesIO(content)

    def size(self, path: str) -> int | None:
        content = self.files.get("/".join(path_parts(path)))
        return None if content is None else len(content)

    def list_dir(self, path: str) -> list[str]:
        parts = path_parts(path)
        below = [name.split("/") for name in self.files]
        return sorted(
            {name[len(parts)] for name in below if tuple(name[: len(parts)]) == parts and len(name) > len(parts)}
        )
