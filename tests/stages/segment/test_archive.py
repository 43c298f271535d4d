"""What a weights file would become in memory, told before any of it is unpacked."""

import os
import zipfile
from pathlib import Path

import pytest
import torch

from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.archive import weights_kind
from paintpipe.stages.segment.weights import load_state_dict


def _repacked(path: Path, method: int, **changed: bytes) -> Path:
    """The same archive with another compression, and some members' bytes replaced."""
    target = path.with_name("repacked.pth")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", method) as archive:
        for name in source.namelist():
            archive.writestr(name, changed.get(name.rpartition("/")[2].replace(".", "_"), source.read(name)))
    return target


def _checkpoint(folder: Path, values: torch.Tensor) -> Path:
    torch.save({"a": values}, folder / "w.pth")
    return folder / "w.pth"


def test_a_checkpoint_as_torch_writes_it_passes(tmp_path: Path) -> None:
    assert weights_kind(_checkpoint(tmp_path, torch.zeros(1_000_000))) == "torch-zip"


def test_a_deflated_checkpoint_that_hardly_shrinks_passes(tmp_path: Path) -> None:
    path = _repacked(_checkpoint(tmp_path, torch.randn(50_000)), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 4 * 200_000
    assert weights_kind(path) == "torch-zip"


def test_a_checkpoint_that_inflates_is_refused_before_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _repacked(_checkpoint(tmp_path, torch.zeros(1_000_000)), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 20_000

    def never(*_: object, **__: object) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr(torch, "load", never)
    with pytest.raises(ModelError, match=r"repacked\.pth: the checkpoint would unpack to 40\d+ bytes"):
        load_state_dict(path)


def test_a_pickle_of_more_than_64_megabytes_is_refused(tmp_path: Path) -> None:
    # Random bytes beside it keep the whole below four times the file's size: the pickle alone is at fault.
    path = _checkpoint(tmp_path, torch.frombuffer(bytearray(os.urandom(23_000_000)), dtype=torch.uint8))
    assert weights_kind(_repacked(path, zipfile.ZIP_DEFLATED, data_pkl=bytes(64 << 20))) == "torch-zip"
    with pytest.raises(ModelError, match="67108865 of them a pickle"):
        weights_kind(_repacked(path, zipfile.ZIP_DEFLATED, data_pkl=bytes((64 << 20) + 1)))
