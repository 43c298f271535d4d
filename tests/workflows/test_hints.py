"""What a command says where a figure can't be had or an option would do nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.command import paintpipe, succeed

from paintpipe import open_painted
from paintpipe.schemas.errors import WorkspaceError


def test_labels_that_count_for_nothing_are_hinted_at(drive: Path, tmp_path: Path) -> None:
    import shutil

    data = Path(shutil.copytree(drive, tmp_path / "data"))
    for path in data.rglob("*.label"):
        np.zeros(path.stat().st_size // 4, "<u4").tofile(path)  # every point unlabelled
    where = ("-w", tmp_path / "w", "-q")
    succeed("ingest", "semantickitti", data, *where)
    succeed("paint", *where, "--from-masks", data / "masks")
    done = paintpipe("evaluate", *where)
    assert done.code == 0
    assert "layer masks: no point has a label that counts" in done.out


def test_fill_is_refused_where_there_are_only_boxes(scene: Path, tmp_path: Path) -> None:
    import json
    import shutil

    data = Path(shutil.copytree(scene, tmp_path / "data"))
    for path in data.rglob("lidarseg.json"):
        path.write_text(json.dumps([]))
    where = ("-w", tmp_path / "w", "-q")
    succeed("ingest", "nuscenes", data, *where)
    done = paintpipe("evaluate", *where, "--fill", "nearest")
    if "no point labels" not in done.err:
        pytest.skip("this scene kept its labels")
    assert done.code == 2
    assert "--fill does nothing here" in done.err


def test_a_layer_that_is_not_there_lists_those_that_are(workspace: Path, paint_masks: Callable[..., str]) -> None:
    paint_masks(workspace, "--limit", 1)
    frame = open_painted(workspace).sequence("08")[0]
    with pytest.raises(WorkspaceError, match=r"no layer 'nope'.*expected one of masks"):
        frame.layer("nope")


def test_numbers_agree_with_their_nouns(workspace: Path, drive: Path, tmp_path: Path) -> None:
    text = succeed("ingest", "semantickitti", drive, "-w", tmp_path / "w", "--limit", 1, "-q")
    assert "1 sequence, 1 frame, " in text
