"""TorchScript and torch.export files: nothing in them is looked at before the user vouches for their bytes."""

import hashlib
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from support.segment import make_card, make_image

from paintpipe.schemas.errors import ModelError, TaxonomyError, UntrustedModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.segmenter import load_segmenter

KINDS = {"torchscript": "w.pt", "torch-export": "w.pt2"}


def _save(kind: str, path: Path) -> torch.nn.Module:
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 5, 3, stride=8, padding=1).eval()
    example = torch.zeros(1, 3, 64, 96)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "torchscript":
            torch.jit.trace(network, example).save(path)
        else:
            torch.export.save(torch.export.export(network, (example,)), path)
    return network


@pytest.mark.parametrize("kind", KINDS)
def test_a_vouched_file_runs_and_gives_its_own_scores(tmp_path: Path, kind: str) -> None:
    path = tmp_path / KINDS[kind]
    network = _save(kind, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = make_card(architecture=kind, architecture_options={}, resize="fixed", input_size_px=(64, 96))
    segmenter = load_segmenter(card, path, 5, SegmentSettings(), trust_sha256=digest.upper())
    assert segmenter.weights_sha256 == digest
    image = make_image(64, 96)
    with torch.inference_mode():
        expected = network(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)[0]
    np.testing.assert_allclose(segmenter.predict([image])[0].values, expected.numpy(), atol=1e-5)
    with pytest.raises(TaxonomyError, match="5 outputs"):
        load_segmenter(card, path, 6, SegmentSettings(), trust_sha256=digest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", ["", "0" * 64])
def test_without_the_users_word_the_file_is_not_loaded(
    tmp_path: Path, kind: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the file was opened")

    path = tmp_path / KINDS[kind]
    path.write_bytes(b"not even a program")
    for owner, name in ((torch.jit, "load"), (torch.export, "load"), (torch, "load"), (zipfile, "ZipFile")):
        monkeypatch.setattr(owner, name, never)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = make_card(architecture=kind, architecture_options={})
    with pytest.raises(UntrustedModelError, match=f"--trust-model {digest}") as caught:
        load_segmenter(card, path, 5, SegmentSettings(), trust_sha256=given)
    assert ("is not its own" in str(caught.value)) == bool(given)


@pytest.mark.parametrize("kind", KINDS)
def test_a_vouched_file_that_is_no_program(tmp_path: Path, kind: str) -> None:
    path = tmp_path / KINDS[kind]
    path.write_bytes(b"not even a program")
    card = make_card(architecture=kind, architecture_options={})
    with pytest.raises(ModelError, match="damaged"):
        load_segmenter(card, path, 5, SegmentSettings(), hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_network_that_returns_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(torch.nn.Flatten(), torch.zeros(1, 3, 32, 32)).save(path)
    card = make_card(architecture="torchscript", architecture_options={})
    with pytest.raises(ModelError, match=r"the network returned .*expected \(N, C, h, w\) scores"):
        load_segmenter(card, path, 5, SegmentSettings(), hashlib.sha256(path.read_bytes()).hexdigest())
