"""A fresh folder of every kind."""

import uuid
from pathlib import Path

import pytest
from support.object_servers import NewPlace

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.folders.open import open_folder

SERVICES = ("memory", "moto", "seaweedfs")


def _fresh(kind: str, new_place: NewPlace) -> str:
    return f"memory://{uuid.uuid4().hex}/a/b" if kind == "memory" else f"{new_place(kind)}/place"


@pytest.fixture(params=("local", *SERVICES))
def folder(request: pytest.FixtureRequest, tmp_path: Path, new_place: NewPlace) -> Folder:
    """What every kind must do alike."""
    return (
        open_folder(tmp_path / "place") if request.param == "local" else open_folder(_fresh(request.param, new_place))
    )


@pytest.fixture(params=SERVICES)
def objects(request: pytest.FixtureRequest, new_place: NewPlace) -> ObjectFolder:
    """What object stores do besides."""
    return ObjectFolder(_fresh(request.param, new_place))
