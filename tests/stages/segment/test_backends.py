"""Backends: every one says what eager PyTorch says, always the same, and `auto` takes none that does not."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.segment import make_card, make_image, make_state, needs, reference_fill
from torch import nn

from paintpipe.schemas.errors import ConfigError, MissingExtraError, ModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment import backends, compiled
from paintpipe.stages.segment.agreement import LABELS_AGREE, SCORES_WITHIN, check_image, difference, disagreement
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.espnetv2 import ESPNetv2
from paintpipe.stages.segment.network import Network, on_device
from paintpipe.stages.segment.segmenter import Segmenter, load_segmenter

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
OTHERS = ("onnxruntime", "openvino")


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    if "openvino" in request.node.name:
        needs("openvino")


def _zoo() -> nn.Module:
    smp = pytest.importorskip("segmentation_models_pytorch")
    module: nn.Module = smp.PSPNet("resnet18", encoder_weights=None, classes=5)
    module.segmentation_head[1] = nn.Identity()  # type: ignore[index,operator]
    return module


def _segformer() -> nn.Module:
    transformers = pytest.importorskip("transformers")
    from paintpipe.stages.segment.hf import _Logits

    sizes = {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16], "num_attention_heads": [1, 1, 2, 2]}
    config = transformers.SegformerConfig(num_labels=5, decoder_hidden_size=16, **sizes)
    return _Logits(transformers.SegformerForSemanticSegmentation(config))


ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], dict[str, object]]] = {
    "bisenetv2": (lambda: BiSeNetV2(5, width=0.25, head_channels=32), {}),
    "pixel-shuffle": (lambda: BiSeNetV2(5, width=0.25, head="pixel-shuffle", head_channels=32), {}),
    "espnetv2": (lambda: ESPNetv2(0.5, 5), {"align_corners": True}),
    "pspnet": (_zoo, {}),
    "segformer": (_segformer, {"resize": "pad"}),
}


def _network(module: nn.Module, **card: object) -> Network:
    torch.manual_seed(0)
    module.load_state_dict(reference_fill(module.state_dict()), strict=True)
    module = on_device(module, "cpu")
    return Network(module, make_card(**card), "0" * 64, 5, module)


def _segmenter(network: Network, image_px: tuple[int, int] | None = None, **settings: object) -> Segmenter:
    wanted = SegmentSettings(**({"threads": 1} | settings))  # type: ignore[arg-type]
    with torch.inference_mode():
        choice = backends.choose_backend(network, wanted, image_px)
    return Segmenter(choice.network, choice.settings, 5, choice.notes)


def _agree(expected: Segmenter, found: Segmenter, images: list[Any]) -> None:
    for one, two in zip(expected.predict(images), found.predict(images), strict=True):
        assert (two.kind, two.align_corners, two.extent_px) == (one.kind, one.align_corners, one.extent_px)
        assert two.values.dtype == np.float32
        assert two.values.flags.c_contiguous
        labels, scores = difference(*(torch.from_numpy(each.values)[None] for each in (one, two)), one.kind)
        assert labels >= LABELS_AGREE
        assert scores <= 1e-3 < SCORES_WITHIN


@pytest.mark.parametrize("backend", OTHERS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_backend_says_what_eager_pytorch_says(name: str, backend: str) -> None:
    build, card = ARCHITECTURES[name]
    network = _network(build(), **card)
    batch_size = 3 if name == "bisenetv2" else 1
    images = [make_image(97, 141, seed) for seed in range(4 if batch_size == 3 else 2)]
    eager = Segmenter(network, SegmentSettings(threads=1), 5)
    assert float(np.ptp(eager.predict(images)[0].values)) > 0.01
    _agree(eager, _segmenter(network, backend=backend, batch_size=batch_size), images)


@pytest.mark.parametrize("backend", OTHERS)
def test_augmentation_runs_at_every_scale_under_a_backend(backend: str) -> None:
    network = _network(ESPNetv2(0.5, 5), align_corners=True)
    settings = {"tta_scales": (1.0, 1.5), "tta_flip": True}
    eager = Segmenter(network, SegmentSettings(threads=1, **settings), 5)  # type: ignore[arg-type]
    _agree(eager, _segmenter(network, backend=backend, **settings), [make_image(96, 128)])


@pytest.mark.parametrize("backend", OTHERS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_backend_repeats_itself_to_the_byte(tmp_path: Path, backend: str, threads: int) -> None:
    torch.save(make_state(), tmp_path / "w.pth")
    settings = SegmentSettings(threads=threads, backend=backend)  # type: ignore[arg-type]
    image, found = make_image(256, 512), set()
    for _ in range(2):
        segmenter = load_segmenter(make_card(), tmp_path / "w.pth", 5, settings)
        with ThreadPoolExecutor(3) as pool:
            found |= set(pool.map(lambda _, s=segmenter: s.predict([image])[0].values.tobytes(), range(6)))
    assert len(found) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_an_engine_gets_the_threads_and_the_precision_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    import onnxruntime

    from paintpipe.stages.segment.openvino_engine import _properties, openvino

    library, seen = openvino(), []
    compile_model, session = library.Core.compile_model, onnxruntime.InferenceSession
    network = _network(BiSeNetV2(5, width=0.25, head_channels=32))

    def watched(*given: Any) -> Any:
        made = compile_model(*given)
        seen.append((made.get_property("INFERENCE_NUM_THREADS"), str(made.get_property("INFERENCE_PRECISION_HINT"))))
        seen.append((made.get_property("NUM_STREAMS"), made.get_property("ENABLE_CPU_PINNING")))
        return made

    monkeypatch.setattr(library.Core, "compile_model", watched)
    _segmenter(network, backend="openvino", threads=threads).predict([make_image(64, 64)])
    assert seen == [(threads, "<Type: 'float32'>"), (1, False)]
    assert _properties(SegmentSettings(precision="bf16"))["INFERENCE_PRECISION_HINT"] == "bf16"

    def held(content: bytes, options: Any, **given: Any) -> Any:
        seen.append((options.intra_op_num_threads, options.inter_op_num_threads))
        return session(content, options, **given)

    monkeypatch.setattr(onnxruntime, "InferenceSession", held)
    _segmenter(network, backend="onnxruntime", threads=threads).predict([make_image(64, 64)])
    assert seen[-1] == (threads, 1)


def test_auto_takes_the_first_that_agrees_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from paintpipe.stages.segment import onnxruntime_engine, openvino_engine

    network, images = _network(BiSeNetV2(5, width=0.25, head_channels=32)), [make_image(64, 96)]
    first = _segmenter(network, backend="auto")
    assert (first.settings.backend, first.notes) == ("openvino", ())
    right = onnxruntime_engine.compile_onnxruntime

    def wrong(*given: Any) -> Any:
        run = right(*given)
        return lambda values: run(values) * np.float32(1.2)

    monkeypatch.setattr(openvino_engine, "compile_openvino", wrong)
    second = _segmenter(network, (64, 96), backend="auto")
    assert second.settings.backend == "onnxruntime"
    assert "--backend auto leaves openvino out: labels agree on 100.00% of pixels, scores to" in second.notes[0]
    monkeypatch.setattr(onnxruntime_engine, "compile_onnxruntime", wrong)
    third = _segmenter(network, (64, 96), backend="auto")
    assert (third.settings.backend, len(third.notes)) == ("torch", 2)
    _agree(Segmenter(network, SegmentSettings(threads=1), 5), third, images)


def test_auto_goes_without_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = _network(BiSeNetV2(5, width=0.25, head_channels=32))
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert _segmenter(network, backend="auto").settings.backend == "onnxruntime"
    with pytest.raises(MissingExtraError, match=r'needs openvino; pip install "paintpipe\[openvino\]"'):
        _segmenter(network, backend="openvino")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = _segmenter(network, backend="auto")
    assert (found.settings.backend, found.notes) == ("torch", ())
    with pytest.raises(MissingExtraError, match=r'needs onnx and onnxruntime; pip install "paintpipe\[onnx\]"'):
        _segmenter(network, backend="onnxruntime")


class _Strange(nn.Module):
    """Holds an operation that neither ONNX nor OpenVINO knows."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = torch.linalg.svdvals(images[:, :1])
        return images[:, :, ::8, ::8] + values.mean()


