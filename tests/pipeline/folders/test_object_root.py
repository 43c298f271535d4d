"""A dataset's root on an object store: the manners of a local one, and few requests."""

import pickle
from collections import Counter
from pathlib import Path

import pytest

from paintpipe.pipeline.folders.objects import ObjectFolder
from paintpipe.pipeline.object_root import ObjectRoot
from paintpipe.pipeline.roots import LocalRoot, open_root
from paintpipe.schemas.errors import InputFileError, OutsideRootError

FILES = {"a/b/one.bin": b"12345", "a/b/two.bin": bytes(200_000), "a/empty": b"", "top.txt": b"t", "ab/other": b"o"}


@pytest.fixture
def root(objects: ObjectFolder) -> ObjectRoot:
    objects.folder("outside").publish({"secret": b"s"})
    objects.folder("root").publish(FILES)
    return ObjectRoot(objects.where("root"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each kind of request was made."""
    counts: Counter[str] = Counter()
    for name in ("size", "names", "read", "read_range"):
        real = getattr(ObjectFolder, name)

        def counting(self: ObjectFolder, *args: object, _real: object = real, _name: str = name) -> object:
            counts[_name] += 1
            return _real(self, *args)  # type: ignore[operator]

        monkeypatch.setattr(ObjectFolder, name, counting)
    return counts


def test_it_answers_as_a_local_root_does(root: ObjectRoot, tmp_path: Path) -> None:
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    local = LocalRoot(tmp_path)
    for path in (*FILES, "none", "none/x", "a/b", "a", "", "./a//b/./one.bin", "top.txt/x"):
        assert root.size(path) == local.size(path), path
    for path in ("", ".", "a", "a/b", "none", "top.txt", "a/./b"):
        assert root.list_dir(path) == local.list_dir(path), path
    for path, content in FILES.items():
        with root.open_bytes(path) as file:
            assert file.read() == content
        with root.open_bytes(path) as file:
            assert file.read(3) == content[:3]
    for path in ("none", "a/none", "a/b"):
        with pytest.raises(FileNotFoundError), root.open_bytes(path) as file:
            file.read()


@pytest.mark.parametrize(
    "path",
    ["../outside/secret", "a/../../outside/secret", "a/..", "/etc/passwd", "a\0b", "..\\outside", "C:/x", "a\\b", ".."],
)
def test_paths_that_climb_are_refused_by_every_method(root: ObjectRoot, path: str) -> None:
    for method in (root.size, root.list_dir, root.open_bytes):
        with pytest.raises(OutsideRootError):
            method(path)


def test_thousands_of_sizes_cost_one_listing_a_folder(objects: ObjectFolder, asked: Counter[str]) -> None:
    files = {f"s/{name}/{index:06d}.bin": bytes(index % 7) for name in ("velodyne", "image_2") for index in range(150)}
    objects.publish(files)
    root = ObjectRoot(objects.url)
    asked.clear()
    for _ in range(10):
        assert {path: root.size(path) for path in files} == {path: len(content) for path, content in files.items()}
        assert root.size("s/velodyne/999999.bin") is None
    assert asked["names"] == 2
    assert asked["size"] <= 2 * 8


def test_a_header_costs_a_small_request_and_a_whole_file_one(root: ObjectRoot, asked: Counter[str]) -> None:
    with root.open_bytes("a/b/two.bin") as file:
        file.read(24)
        file.read(1000)
    assert asked == {"read_range": 1}
    asked.clear()
    with root.open_bytes("a/b/two.bin") as file:
        file.read()
    assert asked == {"read": 1}


def test_carried_without_what_it_remembers(root: ObjectRoot) -> None:
    before = pickle.dumps(root)
    assert root.list_dir("a") == ["b", "empty"]
    assert pickle.dumps(root) == before
    assert pickle.loads(before).size("top.txt") == 1


def test_opening_by_path_or_url(root: ObjectRoot, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12")
    for place in (str(tmp_path), f"file://{tmp_path}"):
        local = open_root(place)
        assert (local.url, local.size("file")) == (str(tmp_path.resolve()), 2)
    assert (open_root(root.url).url, open_root(root.url).size("top.txt")) == (root.url, 1)
    with pytest.raises(InputFileError, match="nothing lies there"):
        open_root(root.folder.where("none"))
