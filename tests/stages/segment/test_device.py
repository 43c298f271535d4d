"""Device names."""

import pytest
import torch

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.segment.device import resolve_device


def _pretend(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"Card {number}")


def test_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, 0)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(ConfigError, match=r"no device cuda:0; expected one of cpu$"):
        resolve_device("cuda:0")


def test_with_two(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend(monkeypatch, 2)
    assert resolve_device("auto") == resolve_device("cuda") == "cuda:0"
    assert resolve_device("cuda:1") == "cuda:1"
    with pytest.raises(
        ConfigError, match=r"no device cuda:2; expected one of cpu, cuda:0 \(Card 0\), cuda:1 \(Card 1\)"
    ):
        resolve_device("cuda:2")


@pytest.mark.parametrize("wanted", ["gpu", "cuda:-1", "cuda:x", "", "mps"])
def test_words_that_name_no_device(wanted: str) -> None:
    with pytest.raises(ConfigError, match="unknown device"):
        resolve_device(wanted)
