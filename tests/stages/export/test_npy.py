import io
import pickle

import numpy as np
import pytest

from paintpipe.schemas.errors import ExportError
from paintpipe.stages.export.npy import dumps_array, dumps_item, loads_array, loads_item

ITEM = {"real_points": np.arange(30, dtype=np.float32).reshape(2, 15), "rows": np.array([4, 7]), "text": ["a", 1]}


def saved(value) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


def test_arrays_are_those_of_numpy() -> None:
    array = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert dumps_array(array) == saved(array)
    assert dumps_array(np.asfortranarray(array)) == saved(array)
    np.testing.assert_array_equal(loads_array(dumps_array(array)), array)


def test_an_item_is_what_numpy_loads_and_comes_back_carefully() -> None:
    for back in (np.load(io.BytesIO(dumps_item(ITEM)), allow_pickle=True).item(), loads_item(dumps_item(ITEM))):
        assert list(back) == list(ITEM)
        assert back["text"] == ["a", 1]
        for key in ("real_points", "rows"):
            np.testing.assert_array_equal(back[key], ITEM[key])
            assert back[key].dtype == ITEM[key].dtype
    assert loads_item(saved(ITEM))["text"] == ["a", 1]


def test_equal_items_have_equal_bytes() -> None:
    again = {key: value.copy() for key, value in ITEM.items()}
    assert dumps_item(again) == dumps_item(ITEM)


class _Runs:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    "content",
    [
        saved({"a": _Runs()}),
        saved(np.array([{"a": 1}], dtype=object)),
        saved(np.zeros(3)),
        saved({})[:-1],
        saved({})[:9],
        b"",
        pickle.dumps({}),
    ],
)
def test_what_could_run_and_what_is_no_item_is_refused(content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ExportError):
        loads_item(content)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [dumps_item(ITEM), b"", dumps_array(np.zeros(9))[:-1]])
def test_no_array(content: bytes) -> None:
    with pytest.raises(ExportError, match=r"no \.npy array"):
        loads_array(content)
