"""Reading a JSON table piece by piece, so that a table of a gigabyte never lies in memory whole.

A table is one JSON array of records. It is cut before a `{` that follows `},` and each piece is decoded with its
record type. A cut inside a string or a nested record leaves a piece that is not JSON (an odd quote or bracket), so a
piece that decodes was cut rightly; where one does not, a later cut is tried, until a piece is longer than any record:
then the table is at fault.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, TypeVar

import msgspec

from paintpipe.schemas.catalog import RejectedRow
from paintpipe.schemas.errors import InputFileError, printable
from paintpipe.schemas.source import Root
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.nuscenes.records import Record

R = TypeVar("R", bound=Record)

CHUNK_BYTES = 128 << 10
"""Small enough for a piece and its records to stay in the cache; pieces of some megabytes took half as long again."""
MAX_PIECE_BYTES = 32 << 20
"""Of a piece without a place to cut it: no record is so long."""
MAX_REJECTED = 10_000
"""Rows for the records of one table: of a million that name what is not there, the first tell enough."""
_NAMELESS = "?"
_DAMAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MISFIT = (msgspec.ValidationError, RecursionError)
"""What decoding one record raises: other fields than its type has, or lists nested by the thousand."""
REPEATED = "comes twice"
"""The reason for a record whose token another one before it has."""
_RECORD_END = re.compile(rb"\}\s*,\s*$")


def dangling(table: str, token: str) -> str:
    """The reason for a record that names another one which is not there."""
    return f"{table} {token or '(no token)'} is absent or was rejected"


class _TokenOnly(msgspec.Struct, gc=False):
    token: str = _NAMELESS


@dataclass(frozen=True)
class Tables:
    """The tables of one version folder.

    Attributes:
        root: the dataset's root.
        version: the folder's name, such as `v1.0-mini`.
        rejected: takes a row for each record that can't be used.
        chunk_bytes: how much of a table is decoded at once.
        counts: records of each table that were rejected.
    """

    root: Root
    version: str
    rejected: list[RejectedRow]
    chunk_bytes: int = CHUNK_BYTES
    counts: Counter[str] = field(default_factory=Counter)

    def path(self, table: str) -> str:
        """Where a table lies, relative to the root."""
        return f"{self.version}/{table}.json"

    def has(self, table: str) -> bool:
        """Whether the table is there."""
        return self.root.size(self.path(table)) is not None

    def reject(self, table: str, token: str, reason: str) -> None:
        """Note that a record was left out; after `MAX_REJECTED` of a table, once for all that follow."""
        self.counts[table] += 1
        if self.counts[table] > MAX_REJECTED + 1:
            return
        text = f"{table} {token}: {reason}"
        if self.counts[table] > MAX_REJECTED:
            text = f"more than {MAX_REJECTED:,} records can't be used: those that follow have no row of their own"
        self.rejected.append(RejectedRow(self.path(table), "ingest", printable(text)))

    def reject_dangling(self, table: str, token: str, other: str, other_token: str) -> None:
        """Note that a record was left out because another one that it names is not there."""
        self.reject(table, token, dangling(other, other_token))

    def reject_repeated(self, table: str, tokens: Iterable[str]) -> None:
        """Note, once for each token, that records were left out because one before them has the same token."""
        for token in dict.fromkeys(tokens):
            self.reject(table, token, REPEATED)

    def read(self, table: str, kind: type[R]) -> list[R]:
        """All records of a table, for tables that are small; the first of each token, and the others are rejected."""
        first: dict[str, R] = {}
        for piece in self.stream(table, kind):
            for record in piece:
                if first.setdefault(record.token, record) is not record:
                    self.reject(table, record.token, REPEATED)
        return list(first.values())

    def read_optional(self, table: str, kind: type[R]) -> list[R]:
        """All records of a table that ingest can do without; [] and a rejected row where it can't be used."""
        try:
            return self.read(table, kind)
        except InputFileError as error:
            self.rejected.append(checks.rejected(self.path(table), error))
            return []

    def stream(self, table: str, kind: type[R]) -> Iterator[list[R]]:
        """The records of a table in lists of some hundreds; a record that does not fit `kind` is rejected.

        Raises:
            InputFileError: the table is absent or not a JSON array of records.
        """
        path = self.path(table)
        try:
            stream = self.root.open_bytes(path)
        except FileNotFoundError:
            todo = "download the metadata of this version and unpack it into the root"
            raise InputFileError("the table is absent", where=path, todo=todo) from None
        with stream:
            try:
                yield from _decoded(stream, self.chunk_bytes, partial(self._decode, table, kind, _decoder(kind)))
            except _DAMAGE as error:
                raise InputFileError(
                    f"damaged table: {error}", where=path, expected="a JSON array of records"
                ) from None

    def _decode(self, table: str, kind: type[R], whole: msgspec.json.Decoder[list[R]], piece: bytes) -> list[R]:
        try:
            records: list[R] = whole.decode(piece)
        except msgspec.ValidationError:
            return self._one_by_one(table, msgspec.json.Decoder(kind), piece)
        return records

    def _one_by_one(self, table: str, decoder: msgspec.json.Decoder[R], piece: bytes) -> list[R]:
        records = []
        for raw in msgspec.json.decode(piece, type=list[msgspec.Raw]):
            try:
                records.append(decoder.decode(raw))
            except MISFIT as error:
                self.reject(table, _token(raw), str(error))
        return records


def _decoder(kind: type[R]) -> msgspec.json.Decoder[list[R]]:
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


def _token(raw: msgspec.Raw) -> str:
    try:
        return str(msgspec.json.decode(raw, type=_TokenOnly).token)
    except MISFIT:
        return _NAMELESS


def _decoded(stream: BinaryIO, chunk_bytes: int, decode: Callable[[bytes], list[R]]) -> Iterator[list[R]]:
    """The table decoded in arrays of whole records."""
    rest = b""
    while chunk := stream.read(max(chunk_bytes, len(rest))):
        if len(rest) > MAX_PIECE_BYTES:
            raise msgspec.DecodeError(f"no record ends in {len(rest):,} bytes")
        cut = chunk.rfind(b"{")
        end = _RECORD_END.search(chunk, max(0, cut - 64), cut) if cut > 0 else None
        if end is None:
            rest += chunk
            continue
        try:
            records = decode(b"".join((rest, memoryview(chunk)[: end.start() + 1], b"]")))
        except _DAMAGE:
            if len(rest) + len(chunk) > MAX_PIECE_BYTES:
                raise
            rest += chunk
            continue
        yield records
        rest = b"[" + chunk[cut:]
    yield decode(rest)
