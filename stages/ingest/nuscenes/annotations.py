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
    "names": "i4",
    "sample": "i4",
    "num_lidar_points": "i4",
    "translation_m": ("f8", 3),
    "size_wlh_m": ("f8", 3),
    "rotation_wxyz": ("f8", 4),
}
Names = tuple[str, str | None, str | None]
Instances = dict[str, tuple[int, str]]
"""Instance token → its number and its category's token."""


@dataclass(frozen=True)
class Annotations:
    """Boxes sorted by sample.

    Attributes:
        columns: token, prev, next (Arrow strings); translation_m (A, 3), rotation_wxyz (A, 4) in the global frame;
            size_wlh_m (A, 3); sample (A,), the place in `Samples`; num_lidar_points (A,), UNKNOWN_COUNT where the table
            does not say; names and instance (A,), indices into `names` and `instances`.
        names: the different (category, visibility level, attributes) that occur.
        instances: tokens of all objects.
    """

    columns: dict[str, Any]
    names: list[Names]
    instances: list[str]

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
        return _finish(Columns(_KINDS), [], [])
    return _finish(columns, list(namer.codes), list(namer.instances))


def _finish(columns: Columns, names: list[Names], instances: list[str]) -> Annotations:
    order = np.argsort(columns.peek("sample"), kind="stable")
    return Annotations(columns.finish(order), names, instances)


def _extend(columns: Columns, tables: Tables, samples: Samples, namer: "_Namer", piece: list[SampleAnnotation]) -> None:
    kept: list[tuple[int, int, SampleAnnotation]] = []
    for record in piece:
        number = samples.number.get(record.sample_token)
        if number is None:
            tables.reject_dangling("sample_annotation", record.token, "sample", record.sample_token)
        elif number != NOT_SELECTED:
            code = namer.code(record)
            if isinstance(code, int):
                kept.append((number, code, record))
            else:
                tables.reject("sample_annotation", record.token, code)
    columns.extend(_rows(kept, namer.instances))


def _rows(kept: list[tuple[int, int, SampleAnnotation]], instances: Instances) -> dict[str, list[Any]]:
    records = [record for _, _, record in kept]
    counts = [record.num_lidar_pts for record in records]
    return {
        "token": [record.token for record in records],
        "prev": [record.prev for record in records],
        "next": [record.next for record in records],
        "instance": [instances[record.instance_token][0] for record in records],
        "names": [code for _, code, _ in kept],
        "sample": [number for number, _, _ in kept],
        "num_lidar_points": [UNKNOWN_COUNT if count is None else count for count in counts],
        "translation_m": [record.translation for record in records],
        "size_wlh_m": [record.size for record in records],
        "rotation_wxyz": [record.rotation for record in records],
    }


class _Namer:
    """Finds the names that a box's tokens stand for, and numbers each combination once."""

    def __init__(self, tables: Tables) -> None:
        self.codes: dict[Names, int] = {}
        self._known: dict[tuple[str, str, tuple[str, ...]], int | str] = {}
        self._category = {record.token: record.name for record in tables.read("category", Named)}
        self.instances: Instances = {}
        for record in tables.read("instance", Instance):
            self.instances.setdefault(record.token, (len(self.instances), record.category_token))
        self._attribute = {record.token: record.name for record in tables.read_optional("attribute", Named)}
        self._level = {record.token: record.level for record in tables.read_optional("visibility", Visibility)}

    def code(self, record: SampleAnnotation) -> int | str:
        """The number of a box's names, or the reason why it has none."""
        instance = self.instances.get(record.instance_token)
        if instance is None:
            return dangling("instance", record.instance_token)
        key = (instance[1], record.visibility_token, record.attribute_tokens)
        if key not in self._known:
            self._known[key] = self._new_code(*key)
        return self._known[key]

    def _new_code(self, category: str, visibility: str, attributes: tuple[str, ...]) -> int | str:
        """An absent (or empty) table of attributes or visibility leaves the name unknown; it loses no box."""
        wanted = [("category", self._category, category)]
        wanted += [("visibility", self._level, visibility)] if self._level and visibility else []
        wanted += [("attribute", self._attribute, token) for token in attributes] if self._attribute else []
        for table, present, token in wanted:
            if token not in present:
                return dangling(table, token)
        named = [self._attribute[token] for token in attributes if token in self._attribute]
        names = (self._category[category], self._level.get(visibility), ", ".join(named) or None)
        return self.codes.setdefault(names, len(self.codes))
