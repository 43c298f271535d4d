"""Build the wheel and check what it holds: every file that it should, and no other.

Run from anywhere with the Python of a test environment: `python scripts/check_wheel.py`. Exits 0 with one line about
the wheel, or 1 with one line about the first thing that is wrong.
"""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "wheel-check"
ROOT_MODULES = {"__init__.py", "cli.py"}
DIST_INFO = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE"}
WEIGHTS_LIMIT_BYTES = 4 * 1024 * 1024


class WheelError(Exception):
    """What is wrong with the wheel, in one line."""


def build_wheel() -> Path:
    """The wheel, built without network from the setuptools of this environment."""
    shutil.rmtree(OUT, ignore_errors=True)
    _forget_last_build()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(OUT), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    _forget_last_build()
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        telling = [line for line in lines if "rror:" in line] or lines
        raise WheelError(f"the build failed: {telling[-1]}")
    return next(OUT.glob("*.whl"))


def _forget_last_build() -> None:
    """Remove setuptools' working copy: a later build would ship files from it that have since been deleted."""
    for stale in (ROOT / "build" / "lib", *(ROOT / "build").glob("bdist.*")):
        shutil.rmtree(stale, ignore_errors=True)


def expected_files(setuptools_table: dict[str, Any]) -> set[str]:
    """Paths in the wheel that pyproject.toml promises: each package's modules and its package data."""
    files: set[str] = set()
    for package in setuptools_table["packages"]:
        folder = ROOT.joinpath(*package.split(".")[1:])
        patterns = ["*.py", *setuptools_table["package-data"].get(package, ())]
        found = [path for pattern in patterns for path in folder.glob(pattern)]
        if not (folder / "__init__.py").is_file():
            raise WheelError(f"package {package} has no __init__.py")
        files |= {"paintpipe/" + path.relative_to(ROOT).as_posix() for path in found}
    return files


def check(names: dict[str, int], expected: set[str]) -> None:
    """Hold the wheel's file names (with sizes in bytes) against what is expected."""
    info = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    shipped = set(names) - info
    root_modules = {name.split("/")[1] for name in shipped if name.count("/") == 1 and name.endswith(".py")}
    if root_modules != ROOT_MODULES:
        raise WheelError(f"root modules are {sorted(root_modules)}, expected {sorted(ROOT_MODULES)}")
    if missing := sorted(expected - shipped):
        raise WheelError(f"missing in the wheel: {', '.join(missing[:5])}")
    if stray := sorted(shipped - expected):
        raise WheelError(f"stray in the wheel: {', '.join(stray[:5])}")
    if odd := sorted({name.split("/", 1)[1] for name in info} ^ DIST_INFO):
        raise WheelError(f"unexpected or missing metadata: {', '.join(odd)}")
    _check_data(names)


def _check_data(names: dict[str, int]) -> None:
    for folder, suffix in (
        ("paintpipe/", "py.typed"),
        ("paintpipe/stages/taxonomies/data/", ".toml"),
        ("paintpipe/stages/segment/cards/", ".toml"),
        ("paintpipe/stages/segment/cards/", ".safetensors"),
        ("paintpipe/stages/view/scene3d/web/", ".min.js"),
        ("paintpipe/stages/view/scene3d/web/", ".LICENSE.txt"),
    ):
        if not any(name.startswith(folder) and name.endswith(suffix) for name in names):
            raise WheelError(f"no {suffix} file in {folder}")
    for name, size_bytes in names.items():
        if name.endswith(".safetensors") and size_bytes > WEIGHTS_LIMIT_BYTES:
            raise WheelError(f"{name} has {size_bytes} bytes, at most {WEIGHTS_LIMIT_BYTES} may ship")


def main() -> int:
    """Build, check, say so."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    try:
        wheel = build_wheel()
        with zipfile.ZipFile(wheel) as archive:
            names = {item.filename: item.file_size for item in archive.infolist() if not item.is_dir()}
        sys.stdout.write("".join(f"{size_bytes:>9}  {name}\n" for name, size_bytes in sorted(names.items())))
        check(names, expected_files(table))
    except WheelError as error:
        sys.stderr.write(f"wheel: {error}\n")
        return 1
    sys.stdout.write(f"wheel: {wheel.name} holds {len(names)} files in {wheel.stat().st_size} bytes, as it should\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
