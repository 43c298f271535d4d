"""TorchScript and torch.export programs: only with the user's word for their exact bytes."""

import io
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

from paintpipe.schemas.errors import ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.architectures import check_options
from paintpipe.stages.segment.network import LoadRequest, Network
from paintpipe.stages.segment.trust import read_trusted


def load_torchscript(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """A TorchScript module that takes (N, 3, h, w) and returns (N, C, h', w'); raises as `read_trusted` does."""
    check_options(card, ())
    content = read_trusted(weights, request.trust_sha256)
    try:
        with warnings.catch_warnings():
            # torch has deprecated the format; people still hold files in it.
            warnings.simplefilter("ignore", FutureWarning)
            module = torch.jit.load(io.BytesIO(content), map_location=request.device)  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise _unreadable("TorchScript", weights, error) from error
    module.eval()
    return Network(module, card, request.trust_sha256.strip().lower(), module=module)


def load_exported(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """A torch.export program that takes (N, 3, h, w) and returns (N, C, h', w'); raises as `read_trusted` does."""
    check_options(card, ())
    content = read_trusted(weights, request.trust_sha256)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ModelError("no torch.export file, or a damaged one (not a zip archive)", where=str(weights))
    try:
        module: nn.Module = torch.export.load(io.BytesIO(content)).module()
    except (RuntimeError, ValueError, KeyError, AssertionError, AttributeError, TypeError) as error:
        raise _unreadable("torch.export", weights, error) from error
    module = module.to(request.device)
    return Network(module, card, request.trust_sha256.strip().lower(), module=module)


def _unreadable(kind: str, weights: Path, error: BaseException) -> ModelError:
    line = (str(error).splitlines() or [""])[0][:160]
    return ModelError(f"no {kind} file, or a damaged one ({type(error).__name__}: {line})", where=str(weights))
