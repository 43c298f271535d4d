"""Between the writer of the SDK and the file."""

from typing import BinaryIO


class Sink:
    """Holds what the SDK writes until `drain`.

    The SDK logs an error of the file that it writes to and goes on with the next message, so it never sees the file:
    `drain` writes, and raises like any write. At most a frame is held.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held: list[bytes] = []
        self._position = 0

    def write(self, data: bytes | bytearray) -> int:
        """Hold `data`."""
        self._held.append(bytes(data))
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Where the next byte goes: a writer that never seeks back asks for nothing else."""
        return self._position

    def flush(self) -> None:
        """Nothing: see `drain`."""

    def drain(self) -> None:
        """Write what is held to the file."""
        for data in self._held:
            self._file.write(data)
        self._held.clear()
