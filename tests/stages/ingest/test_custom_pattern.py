from pathlib import Path

from support.ingest import write
from support.roots import DirectoryRoot

from paintpipe.stages.ingest.custom_pattern import Pattern, find_files


def found(path: Path, pattern: str) -> dict[str, dict[str, str]]:
    return find_files(DirectoryRoot(path), Pattern(pattern), "all")


def test_placeholders_in_folders_and_names(tmp_path: Path) -> None:
    for name in ("a/1/x.bin", "a/2/x.bin", "b/1/x.bin", "b/1/y.bin"):
        write(tmp_path / name, b"")
    assert found(tmp_path, "{sequence}/{frame}/x.bin") == {
        "a": {"1": "a/1/x.bin", "2": "a/2/x.bin"},
        "b": {"1": "b/1/x.bin"},
    }
    assert found(tmp_path, "b/1/{frame}.bin") == {"all": {"x": "b/1/x.bin", "y": "b/1/y.bin"}}


def test_a_placeholder_that_comes_twice_must_agree(tmp_path: Path) -> None:
    for name in ("a/a_1.bin", "a/b_2.bin", "b/b_3.bin"):
        write(tmp_path / name, b"")
    assert found(tmp_path, "{sequence}/{sequence}_{frame}.bin") == {"a": {"1": "a/a_1.bin"}, "b": {"3": "b/b_3.bin"}}
    assert found(tmp_path, "a/{sequence}_{frame}.bin") == {"a": {"1": "a/a_1.bin"}, "b": {"2": "a/b_2.bin"}}


def test_dots_are_dots_and_order_is_natural(tmp_path: Path) -> None:
    for name in ("d/10.bin", "d/9.bin", "d/09.bin", "d/1xbin", "d/f2.bin", "d/f10.bin"):
        write(tmp_path / name, b"")
    assert list(found(tmp_path, "d/{frame}.bin")["all"]) == ["09", "9", "10", "f2", "f10"]


def test_each_folder_is_listed_once(tmp_path: Path) -> None:
    for frame in range(20):
        write(tmp_path / f"a/{frame}.bin", b"")
    root = DirectoryRoot(tmp_path)
    assert len(find_files(root, Pattern("{sequence}/{frame}.bin"), "")["a"]) == 20
    assert root.calls == {"list_dir": 2, "open_bytes": 0, "size": 0}
    assert Pattern("{sequence}/{frame}.png").fill(sequence="{frame}", frame="7") == "{frame}/7.png"
