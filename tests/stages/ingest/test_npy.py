"""Headers of .npy files: what numpy writes is read, and whatever else there may be is one of our errors."""

import io
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from paintpipe.schemas.errors import InputFileError
from paintpipe.stages.ingest.npy import decode_npy, read_npy_header


def saved(array: np.ndarray, version: tuple[int, int] = (1, 0)) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


def with_header(text: str, data: bytes = b"") -> bytes:
    body = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body + data


def plain(shape: str, descr: str = "'<f4'", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


@given(
    hnp.arrays(
        st.sampled_from(["<f4", ">f8", "<f2", "|u1", ">i2", "<u8", "|b1", "<c8", "<U3", "|S4", "<M8[us]"]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    st.booleans(),
    st.sampled_from([(1, 0), (2, 0)]),
)
def test_what_numpy_writes_comes_back(array: np.ndarray, fortran: bool, version: tuple[int, int]) -> None:
    array = np.asfortranarray(array) if fortran else array
    data = saved(array, version)
    read = decode_npy(data, "a.npy")
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.tobytes() == array.tobytes()
    assert read.flags.writeable
    assert read.flags.owndata or read.base.flags.owndata
    header = read_npy_header(io.BytesIO(data), "a.npy")
    assert (header.shape, header.dtype, header.num_bytes) == (array.shape, array.dtype, len(data))


@pytest.mark.parametrize(
    "text",
    [
        "{'shape': (2,), 'fortran_order': False, 'descr': '<f4'}\n",
        "{'descr':'<f4','fortran_order':False,'shape':(2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }  \n",
    ],
)
def test_headers_of_other_writers(text: str) -> None:
    assert decode_npy(with_header(text, struct.pack("<ff", 1, 2)), "a.npy").tolist() == [1, 2]


HOSTILE = [
    plain("(-1, 4)"),
    plain("(2.0,)"),
    plain("(True,)"),
    plain("('a',)"),
    plain("(None,)"),
    plain("7"),
    plain("(1"),
    plain("(2 3)"),
    plain("(" + "1, " * 33 + ")"),
    plain("(" + "9" * 5000 + ",)"),
    plain("(999999999999, 999999999999, 0)"),
    plain("(9999999999999,)"),
    plain("(0, 999999999999, 9999999)", "'<U9'"),
    plain("(99999999999,)", "'<U0'"),
    plain("(99999999999,)", "'|V0'"),
    plain("(99999999999,)", "'|S0'"),
    plain("(2,)", "'<f3'"),
    plain("(2,)", "'<M8[xy]'"),
    plain("(2,)", "'nonsense'"),
    plain("(2,)", "[('a', '<f4')]"),
    plain("(2,)", "{'a': 1}"),
    plain("(2,)", "3"),
    plain("(2,)", "None"),
    plain("(2,)", order="1"),
    plain("(2,)") + "x",
    "(" * 5000,
    "-" * 9000 + "1",
    "{" * 100,
    "{'descr': '''",
    "{'descr': '<f4'}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
    "[]",
    "",
    "\x00" * 100,
    "{**{}}",
    "__import__('os')",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_header_that_no_array_has(text: str) -> None:
    for data in (with_header(text), with_header(text, bytes(8))):
        with pytest.raises(InputFileError, match=r"^a\.npy: .*; expected "):
            decode_npy(data, "a.npy")


def test_records_of_no_bytes_ask_for_no_memory() -> None:
    tracemalloc.start()
    for text in HOSTILE:
        with pytest.raises(InputFileError):
            decode_npy(with_header(text), "a.npy")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_a_header_of_4_gigabytes_is_not_read() -> None:
    class Endless(io.RawIOBase):
        """Zeros behind a start that promises 4 GB of header."""

        given = 0

        def read(self, size: int = -1) -> bytes:
            start = b"\x93NUMPY\x02\x00\xff\xff\xff\xff"[self.given : self.given + size]
            self.given += size
            return start + bytes(size - len(start))

    stream = Endless()
    with pytest.raises(InputFileError, match="cut off or too long"):
        read_npy_header(stream, "a.npy")  # type: ignore[arg-type]
    assert stream.given < 100_000


@pytest.mark.parametrize(
    "start", [b"", b"\x93NUMPY", b"\x93NUMPY\x03\x00", b"PK\x03\x04" * 10, b"\x93NUMPY\x01\x00\xff"]
)
def test_other_files(start: bytes) -> None:
    with pytest.raises(InputFileError, match=r"^a\.npy: not a \.npy file"):
        decode_npy(start, "a.npy")


GOOD = saved(np.arange(12, dtype="<f4").reshape(3, 4))


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(GOOD)))
@example([(10, ord("("))], len(GOOD))
def test_no_damage_gives_another_error_than_ours(flips: list[tuple[int, int]], kept: int) -> None:
    damaged = bytearray(GOOD)
    for at, value in flips:
        damaged[at] = value
    for data in (bytes(damaged), bytes(damaged[:kept])):
        try:
            array = decode_npy(data, "a.npy")
        except InputFileError:
            continue
        assert array.nbytes <= len(data)


@given(st.text(st.sampled_from("{}()[]'\":, -0123456789LNTFdescrfortan_shpOUSV<>|=\\\n"), max_size=120))
def test_no_text_gives_another_error_than_ours(text: str) -> None:
    with pytest.raises(InputFileError):
        decode_npy(with_header(text), "a.npy")