def test_a_network_that_no_engine_knows_runs_under_torch(capfd: pytest.CaptureFixture[str]) -> None:
    module = _Strange()
    network = Network(module, make_card(), "0" * 64, 3, module)
    found = _segmenter(network, backend="auto")
    assert found.settings.backend == "torch"
    assert [note.partition(":")[0] for note in found.notes] == [
        "--backend auto leaves openvino out",
        "--backend auto leaves onnxruntime out",
    ]
    assert all(len(note) < 400 and "\n" not in note for note in found.notes)
    with pytest.raises(ModelError, match=r"torch can't export it to ONNX \(.*svdvals.*--backend torch"):
        _segmenter(network, backend="onnxruntime").predict([make_image(64, 64)])
    with pytest.raises(ModelError, match=r"OpenVINO can't run it \(.*--backend torch"):
        _segmenter(network, (64, 64), backend="openvino")
    said = capfd.readouterr()
    assert said.out == ""
    assert "graph(" not in said.err


def test_backends_that_settings_or_network_rule_out(tmp_path: Path) -> None:
    network = _network(BiSeNetV2(5, width=0.25, head_channels=32))
    assert _segmenter(replace(network, module=None), backend="torch").settings.backend == "torch"
    for wrong, message in (
        ({"backend": "onnxruntime", "precision": "bf16"}, "keeps float32"),
        ({"backend": "openvino", "device": "cuda:0"}, "runs on the CPU"),
        ({"backend": "tensorrt"}, "unknown backend 'tensorrt'; expected one of auto, openvino"),
    ):
        with pytest.raises(ConfigError, match=message):
            _segmenter(network, **wrong)
    with pytest.raises(ConfigError, match="runs under torch alone"):
        _segmenter(replace(network, module=None), backend="openvino")


