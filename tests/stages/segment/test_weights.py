"""State dicts: what loads, what is refused, and how clearly."""

import os
import random
import struct
import tracemalloc
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from support.segment import make_card, make_state

from paintpipe.schemas.errors import ModelError, TaxonomyError, UntrustedModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.architectures import load_network
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.network import LoadRequest
from paintpipe.stages.segment.segmenter import load_segmenter
from paintpipe.stages.segment.weights import fit_state, load_state_dict


class _Code:
    """Unpickling this would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.folder),)


def _same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return list(one) == list(two) and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"bisenetv2": state, "epoch": 150},
        lambda state: {"state_dict": state, "optimizer": {"lr": 0.1}},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {f"module.{name}": value for name, value in state.items()},
        lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}},
    ],
)
@pytest.mark.parametrize("new_format", [True, False])
def test_checkpoints_as_people_publish_them(tmp_path: Path, wrap, new_format: bool) -> None:  # type: ignore[no-untyped-def]
    state = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}
    torch.save(wrap(state), tmp_path / "w.pth", _use_new_zipfile_serialization=new_format)
    assert _same(load_state_dict(tmp_path / "w.pth"), state)


def test_safetensors_by_suffix_and_by_content(tmp_path: Path) -> None:
    state = {"a": torch.arange(4.0), "b": torch.ones(1)}
    for name in ("w.safetensors", "w.bin"):
        save_file(state, tmp_path / name)
        loaded = load_state_dict(tmp_path / name)
        assert {key: value.tolist() for key, value in loaded.items()} == {"a": [0, 1, 2, 3], "b": [1]}


@pytest.mark.parametrize("new_format", [True, False])
def test_a_checkpoint_that_holds_code_is_refused_and_does_not_run(tmp_path: Path, new_format: bool) -> None:
    content = {"a": torch.ones(1), "b": _Code(tmp_path / "ran")}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=new_format)
    with pytest.raises(UntrustedModelError, match=r"w\.pth: the checkpoint holds code .*mkdir.*not loaded"):
        load_state_dict(tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_module_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Conv2d(1, 1, 1), tmp_path / "w.pth")
    with pytest.raises(UntrustedModelError, match="Conv2d"):
        load_state_dict(tmp_path / "w.pth")


def test_programs_under_a_checkpoints_name_are_recognised(tmp_path: Path) -> None:
    convolution = torch.nn.Conv2d(3, 4, 1).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(convolution, torch.zeros(1, 3, 4, 4)).save(tmp_path / "script.pth")
        torch.export.save(torch.export.export(convolution, (torch.zeros(1, 3, 4, 4),)), tmp_path / "program.pt2")
    (tmp_path / "program.pt2").rename(tmp_path / "program.pth")
    with pytest.raises(UntrustedModelError, match=r"a torchscript file can run code.*--trust-model [0-9a-f]{64}"):
        load_state_dict(tmp_path / "script.pth")
    with pytest.raises(UntrustedModelError, match=r"a torch-export file can run code.*--trust-model [0-9a-f]{64}"):
        load_state_dict(tmp_path / "program.pth")


def test_damaged_files_are_told_as_such(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(1000.0)}, tmp_path / "good.pth")
    whole = (tmp_path / "good.pth").read_bytes()
    save_file({"a": torch.arange(1000.0)}, tmp_path / "good.safetensors")
    tensors = (tmp_path / "good.safetensors").read_bytes()
    damaged = {
        "empty.pth": b"",
        "noise.pth": b"hello world " * 20,
        "short.pth": whole[: len(whole) // 2],
        "text.pt": b"\x80\x02}q\x00.",
        "short.safetensors": tensors[:-10],
        "page.safetensors": b"<html>not found</html>",
    }
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=name):
            load_state_dict(tmp_path / name)
    with pytest.raises(ModelError, match="can't be read"):
        load_state_dict(tmp_path / "gone.pth")


@pytest.mark.parametrize("size", [1 << 31, (1 << 32) - 1])
def test_a_pickle_that_promises_gigabytes_takes_none(tmp_path: Path, size: int) -> None:
    """A file hands out a buffer of the size that is asked for; memory hands out what there is."""
    (tmp_path / "w.pth").write_bytes(b"\x80\x02X" + struct.pack("<I", size) + b"name")
    tracemalloc.start()
    with pytest.raises(ModelError, match=r"w\.pth"):
        load_state_dict(tmp_path / "w.pth")
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("content", [{"a": 3}, {}, [torch.ones(1)], torch.ones(2)])
def test_a_checkpoint_without_a_state_dict(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"no state dict|no tensors"):
        load_state_dict(tmp_path / "w.pth")


def test_weights_of_another_architecture_name_what_differs() -> None:
    network, state = BiSeNetV2(5, width=0.25), BiSeNetV2(5, width=0.25).state_dict()
    fit_state(network, {**state, "aux2.x": torch.ones(1)}, "w.pth", ignored=("aux",))
    state["head.conv.bn.weight"] = torch.ones(3)
    state["other.weight"] = state.pop("detail.S1.0.conv.weight")
    with pytest.raises(ModelError) as caught:
        fit_state(network, state, "w.pth")
    line = str(caught.value)
    assert "w.pth: these weights are not those of this network" in line
    assert "1 missing: detail.S1.0.conv.weight" in line
    assert "1 unexpected: other.weight" in line
    assert "1 of another shape: head.conv.bn.weight (3,) for (256,)" in line


def test_fitted_weights_are_the_files(tmp_path: Path) -> None:
    state = make_state()
    torch.save(state, tmp_path / "w.pth")
    network = load_network(make_card(), tmp_path / "w.pth", LoadRequest(5))
    assert network.module is not None
    loaded = network.module.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_real_weights_in_the_wrong_card(real_data: Path) -> None:
    weights = real_data / "weights/espnetv2/espnetv2_s_0.5_city_1024x512.pth"
    with pytest.raises(ModelError, match=r"not those of this network .*missing.*unexpected"):
        load_segmenter(make_card(), weights, 5, SegmentSettings())
    other_scale = make_card(architecture="espnetv2", architecture_options={"scale": 2.0})
    with pytest.raises(ModelError, match="of another shape"):
        load_segmenter(other_scale, weights, 20, SegmentSettings())


def test_a_taxonomy_that_does_not_fit(tmp_path: Path) -> None:
    torch.save(make_state(5), tmp_path / "w.pth")
    with pytest.raises(TaxonomyError, match="the network has 5 outputs and taxonomy five has 7 classes"):
        load_segmenter(make_card(), tmp_path / "w.pth", 7, SegmentSettings())
    with pytest.raises(TaxonomyError, match=r"5 outputs \(1 of them dropped\) and taxonomy five has 5"):
        load_segmenter(make_card(drop_channels=(4,)), tmp_path / "w.pth", 5, SegmentSettings())
    assert load_segmenter(make_card(drop_channels=(4,)), tmp_path / "w.pth", 4, SegmentSettings()).num_classes == 4


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_no_damage_gives_another_error_than_ours(tmp_path: Path, kind: str) -> None:
    state, path = {"a": torch.arange(50.0).view(5, 10), "b": torch.ones(3)}, tmp_path / "w.bin"
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    whole, rng = path.read_bytes(), random.Random(0)
    refused = 0
    for number in range(150):
        damaged = bytearray(whole[: rng.randrange(len(whole))] if number % 3 == 0 else whole)
        for _ in range(number % 3):
            damaged[rng.randrange(min(len(damaged), 400))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            load_state_dict(path)
        except ModelError:
            refused += 1
    assert refused >= 50
