"""An engine that is gone leaves nothing behind that Ctrl-C trips over."""

import subprocess
import sys

from support.segment import needs

CODE = """
import gc, signal
import numpy as np
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.workflows.choose_painter import PainterChoice, network
painter = network(PainterChoice("street-tiny", segment=SegmentSettings(backend="auto")))
assert painter.identity["segment"]["backend"] == "openvino", painter.identity
del painter
gc.collect()
signal.signal(signal.SIGINT, lambda *_: print("told"))
signal.raise_signal(signal.SIGINT)
"""


def test_ctrl_c_after_a_network_was_collected() -> None:
    needs("openvino")
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr
