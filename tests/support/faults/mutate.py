"""Seeded damage to a file's bytes: what disks, networks and hands do to them, and what an attacker tries first."""

import random

TOKENS = (
    b"",
    b"\0",
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"\0" * 8,
    b"\xff" * 8,
    b"nan",
    b"inf",
    b"-1",
    b"1e309",
    b"1e-320",
    b"9" * 25,
    b"9" * 5000,
    b"0x10",
    b"1_000",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[" * 3000,
    b'{"a":' * 1500,
    b"../../etc/passwd",
    b"/etc/passwd",
    b"C:\\",
    b"%s%n",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\n\n",
    b" " * 300,
    b":",
    b",",
    b'"',
    b"<script>",
)


def mutated(seeds: list[bytes], draw: random.Random) -> bytes:
    """One of the seeds with one to four damages."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 4))):
        draw.choice(_DAMAGES)(data, seeds, draw)
    return bytes(data)


def _flip(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    for _ in range(draw.choice((1, 1, 8))):
        if data:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _byte(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] = draw.choice((0, 1, 0x20, 0x2D, 0x7F, 0x80, 0xFF))


def _cut(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    del data[draw.randint(0, len(data)) :]


def _drop(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    start, length = _span(data, draw)
    del data[start : start + length]


def _insert(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    start = draw.randint(0, len(data))
    data[start:start] = draw.randbytes(draw.choice((1, 2, 4, 8, 100)))


def _token(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    start, length = _span(data, draw)
    data[start : start + draw.choice((0, 1, 4, length))] = draw.choice(TOKENS)


def _word(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    """Replace a run of letters or digits, so that text stays text."""
    if not data:
        return
    start = stop = draw.randrange(len(data))
    while start and chr(data[start - 1]).isalnum():
        start -= 1
    while stop < len(data) and chr(data[stop]).isalnum():
        stop += 1
    data[start:stop] = draw.choice(TOKENS)


def _repeat(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    start, length = _span(data, draw)
    data[start:start] = data[start : start + length] * draw.choice((1, 2, 30))


def _splice(data: bytearray, seeds: list[bytes], draw: random.Random) -> None:
    other = draw.choice(seeds)
    at = draw.randint(0, len(other))
    data[draw.randint(0, len(data)) :] = other[at:]


def _span(data: bytearray, draw: random.Random) -> tuple[int, int]:
    return draw.randint(0, len(data)), draw.choice((1, 4, 16, 200))


_DAMAGES = (_flip, _flip, _byte, _cut, _drop, _insert, _token, _word, _word, _repeat, _splice)
