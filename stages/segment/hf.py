"""Semantic segmentation networks of transformers, with their own image processor's settings."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from paintpipe.schemas.errors import MissingExtraError, ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.architectures import check_options
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.hf_processor import card_with_processor, edge_rule
from paintpipe.stages.segment.network import LoadRequest, Network, on_device

_MASK_MODELS = ("mask2former", "maskformer")
_FILES = ("*.safetensors", "*.json")


def load_hf(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """A network from a local folder, or from the local cache of a hub model that was fetched before.

    Options `model` (folder or hub name; a folder given as weights goes first) and `revision`. Code in the folder is
    never run, weights are safetensors only, and the image processor's settings replace those of the card.

    Raises:
        MissingExtraError: transformers is not installed.
        ModelError: no such folder or fetched model, no safetensors, or no semantic segmentation network.
    """
    check_options(card, ("model", "revision"))
    transformers = _transformers()
    folder = weights if weights.is_dir() else _snapshot(card, str(weights), offline=True)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError("the folder holds no safetensors", where=str(folder), todo="save it with save_pretrained")
    module, masks, outputs = _module(transformers, folder)
    settings = _processor(transformers, folder)
    card = card_with_processor(
        replace(card, align_corners=False, output="probabilities" if masks else "logits"), settings
    )
    network = on_device(_MaskScores(module) if masks else _Logits(module), request.device)
    return Network(network, card, _sha256(files), outputs, network, resized_px=edge_rule(settings))


def fetch_snapshot(card: ModelCard) -> Path:
    """The folder of a hub model, downloaded to the hub's own cache: safetensors and JSON, nothing that runs.

    Raises:
        ModelError: the card names no hub model, or it can't be had.
    """
    return _snapshot(card, str(card.architecture_options.get("model", "")), offline=False)


class _Logits(nn.Module):
    """A network that returns logits per pixel."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, C, h, w) logits."""
        logits: Tensor = self.module(pixel_values=images).logits
        return logits


class _MaskScores(nn.Module):
    """A network that returns masks and a class for each: their products are summed and made to sum to 1.

    Inference of Cheng et al., arXiv 2107.06278, section 3.4: Σ over queries of p(class) · mask, without "no object".
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, C, h, w) probabilities."""
        out = self.module(pixel_values=images)
        classes = out.class_queries_logits.float().softmax(dim=-1)[..., :-1]
        scores = torch.einsum("nqc,nqhw->nchw", classes, out.masks_queries_logits.float().sigmoid())
        result: Tensor = scores / scores.sum(dim=1, keepdim=True).clamp_min(1e-12)
        return result


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("networks of transformers need it", todo='pip install "paintpipe[hf]"') from error
    return transformers


def _snapshot(card: ModelCard, name: str, *, offline: bool) -> Path:
    _transformers()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    revision = card.architecture_options.get("revision")
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_FILES), local_files_only=offline))
    except HFValidationError as error:
        raise ModelError(f"{name!r} is no folder and no hub name", where=card.name, expected="owner/model") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        todo = f"run `paintpipe models fetch {card.name}`" if offline else "check the name and the network"
        raise ModelError(f"the hub model {name} can't be had here", where=card.name, todo=todo) from error


def _module(transformers: Any, folder: Path) -> tuple[nn.Module, bool, int]:
    """The network, whether it returns masks, and its number of classes."""
    try:
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        masks = config.model_type in _MASK_MODELS
        if hasattr(config, "use_pretrained_backbone"):
            config.use_pretrained_backbone = False  # else the backbone's own weights would be downloaded first
        kind = (
            transformers.AutoModelForUniversalSegmentation if masks else transformers.AutoModelForSemanticSegmentation
        )
        module, report = kind.from_pretrained(
            folder,
            config=config,
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        line = (str(error).strip().splitlines() or [""])[0][:200]
        what = f"transformers can't load a semantic segmentation network from it ({line})"
        raise ModelError(what, where=str(folder)) from error
    missing = [str(name) for name in (*report["missing_keys"], *report["mismatched_keys"])]
    if missing:
        what = f"the weights lack or misfit {len(missing)} of the network's parts: {', '.join(sorted(missing)[:3])}"
        raise ModelError(what, where=str(folder))
    return module.float(), masks, int(config.num_labels)


def _processor(transformers: Any, folder: Path) -> dict[str, Any]:
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            "the folder has no image processor's settings", where=str(folder), expected="preprocessor_config.json"
        ) from error
    settings: dict[str, Any] = processor.to_dict()
    return settings


def _sha256(files: list[Path]) -> str:
    """Of the one file, or of the list of digests where the weights are split."""
    digests = [sha256_of(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()
