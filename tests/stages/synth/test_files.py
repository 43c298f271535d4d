import json
from pathlib import Path

import pytest
from support.synth import SMALL

from paintpipe.schemas.errors import ConfigError, StoreError
from paintpipe.stages.synth.files import write_bytes
from paintpipe.stages.synth.settings import MARKER, SynthSettings
from paintpipe.stages.synth.write import write_semantickitti


def test_marker_tells_the_settings(tmp_path: Path) -> None:
    write_semantickitti(tmp_path / "d", SMALL)
    marker = json.loads((tmp_path / "d" / MARKER).read_text())
    assert (marker["format"], marker["layout"], marker["seed"], marker["taxonomy"]) == (
        1,
        "semantickitti",
        3,
        "synthetic",
    )
    assert marker["sequences"] == ["08"]
    assert marker["image_size_px"] == [64, 192]


def test_half_written_is_not_whole_and_can_be_written_again(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    root = tmp_path / "d"
    write_semantickitti(root, SMALL)
    with pytest.raises(KeyboardInterrupt):
        write_semantickitti(root, SMALL, stop)
    assert not (root / MARKER).exists()
    write_semantickitti(root, SMALL)
    assert (root / MARKER).is_file()
    assert not (root / (MARKER + ".partial")).exists()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match="other files"):
        write_semantickitti(tmp_path, SMALL)
    with pytest.raises(ConfigError, match="not a folder"):
        write_semantickitti(tmp_path / "mine.txt", SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_unwritable_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be written"):
        write_bytes(tmp_path / "file" / "below", b"x")


@pytest.mark.parametrize(
    "wrong", [{"frames": 0}, {"keyframes": 0}, {"seed": -1}, {"image_size_px": (0, 5)}, {"beams": 0}]
)
def test_settings_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        SynthSettings(**wrong)
