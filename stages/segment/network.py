"""What every architecture becomes once it is loaded: a function from images to scores."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.device import enough_memory
from paintpipe.stages.segment.prepare import SizePx


@dataclass(frozen=True)
class OnnxProgram:
    """An ONNX file in memory, known to name no other file.

    Attributes:
        content: its bytes.
        entry, leaving: names of the image input and of the scores.
        dtype: of the input, a numpy name.
        batch: the only number of images that it takes, None where it takes any.
    """

    content: bytes
    entry: str
    leaving: str
    dtype: str = "float32"
    batch: int | None = None


@dataclass(frozen=True)
class Network:
    """A loaded network.

    Attributes:
        forward: (N, 3, h, w) float32 on the network's device → (N, C, h', w') scores on its own grid.
        card: the card, with what the weights themselves settle (an image processor's settings, a fixed input size).
        weights_sha256: of the weights.
        num_outputs: C, None where only a run can tell.
        module: the torch module of it, None where there is none.
        program: the ONNX file that it is, None where it is none; `forward` works once a backend is chosen.
        any_precision: whether autocast may lower the precision.
        fixed_input_px: the only (height, width) that it takes, None where it takes several.
        resized_px: image size → size before padding, where its own rule is none that a card can say.
    """

    forward: Callable[[Tensor], Tensor]
    card: ModelCard
    weights_sha256: str
    num_outputs: int | None = None
    module: nn.Module | None = None
    any_precision: bool = True
    fixed_input_px: SizePx | None = None
    resized_px: Callable[[SizePx], SizePx] | None = None
    program: OnnxProgram | None = None


@dataclass(frozen=True)
class LoadRequest:
    """What a loader may need besides the card.

    Attributes:
        num_outputs: output channels that the taxonomy and the dropped channels call for.
        device: `cpu` or `cuda:N`.
        threads: CPU threads.
        trust_sha256: of a file that may run code, "" for none.
    """

    num_outputs: int
    device: str = "cpu"
    threads: int = 2
    trust_sha256: str = ""


def on_device(module: nn.Module, device: str) -> nn.Module:
    """The module ready to run: no dropout, no gradients, on its device, channels last (a third faster on CPUs here)."""
    return module.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def run_network(network: Network, batch: Tensor) -> Tensor:
    """(N, 3, h, w) → (N, C, h', w') float32; raises ModelError where the network fails or returns something else."""
    try:
        with enough_memory():
            scores = network.forward(batch.contiguous(memory_format=torch.channels_last))
    except RuntimeError as error:
        line = (str(error).splitlines() or [""])[0][:200]
        raise ModelError(
            f"the network failed on input {tuple(batch.shape)} ({line})", where=network.card.name
        ) from error
    if not isinstance(scores, Tensor) or scores.ndim != 4 or not scores.is_floating_point():
        got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ModelError(f"the network returned {got}", where=network.card.name, expected="(N, C, h, w) scores")
    return scores.float()
