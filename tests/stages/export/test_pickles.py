import pickle
import pickletools
import subprocess
import sys

import numpy as np
import pytest

from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export.pickles import dumps, loads

PLAIN = {
    "name": np.array(["Car", "Pedestrian"]),
    "boxes": np.arange(14, dtype=np.float32).reshape(2, 7),
    "counts": np.array([3, 0], np.int64),
    "used": np.array([True, False]),
    "empty": np.zeros((0, 7)),
    "frames": [{"id": "000001", "time": 1.5, "none": None, "flag": True}, ("a", 2**70)],
}


def test_comes_back_through_the_standard_unpickler_and_through_the_careful_one():
    for back in (loads(dumps(PLAIN)), pickle.loads(dumps(PLAIN))):
        assert list(back) == list(PLAIN)
        assert back["frames"] == PLAIN["frames"]
        for key in ("name", "boxes", "counts", "used", "empty"):
            np.testing.assert_array_equal(back[key], PLAIN[key])
            assert back[key].dtype == PLAIN[key].dtype
            assert back[key].shape == PLAIN[key].shape
            assert back[key].flags.writeable


def test_identity_of_objects_leaves_no_trace():
    name = "".join(["Car", "s"])
    array = np.arange(6.0).reshape(2, 3)
    shared = {"a": [name, name], "b": [array, array]}
    apart = {"a": [name, "".join(["C", "ars"])], "b": [array, array.copy(order="F")]}
    assert dumps(shared) == dumps(apart)
    assert dumps(shared) != pickle.dumps(shared, protocol=4)


def test_byte_order_of_an_array_leaves_no_trace():
    array = np.arange(4, dtype=np.float32)
    assert dumps(array.astype(">f4")) == dumps(array)


def test_numpy_1_and_2_find_the_names():
    named = {argument for code, argument, _ in pickletools.genops(dumps(PLAIN)) if isinstance(argument, str)}
    assert "numpy.core.multiarray" in named
    assert not any("_core" in name for name in named)


@pytest.mark.parametrize(
    "bad", [np.float32(1.0), np.datetime64(0, "s"), object(), len, np.array([object()]), slice(1), b"bytes".join]
)
def test_has_no_room_for_more_than_plain_data(bad):
    with pytest.raises(TypeError, match="plain data"):
        dumps([bad])


class _Runs:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    "content",
    [pickle.dumps(_Runs()), pickle.dumps(subprocess.Popen), pickle.dumps(np.float32(1)), b"", b"\x80\x04", b"nonsense"],
)
def test_what_could_run_and_what_is_cut_short_is_refused(content, capsys):
    with pytest.raises(ExportError, match="no pickle of plain data"):
        loads(content)
    assert capsys.readouterr().out == ""


def test_another_process_gives_the_same_bytes():
    code = (
        "import sys; from paintpipe.stages.export.pickles import dumps as d; sys.stdout.buffer.write(d({'b': [1.5]}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == dumps({"b": [1.5]})
