"""What every folder must do alike: on a disk, in memory, and on two real S3 services."""

import pickle

import pytest
import zarr
from support.together import together

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.folders.open import open_folder
from paintpipe.schemas.errors import StoreError

FILES = {"top": b"t", "a/one": b"1" * 1000, "a/b/empty": b"", "a/b/x=1 y%41,ü.json": b"{}"}


def test_what_is_published_is_read_listed_and_sized(folder: Folder) -> None:
    assert not folder.exists()
    folder.publish(FILES)
    assert folder.exists()
    assert {path: folder.read(path) for path in folder.walk()} == FILES
    assert sorted(folder.walk("a/b")) == ["a/b/empty", "a/b/x=1 y%41,ü.json"]
    assert folder.names().folders == ("a",)
    assert dict(folder.names().files) == {"top": 1}
    assert (folder.names("a").folders, dict(folder.names("a").files)) == (("b",), {"one": 1000})
    assert {path: folder.size(path) for path in FILES} == {path: len(content) for path, content in FILES.items()}
    folder.publish({"top": b"replaced"})
    assert folder.read("top") == b"replaced"


def test_what_is_absent(folder: Folder) -> None:
    assert (folder.names().folders, list(folder.walk()), list(folder.walk("none"))) == ((), [], [])
    folder.publish({"a/one": b"1"})
    assert [folder.size(path) for path in ("none", "a", "a/one/x", "a/on")] == [None] * 4
    assert list(folder.read_many(["none", "a/one", "a/two"])) == [None, b"1", None]
    assert dict(folder.names("none").files) == {}
    with pytest.raises(FileNotFoundError):
        folder.read("none")
    with pytest.raises(FileNotFoundError):
        folder.open_file("none").read()
    folder.remove("none")
    folder.remove_folder("none")
    # A folder whose name begins like another's is not below it.
    folder.publish({"ab/two": b"2"})
    assert list(folder.walk("a")) == ["a/one"]


def test_many_sizes_at_once(folder: Folder) -> None:
    files = {f"{group}/x/c/{index}": bytes(index) for group in ("00", "01") for index in range(12)}
    folder.publish(files)
    wanted = [*files, "00/x/c/99", "02/none", "top"]
    expected = {path: len(files[path]) if path in files else None for path in wanted}
    assert folder.sizes(wanted) == expected
    assert folder.sizes([]) == {}
    contents = list(folder.read_many(wanted))
    assert contents == [files.get(path) for path in wanted]


def test_removing(folder: Folder) -> None:
    folder.publish(FILES)
    folder.remove("top")
    folder.remove_folder("a/b")
    assert list(folder.walk()) == ["a/one"]
    folder.remove_folder("a")
    assert list(folder.walk()) == []


def test_reading_where_asked(folder: Folder) -> None:
    content = bytes(range(256)) * 1024  # four times the buffer
    folder.publish({"file": content, "empty": b""})
    with folder.open_file("file") as file:
        assert file.read(24) == content[:24]
        assert file.seek(200_000) == 200_000
        assert file.read(100_000) == content[200_000:]
        assert file.read(10) == b""
        assert file.seek(-5, 2) == len(content) - 5
        assert file.read() == content[-5:]
    with folder.open_file("file") as file:
        assert file.read() == content
        assert (file.tell(), file.read()) == (len(content), b"")
    with folder.open_file("file") as file:
        assert file.read(len(content) + 1) == content
    for size in (-1, 10):
        with folder.open_file("empty") as file:
            assert file.read(size) == b""


def test_files_larger_than_one_put(folder: Folder) -> None:
    content = bytes(range(256)) * (17 * 4096)
    folder.publish({"large": content, "small": b"s"})
    assert folder.size("large") == len(content)
    assert folder.read("large") == content


def test_writers_of_one_mark_all_succeed(folder: Folder) -> None:
    results = together([lambda: folder.mark("m/00/00001.json", b"the same")] * 8)
    assert results == [None] * 8
    assert folder.read("m/00/00001.json") == b"the same"
    folder.mark("m/00/00001.json", b"the same")
    assert list(folder.walk()) == ["m/00/00001.json"]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a\0"])
def test_paths_stay_inside(folder: Folder, path: str) -> None:
    for write in (
        lambda: folder.publish({path: b""}),
        lambda: folder.mark(path, b""),
        lambda: folder.read(path),
        lambda: folder.size(path),
        lambda: folder.remove(path),
        lambda: folder.remove_folder(path),
        lambda: folder.folder(path),
        lambda: folder.open_file(path),
    ):
        with pytest.raises(StoreError, match="not a path inside"):
            write()


def test_folders_of_folders_and_pickles(folder: Folder) -> None:
    folder.publish(FILES)
    below = folder.folder("a").folder("b")
    assert below.read("empty") == b""
    assert below.url == folder.where("a/b")
    carried = pickle.loads(pickle.dumps(below))
    assert carried == below
    assert b"secret" not in pickle.dumps(below)
    assert sorted(carried.walk()) == ["empty", "x=1 y%41,ü.json"]
    assert open_folder(folder.url) == folder
    assert open_folder(folder) is folder


def test_leftovers_are_found_and_cleaned(folder: Folder) -> None:
    folder.publish({"one": b"1", "workers.partial": b"2"})
    assert list(folder.leftovers()) == ["workers.partial"]
    assert (folder.clean_staging(), folder.clean_staging()) == (1, 0)
    assert list(folder.walk()) == ["one"]


def test_plain_zarr_reads_it(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    local = open_folder(tmp_path_factory.mktemp("zarr"))
    array = zarr.create_array(str(local), name="g/a", shape=(10, 3), chunks=(1, 3), shards=(5, 3), dtype="int16")
    array[...] = 7
    folder.publish({path: local.read(path) for path in local.walk()})
    store = folder.zarr_store()
    group = zarr.open_group(store, path="g", mode="r")
    assert list(group.array_keys()) == ["a"]
    assert (zarr.open_array(store, path="g/a", mode="r")[3:7] == 7).all()
    with pytest.raises(ValueError, match="read-only"):
        zarr.open_array(store, path="g/a", mode="r")[0] = 1
    with pytest.raises(FileNotFoundError):
        zarr.open_array(store, path="g/none", mode="r")
