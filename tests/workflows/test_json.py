"""`--json`: one object with the documented keys, from every command that prints figures."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.command import paintpipe, succeed

from paintpipe.workflows.commands.output import JSON_OUTPUT, json_text

DOCS = Path(__file__).resolve().parents[2] / "docs" / "json.md"


def documented(command: str) -> set[str]:
    """Keys in the table of a command in docs/json.md."""
    section = re.split(r"^## ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = [part for part in section if re.match(rf"`{command}`\n", part)]
    first_cells = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}


def shown(command: str, *arguments: object, code: int = 0) -> dict[str, Any]:
    """The object that a command prints, after its keys are held against the documentation."""
    done = paintpipe(*command.split(), *arguments, "--json")
    assert done.code == code, done
    found: dict[str, Any] = json.loads(done.out)
    head = {name: found.pop(name) for name in ("json_output", "paintpipe", "command", "exit_code")}
    assert (head["json_output"], head["command"], head["exit_code"]) == (JSON_OUTPUT, command, code)
    assert set(found) == documented(command)
    return found


def test_the_whole_job(drive: Path, tmp_path: Path) -> None:
    where = ("-w", tmp_path / "w", "-q")
    ingested = shown("ingest", "semantickitti", drive, *where)
    assert ingested["counts"]["frames"] == 5
    assert (ingested["rejected"], ingested["unchanged"]) == ([], False)
    masks = (*where, "--from-masks", drive / "masks", "--layer", "masks")
    assert shown("plan", *masks, "--frames", 1)["layer"] == "masks"
    painted = shown("paint", *masks)
    assert painted["frames_painted"] == 5
    assert painted["report"]["settings"]["executor"] == "threads"
    judged = shown("evaluate", *where)
    assert {row["layer"] for row in judged["tables"]["summary"]} == {"masks"}
    assert (judged["problems"], judged["hints"]) == ([], [])
    assert shown("verify", *where) == {"shards": 2, "problems": []}
    exported = shown("export", *where, "--to", "ply", "--out", tmp_path / "ply")
    assert (exported["frames"], exported["frames_now"], exported["rejects"]) == (5, 5, {})
    (sheet,) = shown("view", *where)["files"]
    assert Path(sheet).is_file()
    assert shown("status", *where[:2])["layers"][1]["target"] == "layers/masks"


def test_the_others(tmp_path: Path) -> None:
    assert shown("models")["models"][0]["name"] == "street-tiny"
    assert shown("models fetch", "street-tiny") == {"model": "street-tiny", "weights": None}
    checks = shown("doctor", "-w", tmp_path)["checks"]
    assert {"packages", "devices", "space"} <= {row["section"] for row in checks}
    assert {"ok"} <= {row["state"] for row in checks}
    made = shown("synth", tmp_path / "drive", "--frames", 1, "-q")
    assert Path(made["masks"]).is_dir()


def test_a_partial_failure_is_part_of_the_object(drive: Path, tmp_path: Path) -> None:
    succeed("ingest", "semantickitti", drive, "-w", tmp_path, "-q")
    where = ("-w", tmp_path, "--from-predictions", tmp_path, "-q")
    painted = shown("paint", *where, code=1)
    assert painted["num_rejected"] == 5
    assert {row["stage"] for row in painted["rejected"]} == {"paint"}


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("paint", "--precision", "fp64"), "UsageError"),
        (("ingest", "waymo", "."), "ConfigError"),
        (("evaluate",), "WorkspaceError"),
    ],
)
def test_an_error_is_an_object_too(arguments: tuple[str, ...], kind: str, tmp_path: Path) -> None:
    where = ("-w", str(tmp_path))
    done = paintpipe(*arguments, *where, "--json")
    found = json.loads(done.out)
    assert (done.code, found["exit_code"], found["error"]["kind"]) == (2, 2, kind)
    assert found["error"]["what"] in done.err
    assert paintpipe(*arguments, *where).out == ""


def test_what_json_does_not_have() -> None:
    text = json_text({"a": float("nan"), "b": (1, Path("x")), "c": {2: float("inf")}, "d": "\udcff"})
    assert text == '{"a": null, "b": [1, "x"], "c": {"2": null}, "d": "\\udcff"}'
