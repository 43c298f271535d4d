"""`paintpipe paint --backend`: settled by `auto`, kept with the layer, and part of what a shard was made from."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.command import content, paintpipe, succeed
from support.segment import needs

import paintpipe as library
from paintpipe.pipeline.ledger import decode_mark


def _paint(workspace: Path, *options: object) -> tuple[object, ...]:
    return ("paint", "-w", workspace, "-q", "--model", "street-tiny", "--threads-per-worker", 1, *options)


def test_auto_is_settled_remembered_and_gives_what_the_backend_itself_gives(workspace: Path, tmp_path: Path) -> None:
    needs("openvino")
    succeed(*_paint(workspace))
    layer = library.open_painted(workspace).sequence("08")[0].layer("street-tiny")
    mark = decode_mark(next((workspace / "ledger/layers/street-tiny/08").iterdir()).read_bytes())
    assert mark is not None
    text = json.dumps(dict(mark.inputs))
    assert '"backend": "openvino"' in text
    assert "auto" not in text
    before = content(workspace / "painted.zarr")
    succeed(*_paint(workspace, "--backend", "openvino"))  # nothing is left to do
    succeed(*_paint(workspace, "--backend", "openvino", "--layer", "again"))
    again = library.open_painted(workspace).sequence("08")[0].layer("again")
    np.testing.assert_array_equal(again.scores, layer.scores)
    assert {key: value for key, value in content(workspace / "painted.zarr").items() if key in before} == before


def test_another_backend_is_told_by_name_and_agrees(workspace: Path) -> None:
    needs("openvino")
    succeed(*_paint(workspace, "--backend", "openvino"))
    done = paintpipe(*_paint(workspace, "--backend", "torch"))
    assert done.code == 2
    assert "segment.backend: openvino → torch" in done.err
    assert done.err.count("\n") == 1
    succeed(*_paint(workspace, "--backend", "torch", "--layer", "eager"))
    for frame in library.open_painted(workspace).sequence("08"):
        one, two = frame.layer("street-tiny"), frame.layer("eager")
        assert float((one.label == two.label).mean()) >= 0.999
        assert float(np.abs(one.scores.astype(np.float32) - two.scores.astype(np.float32)).max()) <= 0.01


def test_backends_that_can_not_be_had_end_in_one_line(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = paintpipe(*_paint(workspace, "--backend", "onnxruntime", "--precision", "bf16"))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "onnxruntime keeps float32; expected --precision fp32" in done.err
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    done = paintpipe(*_paint(workspace, "--backend", "openvino"))
    assert done.code == 2
    assert 'pip install "paintpipe[openvino]"' in done.err
