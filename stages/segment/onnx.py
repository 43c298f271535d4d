"""ONNX files through onnxruntime, told what they mean by a model card."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ConfigError, MissingExtraError, ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.architectures import check_options
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.network import LoadRequest, Network
from paintpipe.stages.segment.prepare import SizePx

_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def load_onnx(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """A session that takes (N, 3, h, w) and returns (N, C, h', w'); options `input_name` and `output_name`.

    A file with a fixed input size settles the card's, and one with a fixed batch is run image by image.

    Raises:
        MissingExtraError: onnx or onnxruntime is not installed.
        ModelError: no ONNX file, one that names external data, or one without such an input or output.
        ConfigError: onnxruntime has no provider for the device.
    """
    check_options(card, ("input_name", "output_name"))
    content = _checked_bytes(weights)
    session = _session(content, weights, request)
    entry = _named(session.get_inputs(), str(card.architecture_options.get("input_name", "")), "input", weights)
    leaving = _named(session.get_outputs(), str(card.architecture_options.get("output_name", "")), "output", weights)
    if entry.type not in _DTYPES or len(entry.shape) != 4 or _whole(entry.shape[1]) not in (3, None):
        what = f"input {entry.name} is {entry.type} {entry.shape}"
        raise ModelError(what, where=str(weights), expected="float (N, 3, height, width)")
    runner = _Runner(session, entry.name, leaving.name, _DTYPES[entry.type], _whole(entry.shape[0]))
    outputs = _whole(leaving.shape[1]) if len(leaving.shape) == 4 else None
    fixed = _fixed_size(card, entry.shape, weights)
    if fixed:
        card = replace(card, resize="fixed", input_size_px=fixed, multiple_px=1)
    return Network(runner, card, sha256_of(weights), outputs, any_precision=False, fixed_input_px=fixed)


class _Runner:
    """Feeds a session with torch tensors."""

    def __init__(self, session: Any, entry: str, leaving: str, dtype: type, batch: int | None) -> None:
        self._session, self._entry, self._leaving, self._dtype, self._batch = session, entry, leaving, dtype, batch

    def __call__(self, images: Tensor) -> Tensor:
        values: AnyArray = np.ascontiguousarray(images.cpu().numpy(), dtype=self._dtype)
        step = self._batch or len(values)
        if len(values) % step:
            raise ConfigError(f"the ONNX file takes {step} images at a time", expected=f"--batch-size {step}")
        parts = [self._run(values[start : start + step]) for start in range(0, len(values), step)]
        return torch.from_numpy(np.concatenate(parts)).to(images.device)

    def _run(self, values: AnyArray) -> AnyArray:
        from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

        try:
            result: AnyArray = self._session.run([self._leaving], {self._entry: values})[0]
        except (Fail, InvalidArgument, RuntimeException) as error:
            raise RuntimeError(str(error)) from error
        return result


def _checked_bytes(path: Path) -> bytes:
    """The file's bytes, once it is certain that they name no other file."""
    try:
        import onnx
        import onnxruntime  # noqa: F401 - both are needed: say so before anything is read
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("ONNX files need onnx and onnxruntime", todo='pip install "paintpipe[onnx]"') from error
    try:
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
    except OSError as error:
        raise ModelError(f"the weights can't be read ({error.strerror})", where=str(path)) from error
    except DecodeError as error:
        raise ModelError("no ONNX file, or a damaged one", where=str(path)) from error
    outside = sorted({tensor.name or "?" for tensor in _tensors(model) if _is_external(tensor)})
    if outside:
        what = f"the model keeps data in other files ({', '.join(outside[:3])}), which is not allowed"
        todo = "save it as one file: onnx.save(model, path, save_as_external_data=False)"
        raise ModelError(what, where=str(path), todo=todo)
    return content


def _is_external(tensor: Any) -> bool:
    return bool(tensor.data_location == tensor.EXTERNAL or tensor.external_data)


def _tensors(message: Any) -> Iterator[Any]:
    """Every tensor anywhere in a protobuf message: initialisers, attributes, subgraphs, functions, sparse parts."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if not hasattr(value, "DESCRIPTOR") else (value,):
                yield from _tensors(part)


def _session(content: bytes, path: Path, request: LoadRequest) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as faults

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = request.threads, 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=_providers(request.device))
    except (
        faults.Fail,
        faults.InvalidGraph,
        faults.InvalidProtobuf,
        faults.InvalidArgument,
        faults.NotImplemented,
        faults.RuntimeException,
        faults.NoSuchFile,
    ) as error:
        line = (str(error).splitlines() or [""])[0][:200]
        raise ModelError(f"onnxruntime can't run it ({line})", where=str(path)) from error


def _providers(device: str) -> list[Any]:
    import onnxruntime

    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ConfigError(f"this onnxruntime can't use {device}", todo="pip install onnxruntime-gpu, or --device cpu")
    return [("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0)}), "CPUExecutionProvider"]


def _named(ports: list[Any], name: str, what: str, path: Path) -> Any:
    if not name and (len(ports) == 1 or what == "output"):
        return ports[0]
    found = next((port for port in ports if port.name == name), None)
    if found is None:
        names = ", ".join(port.name for port in ports)
        wanted = f"{what}_name {name!r}" if name else f"{what}_name"
        raise ModelError(f"the model has {what}s {names}", where=str(path), todo=f"name one as {wanted} in the card")
    return found


def _fixed_size(card: ModelCard, shape: list[Any], path: Path) -> SizePx | None:
    """The file's own (height, width), None where it takes any."""
    height, width = _whole(shape[2]), _whole(shape[3])
    if height is None or width is None:
        return None
    if card.resize == "fixed" and card.input_size_px != (height, width):
        what = f"the card's input_size_px is {card.input_size_px} and the file's is {(height, width)}"
        raise ModelError(what, where=str(path))
    return height, width


def _whole(side: Any) -> int | None:
    return side if isinstance(side, int) and side > 0 else None
