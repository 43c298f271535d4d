"""Kill -9 before every step that touches the disk, and start again."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

from support.engine import tree

# Runs in a process of its own: a child per step is forked, killed before that step, and the run taken up again.
_SCRIPT = textwrap.dedent(
    """
    import json, os, signal, sys
    from pathlib import Path
    from types import SimpleNamespace

    from paintpipe.pipeline import publish as module
    from paintpipe.pipeline.commit import commit_shard
    from paintpipe.pipeline.ledger import Ledger
    from paintpipe.pipeline.folders.local import LocalFolder
    from paintpipe.pipeline.shards import Shard

    os.fsync = lambda descriptor: None  # a killed process needs no sync, a power cut does: see test_publish
    base = Path(sys.argv[1])
    shards = [Shard("00", 0, 0, 2), Shard("00", 1, 2, 4)]

    def run(folder):
        store, ledger = SimpleNamespace(root=LocalFolder(folder / "store")), Ledger(folder / "ledger")
        store.root.clean_staging(), ledger.root.clean_staging()
        for shard in shards:
            if ledger.done("points", shard) is None:
                files = {f"00/{name}/c/{shard.index}": f"{name}{shard.index}".encode() * 999 for name in "ab"}
                commit_shard(store, ledger, "points", shard, files, inputs={"x": 1}, rows=(1, 1))

    def dying(function, state):
        def call(*args, **kwargs):
            if state["left"] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            state["left"] -= 1
            return function(*args, **kwargs)
        return call

    def in_child(folder, steps):
        pid = os.fork()
        if pid == 0:
            state = {"left": steps}
            for owner, names in (
                (os, ["fsync", "mkdir", "open", "unlink", "rmdir"]),
                (Path, ["replace", "mkdir", "open", "unlink"]),
            ):
                for name in names:
                    setattr(owner, name, dying(getattr(owner, name), state))
            run(folder)
            os._exit(0)
        return os.waitpid(pid, 0)[1]

    def half_marked(folder):
        ledger = Ledger(folder / "ledger")
        for shard in shards:
            mark = ledger.done("points", shard)
            for name, expected in (mark.files.items() if mark else ()):
                if (folder / "store" / name).stat().st_size != expected.size:
                    return True
        return False

    run(base / "whole")
    steps, torn, done_after = 0, 0, []
    while True:
        folder = base / f"kill{steps}"
        status = in_child(folder, steps)
        torn += half_marked(folder)
        done_after.append(sum(Ledger(folder / "ledger").done("points", shard) is not None for shard in shards))
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        run(folder)
        steps += 1
    print(json.dumps({"steps": steps, "torn": torn, "done": done_after}))
    """
)


def test_killed_before_any_step_and_started_again_the_bytes_are_the_same(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["steps"] >= 40
    assert result["torn"] == 0, "a mark stood while its files did not"
    assert result["done"] == sorted(result["done"])
    assert set(result["done"]) == {0, 1, 2}
    whole = tree(tmp_path / "whole")
    assert len(whole) == 6
    for step in range(result["steps"]):
        assert tree(tmp_path / f"kill{step}") == whole
        assert not list((tmp_path / f"kill{step}").rglob("*.partial"))
