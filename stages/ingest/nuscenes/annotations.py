"""sample_annotation: the boxes of the selected scenes as columns, with names in place of shared tokens."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from paintpipe.schemas.errors import InputFileError
from paintpipe.stages.ingest import checks
from paintpipe.stages.ingest.nuscenes.columns import TEXT, Columns
from paintpipe.stages.ingest.nuscenes.records import Instance, Named, SampleAnnotation, Visibility
from paintpipe.stages.ingest.nuscenes.samples import NOT_SELECTED, Samples
from paintpipe.stages.ingest.nuscenes.tables import Tables, dangling

UNKNOWN_COUNT = -1
_KINDS: dict[str, str | tuple[str, int]] = {
    "token": TEXT,
    "prev": TEXT,
    "next": TEXT,
    "instance": "i4",
    "detail": "i4",
    "sample": "i4",
    "num_lidar_points": "i4",
    "translation_m": ("f8", 3),
    "size_wlh_m": ("f8", 3),
    "rotation_wxyz": ("f8", 4),
}
Detail = tuple[str | None, str | None]
"""Visibility level, and attributes joined by a comma."""


@dataclass(frozen=True)
class Annotations:
    """Boxes sorted by sample.

    Attributes:
        columns: token, prev, next (Arrow strings); translation_m (A, 3), rotation_wxyz (A, 4) in the global frame;
            size_wlh_m (A, 3); sample (A,), the place in `Samples`; num_lidar_points (A,), UNKNOWN_COUNT where the table
            does not say; instance (A,), an index into `instances` and `classes`; detail (A,), into `details`.
        instances: tokens of all objects.
        classes: their categories' names.
        details: the different (visibility level, attributes) that occur.
    """

    columns: dict[str, Any]
    instances: list[str]
    classes: list[str]
    details: list[Detail]

    def __len__(self) -> int:
        return len(self.columns["sample"])


def read_annotations(tables: Tables, samples: Samples) -> Annotations:
    """Read the boxes and what they name; none where the table is absent or damaged (a rejected row says so)."""
    columns = Columns(_KINDS)
    try:
        namer = _Namer(tables)
        for piece in tables.stream("sample_annotation", SampleAnnotation):
            _extend(columns, tables, samples, namer, piece)
    except InputFileError as error:
        tables.rejected.append(checks.rejected(error.where, error))
        return Annotations(Columns(_KINDS).finish(np.empty(0, dtype=np.int64)), [], [], [])
    repeated = columns.repeated()
    tables.reject_repeated("sample_annotation", columns.keys(repeated))
    order = np.argsort(columns.peek("sample"), kind="stable")
    order = order[~repeated[order]]
    return Annotations(columns.finish(order), list(namer.instances), namer.classes, list(namer.details))


def _extend(columns: Columns, tables: Tables, samples: Samples, namer: "_Namer", piece: list[SampleAnnotation]) -> None:
    numbers = [samples.number.get(record.sample_token) for record in piece]
    instances = [namer.instances.get(record.instance_token) for record in piece]
    codes = [namer.code(record.visibility_token, record.attribute_tokens) for record in piece]
    odd = (
        None in numbers or NOT_SELECTED in numbers or None in instances or any(isinstance(code, str) for code in codes)
    )
    if odd:
        rows = zip(piece, numbers, instances, codes, strict=True)
        used = [row for row in rows if row[1] != NOT_SELECTED and not _reject(tables, *row)]
        piece, numbers = [row[0] for row in used], [row[1] for row in used]
        instances, codes = [row[2] for row in used], [row[3] for row in used]
    columns.extend(_rows(piece) | {"sample": numbers, "instance": instances, "detail": codes})


def _reject(
    tables: Tables, record: SampleAnnotation, number: int | None, instance: int | None, code: int | str
) -> bool:
    """Whether a box names a record that is not there, which is noted."""
    reason = code if isinstance(code, str) else ""
    reason = dangling("instance", record.instance_token) if instance is None else reason
    reason = dangling("sample", record.sample_token) if number is None else reason
    if reason:
        tables.reject("sample_annotation", record.token, reason)
    return bool(reason)


def _rows(records: list[SampleAnnotation]) -> dict[str, list[Any]]:
    counts = [record.num_lidar_pts for record in records]
    return {
        "token": [record.token for record in records],
        "prev": [record.prev for record in records],
        "next": [record.next for record in records],
        "num_lidar_points": [UNKNOWN_COUNT if count is None else count for count in counts],
        "translation_m": [record.translation for record in records],
        "size_wlh_m": [record.size for record in records],
        "rotation_wxyz": [record.rotation for record in records],
    }


class _Namer:
    """Finds what a box's tokens stand for.

    Attributes:
        instances: instance token → its number.
        classes: category name by instance number.
        details: the different (visibility level, attributes) that occur → their number.
    """

    def __init__(self, tables: Tables) -> None:
        self.instances: dict[str, int] = {}
        self.classes: list[str] = []
        self.details: dict[Detail, int] = {}
        self._known: dict[tuple[str, tuple[str, ...]], int | str] = {}
        category = {record.token: record.name for record in tables.read("category", Named)}
        for record in tables.read("instance", Instance):
            if record.category_token not in category:
                tables.reject_dangling("instance", record.token, "category", record.category_token)
            elif record.token not in self.instances:
                self.instances[record.token] = len(self.classes)
                self.classes.append(category[record.category_token])
        self._attribute = {record.token: record.name for record in tables.read_optional("attribute", Named)}
        self._level = {record.token: record.level for record in tables.read_optional("visibility", Visibility)}

    def code(self, visibility: str, attributes: tuple[str, ...]) -> int | str:
        """The number of a box's visibility and attributes, or the reason why it has none."""
        known = self._known.get((visibility, attributes))
        if known is None:
            known = self._known[(visibility, attributes)] = self._new_code(visibility, attributes)
        return known

    def _new_code(self, visibility: str, attributes: tuple[str, ...]) -> int | str:
        """An absent (or empty) table of attributes or visibility leaves the name unknown; it loses no box."""
        if self._level and visibility and visibility not in self._level:
            return dangling("visibility", visibility)
        for token in attributes if self._attribute else ():
            if token not in self._attribute:
                return dangling("attribute", token)
        named = [self._attribute[token] for token in attributes if token in self._attribute]
        detail = (self._level.get(visibility), ", ".join(named) or None)
        return self.details.setdefault(detail, len(self.details))
