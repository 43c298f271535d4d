"""ego_pose: where the car was. The table is as long as sample_data, and most of it is not needed."""

from dataclasses import dataclass
from math import nan

import msgspec

from paintpipe.schemas.arrays import Float64
from paintpipe.stages.ingest.nuscenes.columns import vectors
from paintpipe.stages.ingest.nuscenes.records import EgoPose, Quaternion, Vector3
from paintpipe.stages.ingest.nuscenes.tables import MISFIT, REPEATED, Tables

_NO_TRANSLATION = (nan, nan, nan)
_NO_ROTATION = (nan, nan, nan, nan)


@dataclass(frozen=True)
class PoseTable:
    """The ego poses that some file names, NaN where the table lacks one.

    Attributes:
        translation_m: (P, 3).
        rotation_wxyz: (P, 4) as published.
    """

    translation_m: Float64
    rotation_wxyz: Float64


def read_poses(tables: Tables, place_of: dict[str, int]) -> PoseTable:
    """The poses of some tokens, each at its place and the first of each token; numbers are parsed for these alone."""
    translations: list[Vector3] = [_NO_TRANSLATION] * len(place_of)
    rotations: list[Quaternion] = [_NO_ROTATION] * len(place_of)
    vector, quaternion = msgspec.json.Decoder(Vector3), msgspec.json.Decoder(Quaternion)
    for piece in tables.stream("ego_pose", EgoPose):
        places = [place_of.get(record.token) for record in piece]
        for place, record in zip(places, piece, strict=True):
            if place is None:
                continue
            if translations[place] is not _NO_TRANSLATION:
                tables.reject("ego_pose", record.token, REPEATED)
                continue
            try:
                pose = vector.decode(record.translation), quaternion.decode(record.rotation)
            except MISFIT as error:
                tables.reject("ego_pose", record.token, str(error))
            else:
                translations[place], rotations[place] = pose
    return PoseTable(vectors(translations, "f8", 3), vectors(rotations, "f8", 4))
