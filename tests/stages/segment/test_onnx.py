"""ONNX files: scores equal to the network's own, fixed and free sizes, and nothing from outside the file."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.segment import make_card, make_image

from paintpipe.schemas.errors import ConfigError, MissingExtraError, ModelError, TaxonomyError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.segmenter import load_segmenter

CARD = make_card(architecture="onnx", architecture_options={}, stride_px=8)
FREE = ["n", 3, "h", "w"]
ENGINES = ("onnxruntime", "openvino")


def _settings(**given: object) -> SegmentSettings:
    return SegmentSettings(**({"threads": 1, "backend": "onnxruntime"} | given))  # type: ignore[arg-type]


def _model(shape: list[object] | None = None, classes: int = 5, kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """One convolution with stride 8, and a second output that nobody asked for."""
    dtype = np.float32 if kind == TensorProto.FLOAT else np.float16
    weight = numpy_helper.from_array(
        np.random.default_rng(0).standard_normal((classes, 3, 8, 8)).astype(dtype) * dtype(0.1), "weight"
    )
    nodes = [
        helper.make_node("Conv", ["image", "weight"], ["scores"], strides=[8, 8]),
        helper.make_node("ArgMax", ["scores"], ["labels"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", kind, shape or FREE)],
        [
            helper.make_tensor_value_info("scores", kind, ["n", classes, "a", "b"]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, ["n", 1, "a", "b"]),
        ],
        [weight],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _expected(image: np.ndarray, model: onnx.ModelProto) -> np.ndarray:
    weight = numpy_helper.to_array(model.graph.initializer[0]).astype(np.float64)
    blocks = (image / 255.0).reshape(image.shape[0] // 8, 8, image.shape[1] // 8, 8, 3)
    return np.einsum("aibjc,kcij->kab", blocks, weight)


@pytest.mark.parametrize("backend", ENGINES)
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_scores_are_those_of_the_file(tmp_path: Path, kind: int, backend: str) -> None:
    model = _model(kind=kind)
    onnx.save(model, tmp_path / "w.onnx")
    segmenter = load_segmenter(CARD, tmp_path / "w.onnx", 5, _settings(backend=backend, batch_size=2))
    images = [make_image(64, 96, seed) for seed in range(3)]
    for image, scores in zip(images, segmenter.predict(images), strict=True):
        assert scores.values.dtype == np.float32
        np.testing.assert_allclose(scores.values, _expected(image, model), atol=1e-4 if kind == 1 else 2e-2)


@pytest.mark.parametrize("backend", ENGINES)
def test_a_fixed_file_settles_size_and_batch(tmp_path: Path, backend: str) -> None:
    model = _model([1, 3, 40, 56])
    onnx.save(model, tmp_path / "w.onnx")
    settings = _settings(backend=backend, batch_size=2, tta_flip=True)
    segmenter = load_segmenter(CARD, tmp_path / "w.onnx", 5, settings)
    scores = segmenter.predict([make_image(64, 96)] * 2)
    assert segmenter.card.input_size_px == (40, 56)
    assert [one.values.shape for one in scores] == [(5, 5, 7)] * 2
    for wrong in ({"input_size_px": (64, 96)}, {"tta_scales": (1.0, 2.0)}):
        with pytest.raises(ConfigError, match="one input size"):
            load_segmenter(CARD, tmp_path / "w.onnx", 5, _settings(**wrong))
    other = make_card(architecture="onnx", architecture_options={}, resize="fixed", input_size_px=(64, 64))
    with pytest.raises(ModelError, match=r"input_size_px is \(64, 64\) and the file's is \(40, 56\)"):
        load_segmenter(other, tmp_path / "w.onnx", 5, _settings())


def test_external_data_is_refused_wherever_it_hides(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(5 * 3 * 64 * 4))
    plain = _model()
    hidden = _model()
    attribute = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.zeros(1, np.float32), "deep"))
    branch = helper.make_graph([attribute], "b", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, [1])])
    yes = numpy_helper.from_array(np.array(True), "yes")
    hidden.graph.initializer.append(yes)
    hidden.graph.node.append(helper.make_node("If", ["yes"], ["d"], then_branch=branch, else_branch=branch))
    outer = plain.graph.initializer[0]
    inner = hidden.graph.node[-1].attribute[0].g.node[0].attribute[0].t
    cases = [(*case, backend) for case in (("plain", plain, outer), ("hidden", hidden, inner)) for backend in ENGINES]
    for name, model, tensor, backend in cases:
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="secret")
        (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(ModelError, match=rf"{name}\.onnx: the model keeps data in other files \({tensor.name}"):
            load_segmenter(CARD, tmp_path / f"{name}.onnx", 5, _settings(backend=backend))


def test_outputs_by_name_and_what_no_painter_can_use(tmp_path: Path) -> None:
    onnx.save(_model(), tmp_path / "w.onnx")
    with pytest.raises(TaxonomyError, match="5 outputs and taxonomy five has 6"):
        load_segmenter(CARD, tmp_path / "w.onnx", 6, _settings())
    labels = make_card(architecture="onnx", architecture_options={"output_name": "labels"})
    segmenter = load_segmenter(labels, tmp_path / "w.onnx", 1, _settings())
    with pytest.raises(ModelError, match=r"expected \(N, C, h, w\) scores"):
        segmenter.predict([make_image(64, 64)])
    unknown = make_card(architecture="onnx", architecture_options={"output_name": "logits"})
    with pytest.raises(ModelError, match="the model has outputs scores, labels"):
        load_segmenter(unknown, tmp_path / "w.onnx", 5, _settings())
    with pytest.raises(ConfigError, match="keeps the precision"):
        load_segmenter(CARD, tmp_path / "w.onnx", 5, _settings(precision="bf16"))
    with pytest.raises(ConfigError, match="can't use cuda:0"):
        load_segmenter(CARD, tmp_path / "w.onnx", 5, _settings(device="cuda:0"))


def test_files_that_are_no_network_for_images(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w.onnx").write_bytes(b"\xff" * 50)
    with pytest.raises(ModelError, match="no ONNX file"):
        load_segmenter(CARD, tmp_path / "w.onnx", 5, _settings())
    onnx.save(_model(["n", 4, "h", "w"]), tmp_path / "four.onnx")
    with pytest.raises(ModelError, match=r"onnxruntime can't run it|expected float \(N, 3"):
        load_segmenter(CARD, tmp_path / "four.onnx", 5, _settings())
    odd = _model()
    odd.graph.input[0].type.tensor_type.elem_type = 65
    (tmp_path / "odd.onnx").write_bytes(odd.SerializeToString())
    with pytest.raises(ModelError, match="type 65"):
        load_segmenter(CARD, tmp_path / "odd.onnx", 5, _settings())
    broken = _model()
    broken.graph.node[0].op_type = "NoSuchOperator"
    (tmp_path / "op.onnx").write_bytes(broken.SerializeToString())
    with pytest.raises(ModelError, match="onnxruntime can't run it"):
        load_segmenter(CARD, tmp_path / "op.onnx", 5, _settings())
    with pytest.raises(ModelError, match="OpenVINO can't run it"):
        load_segmenter(CARD, tmp_path / "op.onnx", 5, _settings(backend="openvino"))
    odd_name = _model().SerializeToString().replace(b"ArgMax", b"ArgMa\xf6")
    (tmp_path / "name.onnx").write_bytes(odd_name)
    with pytest.raises(ModelError, match="no UTF-8"):
        load_segmenter(CARD, tmp_path / "name.onnx", 5, _settings())
    with pytest.raises(ModelError, match="can't be read"):
        load_segmenter(CARD, tmp_path / "gone.onnx", 5, _settings())
    assert capfd.readouterr().out == ""


def test_auto_takes_openvino_for_a_file_and_torch_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx.save(_model([2, 3, "h", "w"]), tmp_path / "w.onnx")
    path, image = tmp_path / "w.onnx", make_image(64, 96)
    found = load_segmenter(CARD, path, 5, _settings(backend="auto", batch_size=2), image_px=(64, 96))
    assert (found.settings.backend, found.notes) == ("openvino", ())
    np.testing.assert_allclose(found.predict([image] * 2)[1].values, _expected(image, _model()), atol=1e-4)
    with pytest.raises(ConfigError, match="takes 2 images at a time; expected --batch-size 2"):
        found.predict([image])
    with pytest.raises(ConfigError, match="does not run under torch; expected --backend auto, onnxruntime or openvino"):
        load_segmenter(CARD, path, 5, _settings(backend="torch"))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert load_segmenter(CARD, path, 5, _settings(backend="auto")).settings.backend == "openvino"
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match="needs onnx and onnxruntime"):
        load_segmenter(CARD, path, 5, _settings(backend="auto"))
