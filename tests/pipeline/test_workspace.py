from pathlib import Path

import pytest

from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError


def test_where_everything_lies(tmp_path: Path) -> None:
    here = Workspace(tmp_path)
    assert {
        path.relative_to(tmp_path).as_posix()
        for path in (here.catalog, here.ledger, here.runs, here.tables, here.figures, here.config_path)
    } == {"catalog", "ledger", "ledger/runs", "tables", "figures", "paintpipe.toml"}


def test_the_configuration_is_remembered(tmp_path: Path) -> None:
    here = Workspace(tmp_path / "new")
    assert here.read_config() == {}
    config = {"dataset": {"name": "kitti", "root": 'C:\\a "b"\nµ'}, "model": "espnetv2", "sizes": [1.5, 2.0]}
    here.write_config({**config, "weights": None})
    assert here.read_config() == config
    here.update_config({"dataset": {"name": "nuscenes"}, "model": None, "layer": "net"})
    assert here.read_config() == {
        "dataset": {"name": "nuscenes", "root": 'C:\\a "b"\nµ'},
        "layer": "net",
        "sizes": [1.5, 2.0],
    }


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe"])
def test_what_is_no_toml_is_a_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "paintpipe.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"paintpipe\.toml: not TOML"):
        Workspace(tmp_path).read_config()
