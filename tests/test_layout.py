"""The rooms of the package and which of them may see which."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "stages", "pipeline", "workflows")
ARROWS = {
    "schemas": {"schemas"},
    "stages": {"schemas", "stages"},
    "pipeline": {"schemas", "pipeline"},
    "workflows": {"schemas", "stages", "pipeline", "workflows"},
    "workflows/commands": {"schemas", "workflows"},
    "cli.py": {"schemas", "workflows"},
}
HEAVY = ("torch", "numba", "matplotlib", "dask", "distributed", "cv2", "nuscenes", "zarr", "pyarrow", "scipy", "PIL")


def modules(*rooms: str) -> list[Path]:
    """Paths of the Python files in some rooms, relative to the root; caches and links aside."""
    return sorted(path.relative_to(ROOT) for room in rooms for path in (ROOT / room).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, anywhere in it; `from a import b` gives `a.b`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_names(path: Path) -> set[str]:
    """The rooms of ours that a file imports from; names of the root itself, such as `__version__`, are no room."""
    ours = [name.split(".") for name in imports(path) if name.split(".")[0] == "paintpipe"]
    return {parts[1] for parts in ours if len(parts) > 1 and (parts[1] in ROOMS or parts[1] == "cli")}


def pyproject() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def test_packages_of_pyproject_are_those_of_the_tree():
    folders = {path.parent for path in modules(*ROOMS)}
    for folder in folders:
        assert (ROOT / folder / "__init__.py").is_file(), f"{folder} has modules and no __init__.py"
    in_tree = ["paintpipe", *(".".join(("paintpipe", *folder.parts)) for folder in folders)]
    assert sorted(pyproject()["packages"]) == sorted(in_tree)


def test_package_data_exists():
    for package, patterns in pyproject()["package-data"].items():
        folder = ROOT.joinpath(*package.split(".")[1:])
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{package} ships no {pattern}"


def test_nothing_else_lies_at_the_root():
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "cli.py"}
    assert (ROOT / "py.typed").is_file()


def test_tests_are_no_package():
    assert not list((ROOT / "tests").rglob("__init__.py"))


@pytest.mark.parametrize("room", ARROWS)
def test_each_room_sees_only_what_it_may(room):
    paths = [Path(room)] if room.endswith(".py") else modules(room)
    assert paths
    seen = {(str(path), other) for path in paths for other in room_names(path)}
    assert {(path, other) for path, other in seen if other not in ARROWS[room]} == set()


def test_the_arrow_test_sees_late_and_plain_imports(tmp_path):
    sample = tmp_path / "sample.py"
    sample.write_text(
        "import paintpipe.pipeline.store\n"
        "def f():\n    from paintpipe.stages import view\n"
        "from paintpipe import workflows, __version__\n"
        "import json\n"
    )
    assert room_names(sample) == {"pipeline", "stages", "workflows"}


def test_no_module_is_imported_without_the_packages_name():
    bare = {(str(path), name) for path in modules(*ROOMS) for name in imports(path) if name.split(".")[0] in ROOMS}
    assert bare == set()


def test_the_devkit_is_imported_in_two_places_at_most():
    users = [path for path in modules(*ROOMS) if any(name.split(".")[0] == "nuscenes" for name in imports(path))]
    assert len(users) <= 2, users


@pytest.mark.parametrize("path", modules(*ROOMS), ids=str)
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(tree_of(path)), f"{path} has no docstring"


@pytest.mark.parametrize(
    "module", ["paintpipe", "paintpipe.cli", "paintpipe.schemas.errors", "paintpipe.schemas.settings"]
)
def test_import_is_light(module):
    code = f"import {module}, sys; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


def test_no_schema_imports_a_heavy_package():
    allowed = {"pyarrow"}  # the catalog's schemas are Arrow's
    found = {(str(path), name.split(".")[0]) for path in modules("schemas") for name in imports(path)}
    assert {(path, name) for path, name in found if name in set(HEAVY) - allowed} == set()


def test_the_files_that_are_begun_first_are_there(request: pytest.FixtureRequest) -> None:
    """One that was renamed would be begun last, unnoticed, and hold up the end."""
    (shared,) = (p for p in request.config.pluginmanager.get_plugins() if getattr(p, "FIRST", None))
    assert [name for name in shared.FIRST if not (ROOT / "tests" / name).is_file()] == []
