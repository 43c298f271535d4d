"""scene: which scenes can be read, by a name that can name a folder of a store."""

import re

from paintpipe.stages.ingest.nuscenes.records import Scene
from paintpipe.stages.ingest.nuscenes.tables import REPEATED, Tables

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(?<!\.partial)")
"""What can name a folder of a store; what killed writers leave ends in `.partial`."""
UNUSABLE = ""


def read_scene_names(tables: Tables) -> dict[str, str]:
    """Scene token → name, UNUSABLE for a scene that is rejected: its samples are left out without a row of their own.

    Raises:
        InputFileError: the table is absent or damaged.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for scene in tables.read("scene", Scene):
        problem = _problem(scene.name, taken)
        if problem:
            tables.reject("scene", scene.token, problem)
        names[scene.token] = UNUSABLE if problem else scene.name
        taken.add(scene.name)
    return names


def _problem(name: str, taken: set[str]) -> str:
    if not _FOLDER.fullmatch(name):
        return f"scene name {name!r} can't name a folder"
    return f"scene name {name!r} {REPEATED}" if name in taken else ""
