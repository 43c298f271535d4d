"""A file that is read back while it is written."""

import hashlib
import io
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paintpipe.pipeline import following
from paintpipe.pipeline.following import write_followed


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    with (tmp_path / "file").open("w+b") as opened:
        yield opened


def write_each(items: Iterable[bytes], to: BinaryIO) -> None:
    for item in items:
        to.write(item)


def test_the_reader_has_each_item_and_its_bytes_before_the_next_is_made(file: BinaryIO) -> None:
    """The items wait for the reader here, which would never end if it were given all at the end."""
    seen = threading.Semaphore(0)

    def items() -> Iterator[bytes]:
        for number in range(5):
            yield bytes([number]) * 7
            assert seen.acquire(timeout=10)

    def read(kept: Iterable[bytes], at: BinaryIO) -> list[bool]:
        found = []
        for item in kept:
            found.append(at.read(7) == item)
            seen.release()
        return [*found, at.read() == b""]

    done = write_followed(file, items(), write_each, read)
    assert done.found == [True] * 6
    whole = b"".join(bytes([number]) * 7 for number in range(5))
    assert (done.sum.sha256, done.sum.size) == (hashlib.sha256(whole).hexdigest(), 35)
    assert Path(file.name).read_bytes() == whole


def test_the_file_is_read_and_not_what_was_meant_to_be_written(file: BinaryIO) -> None:
    class Flipping(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return file.write(bytes(byte ^ 1 for byte in data))

        def flush(self) -> None:
            file.flush()

        def fileno(self) -> int:
            return file.fileno()

    assert write_followed(Flipping(), [b"\0\1"], write_each, lambda _, at: at.read()).found == b"\1\0"


@pytest.mark.timeout(20)
def test_a_writer_that_keeps_all_to_itself_is_not_held_back(file: BinaryIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LAG_BYTES", 1)

    def write(items: Iterable[bytes], to: BinaryIO) -> None:
        to.write(b"".join(items))

    parts = [b"abc"] * 50
    assert (
        write_followed(file, parts, write, lambda kept, at: [at.read(3) == item for item in kept]).found == [True] * 50
    )


def test_a_reader_far_behind_holds_the_writer_back(file: BinaryIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LAG_BYTES", 1000)
    monkeypatch.setattr(following, "_BUFFER_BYTES", 1)
    made: list[int] = []

    def items() -> Iterator[bytes]:
        for number in range(30):
            made.append(number)
            yield b"x" * 400

    def read(kept: Iterable[bytes], at: BinaryIO) -> int:
        at.read(1)
        time.sleep(0.2)
        ahead = len(made)
        return ahead if sum(map(len, kept)) == len(at.read()) + 1 else -1

    assert 0 < write_followed(file, items(), write_each, read).found <= 5
    assert len(made) == 30


def test_what_the_writer_raises_comes_out_and_ends_the_reader(file: BinaryIO) -> None:
    read: list[bytes] = []

    def items() -> Iterator[bytes]:
        yield b"one"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_followed(file, items(), write_each, lambda kept, at: read.extend([*kept, at.read()]))
    assert read == [b"one", b"one"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("follower")]


@pytest.mark.parametrize("raises", [False, True])
def test_a_reader_that_stops_early_stops_no_writing(
    file: BinaryIO, monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    monkeypatch.setattr(following, "LAG_BYTES", 1)

    def read(kept: Iterable[bytes], at: BinaryIO) -> bytes:
        if raises:
            raise LookupError("no such thing")
        return at.read(2)

    if raises:
        with pytest.raises(LookupError, match="no such thing"):
            write_followed(file, [b"abc"] * 9, write_each, read)
    else:
        assert write_followed(file, [b"abc"] * 9, write_each, read).found == b"ab"
    assert Path(file.name).read_bytes() == b"abc" * 9


def test_the_end_is_where_the_writing_ends(file: BinaryIO) -> None:
    def read(kept: Iterable[bytes], at: BinaryIO) -> tuple[int, bytes, int]:
        end = at.seek(-2, io.SEEK_END)
        last = at.read()
        return end, last, at.seek(0)

    assert write_followed(file, [b"abc", b"defg"], write_each, read).found == (5, b"fg", 0)


@given(
    parts=st.lists(st.binary(max_size=300), max_size=20), sizes=st.lists(st.integers(1, 500), min_size=1, max_size=5)
)
def test_any_pieces_are_read_in_any_pieces(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], sizes: list[int]
) -> None:
    def read(kept: Iterable[bytes], at: BinaryIO) -> tuple[bytes, list[bytes]]:
        found, turn = [], 0
        while piece := at.read(sizes[turn % len(sizes)]):
            found.append(piece)
            turn += 1
        return b"".join(found), list(kept)

    with (tmp_path_factory.mktemp("any") / "file").open("w+b") as file:
        assert write_followed(file, parts, write_each, read).found == (b"".join(parts), parts)
