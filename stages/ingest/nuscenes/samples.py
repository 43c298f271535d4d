"""The keyframe times of the scenes that were asked for, numbered by scene and time."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Int64
from paintpipe.stages.ingest.nuscenes.records import Sample
from paintpipe.stages.ingest.nuscenes.tables import Tables

NOT_SELECTED = -1


@dataclass(frozen=True)
class Samples:
    """Samples of the selected scenes.

    Attributes:
        scenes: selected names, sorted.
        number: sample token → its place in `tokens`; NOT_SELECTED for a sample of another scene.
        tokens: by place.
        timestamp_us: (S,) by place.
        scene: (S,) index into `scenes`, ascending.
    """

    scenes: list[str]
    number: dict[str, int]
    tokens: list[str]
    timestamp_us: Int64
    scene: Int64

    def span(self, scene: str) -> tuple[int, int]:
        """First and last (exclusive) place of a scene's samples."""
        index = self.scenes.index(scene)
        low, high = np.searchsorted(self.scene, [index, index + 1])
        return int(low), int(high)


def read_samples(tables: Tables, scene_names: dict[str, str], selected: list[str]) -> Samples:
    """Number the samples of the selected scenes; a sample without a scene is rejected.

    Args:
        tables: to read from.
        scene_names: scene token → name.
        selected: names, sorted.
    """
    index = {name: place for place, name in enumerate(selected)}
    scene_of = {token: index.get(name, NOT_SELECTED) for token, name in scene_names.items()}
    number: dict[str, int] = {}
    kept: list[tuple[int, int, str]] = []
    for record in tables.read("sample", Sample):
        scene = scene_of.get(record.scene_token)
        if scene is None:
            tables.reject_dangling("sample", record.token, "scene", record.scene_token)
            continue
        number[record.token] = NOT_SELECTED
        if scene != NOT_SELECTED:
            kept.append((scene, record.timestamp, record.token))
    kept.sort()
    number |= {token: place for place, (_, _, token) in enumerate(kept)}
    return Samples(
        scenes=selected,
        number=number,
        tokens=[token for _, _, token in kept],
        timestamp_us=np.array([when for _, when, _ in kept], dtype=np.int64),
        scene=np.array([scene for scene, _, _ in kept], dtype=np.int64),
    )
