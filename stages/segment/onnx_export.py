"""A torch module as an ONNX program in memory, for one input shape."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, channel_shuffle, interpolate
from torch.overrides import TorchFunctionMode

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ModelError
from paintpipe.stages.segment.network import OnnxProgram

_OPSET = 17


def exported(module: nn.Module, shape: tuple[int, ...]) -> OnnxProgram:
    """The module for inputs of just this shape; sizes that it computes in Python become constants.

    Raises:
        ModelError: it holds something that torch can't say in ONNX.
    """
    buffer, zeros = io.BytesIO(), torch.zeros(shape)
    try:
        # The exporter warns of every size taken as a constant, which is wanted here.
        with warnings.catch_warnings(), _quiet(), _InOtherWords():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                (zeros,),
                buffer,  # type: ignore[arg-type]  # torch's stubs leave out that a buffer will do
                input_names=["image"],
                output_names=["scores"],
                opset_version=_OPSET,
                dynamo=False,
            )
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError) as error:
        line = (str(error).splitlines() or [""])[0][:200]
        raise ModelError(f"torch can't export it to ONNX ({line})", todo="--backend torch, or openvino") from error
    return OnnxProgram(buffer.getvalue(), "image", "scores")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Sends file descriptor 1 nowhere: where it fails, the exporter writes the whole graph there, past `sys.stdout`."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # a service without standard output
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class _InOtherWords(TorchFunctionMode):
    """Says what ONNX has no operator for in operators that it has."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Called by torch for every function of its own."""
        return _WORDS.get(func, func)(*args, **(kwargs or {}))


def _pooled(input: Tensor, output_size: Any) -> Tensor:  # noqa: A002 - torch's own name
    """Adaptive average pooling; as two matrix products where its windows differ in size."""
    sizes = (output_size, output_size) if isinstance(output_size, int) else output_size
    have = (int(input.shape[-2]), int(input.shape[-1]))
    want = [whole if part is None else int(part) for part, whole in zip(sizes, have, strict=True)]
    if all(whole % part == 0 for part, whole in zip(want, have, strict=True)):
        return adaptive_avg_pool2d(input, (want[0], want[1]))
    rows, columns = (_windows(whole, part) for whole, part in zip(have, want, strict=True))
    return torch.from_numpy(rows) @ (input @ torch.from_numpy(columns.T.copy()))


def _resized(input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", **more: Any) -> Tensor:  # noqa: A002
    """Interpolation, whose mode `area` is adaptive average pooling."""
    if mode == "area" and size is not None:
        return _pooled(input, size)
    return interpolate(input, size, scale_factor, mode, **more)


def _windows(whole: int, parts: int) -> Float32:
    """(parts, whole) weights: row i is the mean over floor(i · whole / parts) to ceil((i + 1) · whole / parts).

    In numpy, so that the tracer sees a constant.
    """
    weights = np.zeros((parts, whole), np.float32)
    for part in range(parts):
        first, last = part * whole // parts, -(-(part + 1) * whole // parts)
        weights[part, first:last] = 1.0 / (last - first)
    return weights


def _shuffled(input: Tensor, groups: int) -> Tensor:  # noqa: A002 - torch's own name
    """Channel shuffle."""
    images, channels, height, width = (int(side) for side in input.shape)
    apart = input.reshape(images, groups, channels // groups, height, width)
    return apart.transpose(1, 2).reshape(images, channels, height, width)


_WORDS: dict[Callable[..., Any], Callable[..., Any]] = {
    adaptive_avg_pool2d: _pooled,
    channel_shuffle: _shuffled,
    interpolate: _resized,
    torch.channel_shuffle: _shuffled,
}
