"""What a hand may have done to `paintpipe.toml`."""

from pathlib import Path

import pytest

from paintpipe.pipeline.report import RunReport
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('store = "x"', r"store = 'x'; expected a table \[store\]"),
        ("dataset = []", r"a table \[dataset\]"),
        ("layers = 1", r"a table \[layers\]"),
        ("[layers]\nm = 3", r"layers\.m = 3; expected a table \[layers\.m\]"),
        ("[layers.m]\nfrom_masks = 3", r"layers\.m\.from_masks = 3; expected a string"),
        ("[dataset]\nroot = 3", r"dataset\.root = 3; expected a string"),
        ("[network]\nmodel = 3", r"network\.model = 3; expected a string"),
        ("[network]\n", "names no model"),
        ("[last]\nlayer = []", r"last\.layer = \[\]; expected a string"),
        ("[store]\nformat = []", "zarr or parquet"),
        ("[store]\nparquet_frames_per_shard = 0", "parquet_frames_per_shard = 0; expected a whole number from 1"),
        ("[store]\nzarr_frames_per_shard = true", "zarr_frames_per_shard = True"),
        ("[store]\nzarr_frames_per_shard = 2.0", "zarr_frames_per_shard = 2.0"),
        ("a = " + "[" * 100_000, "not TOML"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "paintpipe.toml").write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        Workspace(tmp_path).read_config()
    assert str(tmp_path / "paintpipe.toml") in caught.value.line()
    with pytest.raises(ConfigError, match=told):
        Workspace(tmp_path).update_config({"last": {"layer": "x"}})


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "paintpipe.toml").mkdir()
    with pytest.raises(ConfigError, match=r"paintpipe\.toml: can't be read \(Is a directory\)"):
        Workspace(tmp_path).read_config()


def test_keys_that_paintpipe_does_not_know_are_kept(tmp_path: Path) -> None:
    (tmp_path / "paintpipe.toml").write_text('mine = 3\n[store]\ncolour = "red"\n[layers.m]\noracle = true\n')
    here = Workspace(tmp_path)
    here.update_config({"last": {"layer": "m"}})
    config = here.read_config()
    assert (config["mine"], config["store"]["colour"], config["layers"]["m"]["oracle"]) == (3, "red", True)


def test_a_report_tells_versions_and_hardware(tmp_path: Path) -> None:
    content = RunReport(tmp_path).content()
    assert set(content["versions"]) >= {"paintpipe", "python", "torch", "numpy", "zarr", "dask", "pyarrow"}
    assert all(version[0].isdigit() for version in content["versions"].values())
    assert content["hardware"]["cpus"] >= 1
    assert content["hardware"]["platform"]
