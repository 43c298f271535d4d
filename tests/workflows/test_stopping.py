"""Ctrl-C at any instant of the command's start: one line, no traceback."""

import signal
import subprocess
import sys
import time

from support.command import start

# A console script as pip writes it, with a wait where a slow disk would make one.
SLOW = """
import sys, time
sys.argv[0] = "/usr/bin/paintpipe"
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            print("importing", flush=True)
            time.sleep(30)
sys.meta_path.insert(0, Slow())
from paintpipe.cli import main
main()
"""


def test_while_the_command_is_being_imported() -> None:
    run = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "importing\n"
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (
        130,
        "paintpipe: stopped; run the same command again to go on where it stopped\n",
    )


def test_early_instants_show_no_traceback() -> None:
    for delay_s in (0.1, 0.2, 0.4):
        run = start("models")
        time.sleep(delay_s)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
        if run.returncode == -signal.SIGINT or "import_site" in err:
            continue  # before Python itself was up, the system or Python ends the process
        assert run.returncode in (0, 130), err
        assert "KeyboardInterrupt" not in err or "site" in err  # in Python's own start, before a line of ours


def test_as_a_library_it_leaves_signals_alone() -> None:
    code = "import signal, paintpipe.cli; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"
