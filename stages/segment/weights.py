"""State dicts from files that must hold tensors alone, and fitting them to a network."""

import io
import re
import struct
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError  # only named in an except clause: nothing here unpickles by itself
from typing import Any

import torch
from torch import Tensor, nn

from paintpipe.schemas.errors import ModelError, UntrustedModelError
from paintpipe.stages.segment.archive import weights_kind
from paintpipe.stages.segment.trust import refuse_code

_WRAPPERS = ("bisenetv2", "state_dict", "model_state_dict", "model")
"""Keys under which published checkpoints keep their state dict."""
_PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""
_SHOWN = 3


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Name → tensor, on the CPU, from safetensors or a torch checkpoint (always `weights_only=True`).

    A state dict inside `{'state_dict': …}` and its like is taken out, and the prefix of DataParallel taken off.

    Raises:
        UntrustedModelError: the file holds code or objects, or is TorchScript or a torch.export program.
        ModelError: the file is absent, damaged, or holds no state dict.
    """
    path = Path(path)
    kind = weights_kind(path)
    refuse_code(path)
    if kind == "onnx":
        raise ModelError("an ONNX file holds no state dict", where=str(path), todo='use architecture = "onnx"')
    content = _read_safetensors(path) if kind == "safetensors" else _read_checkpoint(path, mapped=kind == "torch-zip")
    return _without_prefix(_unwrapped(content, str(path)))


def fit_state(network: nn.Module, state: Mapping[str, Tensor], where: str, ignored: Sequence[str] = ()) -> None:
    """Puts a state dict into a network, with no missing, no unexpected and no misshapen name.

    Args:
        network: changed in place.
        state: name → tensor.
        where: the file, for messages.
        ignored: prefixes of names that this network may leave out (auxiliary heads).

    Raises:
        ModelError: the weights are those of another architecture; a few names say which.
    """
    own = network.state_dict()
    # Counts of training steps; checkpoints older than torch 0.4.1 lack them, and inference never reads them.
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own and not name.startswith(tuple(ignored))]
    misshapen = [name for name in own if name in state and own[name].shape != state[name].shape]
    shapes = [f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}" for name in misshapen]
    faults = [("missing", missing), ("unexpected", unexpected), ("of another shape", shapes)]
    if missing or unexpected or misshapen:
        listed = "; ".join(f"{len(names)} {what}: {_some(names)}" for what, names in faults if names)
        raise ModelError(
            f"these weights are not those of this network ({listed})",
            where=where,
            todo="check the model, its options and the weights file",
        )
    network.load_state_dict({name: state[name] for name in own if name in state}, strict=False)


def output_channels(state: Mapping[str, Tensor], names: Sequence[str]) -> int | None:
    """The first dimension of the first of `names` that is in the state dict; None where none is."""
    return next((int(state[name].shape[0]) for name in names if name in state and state[name].ndim), None)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"damaged safetensors ({error})", where=str(path), todo="download the file again") from error


def _read_checkpoint(path: Path, *, mapped: bool) -> Any:
    try:
        # A damaged file of the old kind asks for gigabytes at once: from memory it gets no more than there is.
        source = path if mapped else io.BytesIO(path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # of a pickle's protocol, before the error that follows from it
            return torch.load(source, map_location="cpu", weights_only=True, mmap=mapped)
    except UnpicklingError as error:
        raise _refused(path, str(error)) from error
    except _DAMAGE as error:
        what = f"no checkpoint, or a damaged one ({type(error).__name__}: {_first_line(error)})"
        raise ModelError(what, where=str(path), todo="download the file again") from error


# What torch's reader raises on bytes that are no checkpoint: it trusts lengths and opcodes that it finds there.
_DAMAGE = (
    struct.error,
    RuntimeError,
    EOFError,
    OSError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    MemoryError,
)


def _refused(path: Path, message: str) -> ModelError:
    names = sorted(set(re.findall(r"GLOBAL ([\w.]+\w)", message)))
    if not names:
        return ModelError("no checkpoint, or a damaged one", where=str(path), todo="download the file again")
    return UntrustedModelError(
        f"the checkpoint holds code or objects besides tensors ({', '.join(names)}) and was not loaded",
        where=str(path),
        expected="a state dict of tensors, or safetensors",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:120]


def _unwrapped(content: Any, where: str) -> dict[str, Tensor]:
    while isinstance(content, Mapping):
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise ModelError("the checkpoint holds no state dict", where=where, expected="a mapping of names to tensors")
    strange = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        what = f"the checkpoint holds things that are no tensors: {_some(strange)}"
        raise ModelError(what, where=where, expected="a state dict, alone or under " + ", ".join(_WRAPPERS))
    return {str(name): value for name, value in content.items()}


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state
