"""The tab key: asked as shells ask, and in bash itself."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from support.command import COMMAND, paintpipe, succeed

from paintpipe.cli import cli

SHELLS = ("bash", "zsh", "fish")


def offered(*words: str) -> list[str]:
    """What the shell would offer for the last word."""
    asked = BashComplete(cli, {}, "paintpipe", "_PAINTPIPE_COMPLETE")
    return [item.value for item in asked.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str) -> None:
    script = succeed("completion", shell)
    assert f"_PAINTPIPE_COMPLETE={shell}_complete" in script
    assert paintpipe("completion", "cmd").code == 2


def test_commands_options_and_what_paintpipe_knows() -> None:
    assert {"plan", "paint"} == set(offered("p"))
    assert "--log-json" in offered("paint", "--l")
    assert "bisenetv2-kitti" in offered("paint", "--model", "bise")
    assert offered("paint", "--model", "./my") == ["./my"]  # a card: the shell completes the path
    assert offered("ingest", "sem") == ["semantickitti"]
    assert "cityscapes19" in offered("evaluate", "--taxonomy", "city")


def test_names_of_the_workspace(workspace: Path, paint_masks) -> None:
    where = ("-w", str(workspace))
    assert offered("evaluate", *where, "--layer", "m") == []
    paint_masks(workspace, "--limit", 1)
    assert offered("evaluate", *where, "--layer", "m") == ["masks"]
    assert offered("paint", *where, "--cameras", "im") == ["image_2"]
    assert offered("paint", *where, "--cameras", "image_2,") == ["image_2,all"]
    assert offered("paint", *where, "--sequences", "0") == ["08"]
    (workspace / "paintpipe.toml").write_text("no toml")
    assert offered("evaluate", *where, "--layer", "m") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_takes_the_script_and_completes(tmp_path: Path) -> None:
    script = tmp_path / "complete.bash"
    script.write_text(succeed("completion", "bash"))
    asks = f"""
        source {script}
        COMP_WORDS=(paintpipe paint --model street) COMP_CWORD=3
        _paintpipe_completion paintpipe street --model
        echo "${{COMPREPLY[@]}}"
    """
    path = f"{COMMAND.parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "--norc", "-c", asks], capture_output=True, text=True, env={"PATH": path}, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "street-tiny"), done
