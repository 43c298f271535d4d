"""A network's model card: all that must be known to run its weights right."""

from dataclasses import dataclass, field
from typing import Any, Literal

ResizePolicy = Literal["multiple", "fixed", "pad"]
ChannelOrder = Literal["rgb", "bgr"]
OutputKind = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class ModelCard:
    """How to build, feed and read one network.

    Attributes:
        name: as users type it.
        architecture: key of the architecture table (`bisenetv2`, `espnetv2`, `onnx`, `torch-export`, `torchscript`,
            `zoo`, `hf`).
        architecture_options: what the architecture needs to be built (scale, encoder name).
        taxonomy: name of the taxonomy of its output channels, in order.
        weights: file name beside the card, or of the published file; "" where the user must give one.
        weights_sha256: of the published file, "" where unknown.
        url: where `paintpipe models fetch` gets the weights, "" where nowhere.
        drop_channels: output channels that the taxonomy does not name and that are cut off before the soft-max.
        input_scale: factor on 0 … 255 pixels before mean and std.
        mean, std: per channel in `channel_order`, applied after `input_scale`.
        resize: `multiple` rounds width and height down to multiples of `multiple_px`; `fixed` uses `input_size_px`;
            `pad` adds zeros at the right and bottom up to a multiple.
        input_size_px: (height, width) for `fixed`; a default that `--input-size` overrides.
        stride_px: image pixels per step of the native output grid.
        align_corners: of the network's last bilinear resize.
        output: what the channels hold.
        licence, source, trained_on, notes: shown by `paintpipe models`.
    """

    name: str
    architecture: str
    taxonomy: str
    architecture_options: dict[str, Any] = field(default_factory=dict)
    weights: str = ""
    weights_sha256: str = ""
    url: str = ""
    drop_channels: tuple[int, ...] = ()
    input_scale: float = 1.0 / 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    channel_order: ChannelOrder = "rgb"
    resize: ResizePolicy = "multiple"
    multiple_px: int = 32
    input_size_px: tuple[int, int] | None = None
    stride_px: int = 8
    align_corners: bool = False
    output: OutputKind = "logits"
    licence: str = ""
    source: str = ""
    trained_on: str = ""
    notes: str = ""