def test_openvino_in_bfloat16_is_near_and_not_the_same() -> None:
    network = _network(BiSeNetV2(5, width=0.25, head_channels=32))
    try:
        half = _segmenter(network, backend="openvino", precision="bf16")
    except ConfigError as error:
        pytest.skip(error.what)
    assert half.settings.backend == "openvino"
    with torch.autocast("cpu", torch.bfloat16):
        chosen = _segmenter(network, (64, 96), backend="auto", precision="bf16")
    assert (chosen.settings.backend, chosen.notes) == ("openvino", ())
    image = make_image(64, 96)
    full = _segmenter(network, backend="openvino").predict([image])[0].values
    assert chosen.predict([image])[0].values.tobytes() == half.predict([image])[0].values.tobytes()
    differs = float(np.abs(half.predict([image])[0].values - full).max())
    assert 0 < differs < 0.1 * float(np.ptp(full))


def test_openvino_calls_nobody_and_writes_nothing(tmp_path: Path) -> None:
    import subprocess

    script = (
        "from paintpipe.stages.segment.openvino_engine import openvino; o = openvino(); "
        "import openvino.tools.ovc as ovc; print(type(ovc.telemetry).__module__)"
    )
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("telemetry_stub")
    assert not list(tmp_path.iterdir())


def test_what_was_compiled_is_kept_for_a_few_shapes_only() -> None:
    made: list[tuple[int, ...]] = []

    def compile_for(_source: Any, shape: tuple[int, ...], _settings: SegmentSettings) -> compiled.Run:
        made.append(shape)
        return lambda values: values[:, :, ::8, ::8]

    forward = compiled.Compiled(compile_for, nn.Identity(), SegmentSettings(), any_shape=False)
    shapes = [(1, 3, 32, 32 * side) for side in range(1, 10)]
    for shape in [*shapes, shapes[-1], shapes[0]]:
        forward(torch.zeros(shape))
    assert made == [*shapes, shapes[0]]


def test_agreement_is_judged_by_labels_and_by_scores() -> None:
    logits = torch.tensor([[0.0, 4.0], [4.0, 0.0]]).view(1, 2, 1, 2)
    assert disagreement(logits, logits + 100.0, "logits") == ""
    assert disagreement(logits, logits.flip(1), "logits") == "labels agree on 0.00% of pixels, scores to 0.96"
    assert "scores to 0.1" in disagreement(logits, logits * 0.5, "logits")
    assert "nan" in disagreement(logits, logits * float("nan"), "logits")
    assert disagreement(logits, logits * 0.5, "logits", (0.0, 0.15)) == ""
    assert disagreement(logits, logits.flip(1), "logits", (0.5, 1.0)) != ""
    assert disagreement(logits, logits[..., :1], "logits") == "it returned (1, 2, 1, 1) for (1, 2, 1, 2)"
    image = check_image((64, 96))
    assert image.tobytes() == check_image((64, 96)).tobytes()
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 500
    assert check_image((1, 1)).shape == (1, 1, 3)
