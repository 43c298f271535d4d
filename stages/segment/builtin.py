"""Loading the two networks that are built in, from state dicts."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.architectures import check_options
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.bisenetv2 import BiSeNetV2
from paintpipe.stages.segment.espnetv2 import ESPNetv2
from paintpipe.stages.segment.network import LoadRequest, Network, on_device
from paintpipe.stages.segment.weights import fit_state, load_state_dict, output_channels


def load_bisenetv2(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """BiSeNet V2; options `width`, `head` and `head_channels`. Auxiliary heads in the file are left out."""
    check_options(card, ("width", "head", "head_channels"))
    shuffle = card.architecture_options.get("head") == "pixel-shuffle"
    final = "head.conv_out.0.weight" if shuffle else "head.conv_out.1.weight"
    # A pixel-shuffle head holds 8 × 8 pixels a class.
    return _from_state(card, weights, request, BiSeNetV2, final, per_class=64 if shuffle else 1)


def load_espnetv2(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """ESPNetv2; option `scale`."""
    check_options(card, ("scale",))
    return _from_state(card, weights, request, ESPNetv2, "bu_dec_l4.merge_layer.3.weight")


def _from_state(
    card: ModelCard,
    weights: Path,
    request: LoadRequest,
    build: Callable[..., nn.Module],
    final: str,
    per_class: int = 1,
) -> Network:
    """The network as wide at its end as the file says, so that a taxonomy that does not fit is told as such."""
    state = load_state_dict(weights)
    outputs = (output_channels(state, (final,)) or 0) // per_class or request.num_outputs
    try:
        module = build(n_classes=outputs, **card.architecture_options)
    except TypeError as error:
        raise ModelError(f"architecture_options make no sense ({error})", where=card.name) from error
    fit_state(module, state, str(weights), ignored=("aux",))
    module = on_device(module, request.device)
    return Network(module, card, sha256_of(weights), outputs, module)
