"""The copy of three.js is the one that its recipe made, licence and all."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
WEB = files("paintpipe.stages.view.scene3d").joinpath("web")


def test_the_files_are_those_of_the_record() -> None:
    record = json.loads(WEB.joinpath("three.json").read_text())
    script, licence = WEB.joinpath("three.min.js").read_bytes(), WEB.joinpath("three.LICENSE.txt").read_bytes()
    assert len(script) == record["bytes"]
    assert hashlib.sha256(script).hexdigest() == record["sha256"]
    assert hashlib.sha256(licence).hexdigest() == record["licence_sha256"]
    assert b"MIT License" in licence
    assert record["three"].encode() in script[:80]
    assert b"</script" not in script


def test_the_record_is_that_of_the_recipe() -> None:
    record = json.loads(WEB.joinpath("three.json").read_text())
    recipe = json.loads((ROOT / "scripts/bundle_three/package.json").read_text())["devDependencies"]
    locked = json.loads((ROOT / "scripts/bundle_three/package-lock.json").read_text())["packages"]
    for name in ("three", "esbuild"):
        assert record[name] == recipe[name] == locked[f"node_modules/{name}"]["version"]
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")
    assert not [name for name, package in locked.items() if "resolved" in package]
