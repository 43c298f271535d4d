"""Networks of segmentation-models-pytorch and torchvision, by architecture and encoder, with the user's state dict."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from paintpipe.schemas.errors import MissingExtraError, ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.architectures import check_options
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.network import LoadRequest, Network, on_device
from paintpipe.stages.segment.weights import fit_state, load_state_dict, output_channels

_SMP = {"fpn": "FPN", "unet": "Unet", "pspnet": "PSPNet", "deeplabv3": "DeepLabV3", "deeplabv3plus": "DeepLabV3Plus"}
_TORCHVISION = ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101")
_FINAL_LAYERS = ("segmentation_head.0.weight", "classifier.4.weight")


def load_zoo(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """A network of the zoo with the user's weights; nothing is ever downloaded.

    Options `model` (FPN, Unet, PSPNet, DeepLabV3, DeepLabV3Plus with an `encoder`; or FCN_ResNet50 and its like of
    torchvision) and `encoder` (an encoder's name in segmentation-models-pytorch).

    Raises:
        MissingExtraError: the packages of the extra `zoo` are not installed.
        ModelError: no such model or encoder, or weights of another one.
    """
    check_options(card, ("model", "encoder"))
    model = str(card.architecture_options.get("model", "")).lower()
    encoder = card.architecture_options.get("encoder")
    if model not in _SMP and model not in _TORCHVISION:
        known = ", ".join([*_SMP.values(), *_TORCHVISION])
        raise ModelError(f"the zoo has no model {model!r}", where=card.name, expected=f"one of {known}")
    if (encoder is None) == (model in _SMP):
        raise ModelError(f"model {model} {'needs an' if model in _SMP else 'takes no'} encoder", where=card.name)
    state = load_state_dict(weights)
    outputs = output_channels(state, _FINAL_LAYERS) or request.num_outputs
    module, align_corners = _smp(model, str(encoder), outputs, card) if model in _SMP else _torchvision(model, outputs)
    fit_state(module, state, str(weights), ignored=("aux_classifier.",))
    module = on_device(module, request.device)
    return Network(module, replace(card, align_corners=align_corners), sha256_of(weights), outputs, module)


def _smp(model: str, encoder: str, outputs: int, card: ModelCard) -> tuple[nn.Module, bool]:
    """The network without its last resize, and how that resize would have placed corners."""
    try:
        import segmentation_models_pytorch as smp
    except ImportError as error:
        raise _missing("segmentation-models-pytorch") from error
    try:
        module: Any = getattr(smp, _SMP[model])(encoder, encoder_weights=None, classes=outputs)
    except KeyError as error:
        what = f"segmentation-models-pytorch has no encoder {encoder!r}"
        raise ModelError(what, where=card.name, todo="see its list of encoders (resnet34, mit_b0, …)") from error
    align_corners = bool(getattr(module.segmentation_head[1], "align_corners", False))
    module.segmentation_head[1] = nn.Identity()
    return module, align_corners


def _torchvision(model: str, outputs: int) -> tuple[nn.Module, bool]:
    try:
        from torchvision.models import segmentation
    except ImportError as error:
        raise _missing("torchvision") from error
    whole: Any = getattr(segmentation, model)(
        weights=None, weights_backbone=None, num_classes=outputs, aux_loss=False, progress=False
    )
    return _WithoutResize(whole), False


class _WithoutResize(nn.Module):
    """A torchvision segmentation network that stops before its last resize; names stay torchvision's."""

    def __init__(self, whole: Any) -> None:
        super().__init__()
        self.backbone: nn.Module = whole.backbone
        self.classifier: nn.Module = whole.classifier

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, C, H / 8, W / 8) logits."""
        logits: Tensor = self.classifier(self.backbone(images)["out"])
        return logits


def _missing(package: str) -> MissingExtraError:
    return MissingExtraError(f"networks of the zoo need {package}", todo='pip install "paintpipe[zoo]"')
