"""ONNX files, told what they mean by a model card; a backend runs them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from paintpipe.schemas.errors import MissingExtraError, ModelError
from paintpipe.schemas.model_card import ModelCard
from paintpipe.stages.segment.architectures import check_options
from paintpipe.stages.segment.archive import sha256_of
from paintpipe.stages.segment.network import LoadRequest, Network, OnnxProgram
from paintpipe.stages.segment.prepare import SizePx

_DTYPES = {"float": "float32", "float16": "float16"}


def load_onnx(card: ModelCard, weights: Path, request: LoadRequest) -> Network:
    """A program that takes (N, 3, h, w) and returns (N, C, h', w'); options `input_name` and `output_name`.

    A file with a fixed input size settles the card's, and one with a fixed batch is run image by image.

    Raises:
        MissingExtraError: onnx is not installed.
        ModelError: no ONNX file, one that names external data, or one without such an input or output.
    """
    check_options(card, ("input_name", "output_name"))
    content, graph = _checked(weights)
    initial = {each.name for each in graph.initializer}
    entries = [_port(each) for each in graph.input if each.name not in initial]
    entry = _named(entries, str(card.architecture_options.get("input_name", "")), "input", weights)
    leavings = [_port(each) for each in graph.output]
    leaving = _named(leavings, str(card.architecture_options.get("output_name", "")), "output", weights)
    if entry.dtype not in _DTYPES or len(entry.shape) != 4 or entry.shape[1] not in (3, None):
        what = f"input {entry.name} is {entry.dtype} {entry.shape}"
        raise ModelError(what, where=str(weights), expected="float (N, 3, height, width)")
    program = OnnxProgram(content, entry.name, leaving.name, _DTYPES[entry.dtype], entry.shape[0])
    outputs = leaving.shape[1] if len(leaving.shape) == 4 else None
    fixed = _fixed_size(card, entry.shape, weights)
    if fixed:
        card = replace(card, resize="fixed", input_size_px=fixed, multiple_px=1)
    return Network(
        _not_yet, card, sha256_of(weights), outputs, any_precision=False, fixed_input_px=fixed, program=program
    )


@dataclass(frozen=True)
class _Port:
    """An input or output of a graph; a side that may vary is None."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


def _port(value: Any) -> _Port:
    from onnx import TensorProto

    tensor = value.type.tensor_type
    sides = tuple(side.dim_value if side.dim_value > 0 else None for side in tensor.shape.dim)
    names = {number: name.lower() for name, number in TensorProto.DataType.items()}
    return _Port(value.name, names.get(tensor.elem_type, f"type {tensor.elem_type}"), sides)


def _not_yet(_: Tensor) -> Tensor:
    raise RuntimeError("an ONNX file runs once its backend is chosen")


def _checked(path: Path) -> tuple[bytes, Any]:
    """The file's bytes, once it is certain that they name no other file, and its graph."""
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("ONNX files need onnx", todo='pip install "paintpipe[onnx]"') from error
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
    return content, model.graph


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


def _named(ports: list[_Port], name: str, what: str, path: Path) -> _Port:
    if ports and not name and (len(ports) == 1 or what == "output"):
        return ports[0]
    found = next((port for port in ports if port.name == name), None)
    if found is None:
        names = ", ".join(port.name for port in ports)
        wanted = f"{what}_name {name!r}" if name else f"{what}_name"
        raise ModelError(f"the model has {what}s {names}", where=str(path), todo=f"name one as {wanted} in the card")
    return found


def _fixed_size(card: ModelCard, shape: tuple[int | None, ...], path: Path) -> SizePx | None:
    """The file's own (height, width), None where it takes any."""
    height, width = shape[2], shape[3]
    if height is None or width is None:
        return None
    if card.resize == "fixed" and card.input_size_px != (height, width):
        what = f"the card's input_size_px is {card.input_size_px} and the file's is {(height, width)}"
        raise ModelError(what, where=str(path))
    return height, width
