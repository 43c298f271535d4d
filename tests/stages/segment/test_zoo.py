"""Networks of the zoo: native logits that one bilinear step turns into the library's own output."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.segment import make_card, make_image

from paintpipe.schemas.errors import MissingExtraError, ModelError, TaxonomyError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.segmenter import load_segmenter

SETTINGS = SegmentSettings(threads=1)
NORMALISED = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.fixture(scope="module", autouse=True)
def smp() -> Any:
    """The library, imported where its tests run and not where they are only collected."""
    return pytest.importorskip("segmentation_models_pytorch")


def _card(**options: object):  # type: ignore[no-untyped-def]
    return make_card(architecture="zoo", architecture_options=options, **NORMALISED)


def _compare(tmp_path: Path, whole: torch.nn.Module, card) -> None:  # type: ignore[no-untyped-def]
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    image = make_image(64, 96)
    segmenter = load_segmenter(card, tmp_path / "w.pth", 4, SETTINGS)
    scores = segmenter.predict([image])[0]
    mean, std = (torch.tensor(NORMALISED[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.inference_mode():
        out = whole((torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255 - mean) / std)
        full = torch.nn.functional.interpolate(
            torch.from_numpy(scores.values)[None], size=(64, 96), mode="bilinear", align_corners=scores.align_corners
        )
    expected = (out["out"] if isinstance(out, dict) else out).numpy()
    assert float(np.ptp(expected)) > 1e-3
    np.testing.assert_allclose(full.numpy(), expected, atol=1e-4 * float(np.abs(expected).max()) + 1e-5)


@pytest.mark.parametrize("model", ["FPN", "Unet", "PSPNet", "DeepLabV3", "DeepLabV3Plus"])
def test_segmentation_models_pytorch(tmp_path: Path, smp: Any, model: str) -> None:
    torch.manual_seed(0)
    _compare(
        tmp_path,
        getattr(smp, model)("resnet18", encoder_weights=None, classes=4).eval(),
        _card(model=model, encoder="resnet18"),
    )


@pytest.mark.parametrize("model", ["fcn_resnet50", "deeplabv3_resnet50"])
def test_torchvision_with_and_without_its_auxiliary_head(tmp_path: Path, model: str) -> None:
    from torchvision.models import segmentation

    torch.manual_seed(0)
    whole = getattr(segmentation, model)(weights=None, weights_backbone=None, num_classes=4, aux_loss=True).eval()
    _compare(tmp_path, whole, _card(model=model))


def test_nothing_is_downloaded(tmp_path: Path, smp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def never(_: object, address: object) -> None:
        asked.append(address)
        raise OSError("no network")

    monkeypatch.setattr("socket.socket.connect", never)
    torch.save(smp.FPN("resnet18", encoder_weights=None, classes=4).state_dict(), tmp_path / "w.pth")
    load_segmenter(_card(model="FPN", encoder="resnet18"), tmp_path / "w.pth", 4, SETTINGS)
    assert asked == []
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("127.0.0.1", 9))
    assert asked == [("127.0.0.1", 9)], "the watch is in place"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "HRNet", "encoder": "resnet18"}, "no model 'hrnet'; expected one of FPN, Unet"),
        ({"model": "FPN"}, "needs an encoder"),
        ({"model": "fcn_resnet50", "encoder": "resnet18"}, "takes no encoder"),
        ({"model": "FPN", "encoder": "resnet7"}, "no encoder 'resnet7'"),
        ({"model": "FPN", "encoder": "resnet34"}, "not those of this network"),
        ({"model": "FPN", "depth": 3}, "has no options depth"),
    ],
)
def test_models_that_the_zoo_does_not_have(tmp_path: Path, smp: Any, options: dict[str, object], message: str) -> None:
    torch.save(smp.FPN("resnet18", encoder_weights=None, classes=4).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=message):
        load_segmenter(_card(**options), tmp_path / "w.pth", 4, SETTINGS)


def test_a_taxonomy_that_does_not_fit(tmp_path: Path, smp: Any) -> None:
    torch.save(smp.FPN("resnet18", encoder_weights=None, classes=4).state_dict(), tmp_path / "w.pth")
    with pytest.raises(TaxonomyError, match="4 outputs"):
        load_segmenter(_card(model="FPN", encoder="resnet18"), tmp_path / "w.pth", 5, SETTINGS)


@pytest.mark.parametrize(
    ("architecture", "options", "package", "command"),
    [
        ("zoo", {"model": "FPN", "encoder": "resnet18"}, "segmentation_models_pytorch", "zoo"),
        ("zoo", {"model": "fcn_resnet50"}, "torchvision.models", "zoo"),
        ("onnx", {}, "onnx", "onnx"),
        ("hf", {}, "transformers", "hf"),
    ],
)
def test_a_missing_package_says_how_to_install_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
    options: dict[str, str],
    package: str,
    command: str,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pth")
    card = make_card(architecture=architecture, architecture_options=options)
    with pytest.raises(MissingExtraError, match=rf'pip install "paintpipe\[{command}\]"'):
        load_segmenter(card, tmp_path / "w.pth", 4, SETTINGS)
