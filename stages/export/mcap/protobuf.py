"""Protobuf messages read by the schemas that an MCAP file holds, which are file descriptor sets.

Wire format: protobuf.dev/programming-guides/encoding; numbers of the descriptors' own fields: `descriptor.proto`.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DOUBLE, _FLOAT, _FIXED64, _FIXED32, _STRING, _MESSAGE, _BYTES = 1, 2, 6, 7, 9, 11, 12
_FIXED = {_DOUBLE: "<d", _FLOAT: "<f", _FIXED64: "<Q", _FIXED32: "<I", 15: "<i", 16: "<q"}
_REPEATED = 3
_WIDTHS = {1: 8, 5: 4}
"""Bytes of the wire types that are neither a varint (0) nor told by a length (2)."""


class DamagedMessageError(ValueError):
    """Bytes that are no message of their schema."""


@dataclass(frozen=True)
class Field:
    """A field of a message type, as its descriptor tells."""

    name: str
    number: int
    kind: int
    repeated: bool
    type_name: str


Types = Mapping[str, Mapping[int, Field]]
"""Message type, such as `foxglove.PointCloud` → number → field."""


def read_types(descriptor_set: bytes) -> Types:
    """The message types of a FileDescriptorSet; enums are read as numbers and need no type."""
    types: dict[str, dict[int, Field]] = {}
    for file in _all(descriptor_set, 1):
        package = _text(file, 2)
        for message in _all(file, 4):
            _add_types(message, package, types)
    return types


def decode(data: bytes, name: str, types: Types) -> dict[str, Any]:
    """A message as plain values by field name: numbers, str, bytes, dicts and lists.

    A field that is absent is left out, unless it is repeated: then it is [].

    Raises:
        DamagedMessageError: the bytes end too early, or hold no such message.
    """
    if name not in types:
        raise DamagedMessageError(f"the file's schemas hold no {name}")
    fields = types[name]
    found: dict[str, Any] = {field.name: [] for field in fields.values() if field.repeated}
    for number, wire, value in _entries(data):
        if number in fields:
            field = fields[number]
            values = _values(field, wire, value, types)
            if field.repeated:
                found[field.name] += values
            else:
                found[field.name] = values[-1]
    return found


def _add_types(message: bytes, scope: str, types: dict[str, dict[int, Field]]) -> None:
    name = f"{scope}.{_text(message, 1)}".lstrip(".")
    fields = [_field(item) for item in _all(message, 2)]
    types[name] = {field.number: field for field in fields}
    for nested in _all(message, 3):
        _add_types(nested, name, types)


def _field(data: bytes) -> Field:
    numbers = {number: value for number, wire, value in _entries(data) if wire == 0}
    type_name = _text(data, 6).lstrip(".")
    return Field(_text(data, 1), int(numbers[3]), int(numbers[5]), numbers.get(4) == _REPEATED, type_name)


def _values(field: Field, wire: int, value: Any, types: Types) -> list[Any]:
    """What one entry holds: several values where it is packed."""
    if field.kind == _MESSAGE:
        return [decode(_bytes(value), field.type_name, types)]
    if field.kind in (_STRING, _BYTES):
        return [_bytes(value).decode() if field.kind == _STRING else _bytes(value)]
    if field.kind in _FIXED:
        layout = _FIXED[field.kind]
        return [item for (item,) in struct.iter_unpack(layout, _whole(_bytes(value), struct.calcsize(layout)))]
    if wire == 0:
        return [value]
    return list(_varints(_bytes(value)))


def _entries(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(field number, wire type, int of a varint or the bytes of anything else) of each entry."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield number, wire, value
            continue
        if wire == 2:
            size, place = _varint(data, place)
        elif wire in _WIDTHS:
            size = _WIDTHS[wire]
        else:
            raise DamagedMessageError(f"wire type {wire} at byte {place}")
        if place + size > len(data):
            raise DamagedMessageError(f"{size} bytes are wanted at byte {place} of {len(data)}")
        yield number, wire, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
    raise DamagedMessageError(f"no number ends at byte {place}")


def _varints(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        value, place = _varint(data, place)
        yield value


def _all(data: bytes, wanted: int) -> list[bytes]:
    return [_bytes(value) for number, wire, value in _entries(data) if number == wanted and wire == 2]


def _text(data: bytes, wanted: int) -> str:
    return next((value.decode() for value in _all(data, wanted)), "")


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise DamagedMessageError("a number where bytes are wanted")
    return value


def _whole(data: bytes, width: int) -> bytes:
    if len(data) % width:
        raise DamagedMessageError(f"{len(data)} bytes are no whole numbers of {width}")
    return data
