"""Forward passes by OpenVINO on the CPU, from a torch module or an ONNX file, all in memory."""

import sys
import warnings
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ConfigError, MissingExtraError, ModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.compiled import Run, Shape, Source
from paintpipe.stages.segment.network import OnnxProgram

_PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


def openvino() -> Any:
    """The library, with its telemetry out: on import it would otherwise write to the user's home and call its maker.

    Raises:
        MissingExtraError: it is not installed.
    """
    if "openvino" not in sys.modules:
        # An entry of None makes this import fail, and OpenVINO then takes its own stub.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError(
            "--backend openvino needs openvino", todo='pip install "paintpipe[openvino]"'
        ) from error
    return openvino


@cache
def core() -> Any:
    """OpenVINO's runtime, one for the whole life of the process.

    A Core gives the thread that first uses it a stack for signal handlers, and frees that memory with itself: once one
    was collected, the next Ctrl-C was a segmentation fault (2026.4).
    """
    return openvino().Core()


def check_openvino(settings: SegmentSettings) -> None:
    """Raises MissingExtraError or ConfigError where OpenVINO can't run with these settings."""
    openvino()
    if settings.device != "cpu":
        raise ConfigError("OpenVINO runs on the CPU here", expected="--device cpu, or --backend torch")
    if settings.precision == "bf16" and "BF16" not in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ConfigError("this CPU has no bfloat16 for OpenVINO", expected="--precision fp32")


def compile_openvino(source: Source, shape: Shape, settings: SegmentSettings) -> Run:
    """The network compiled for one input shape.

    Raises:
        ModelError: OpenVINO can't convert or compile it.
    """
    library = openvino()
    faults = _faults(library)
    try:
        model = _read(source) if isinstance(source, OnnxProgram) else _converted(source, shape)
        model.reshape(list(shape))
        compiled = core().compile_model(model, "CPU", _properties(settings))
        request = compiled.create_infer_request()
        leaving = compiled.output(source.leaving if isinstance(source, OnnxProgram) else 0)
    except faults as error:
        raise ModelError(f"OpenVINO can't run it ({_line(error)})", todo="--backend torch, or onnxruntime") from error

    def run(values: AnyArray) -> AnyArray:
        try:
            request.infer([values], share_inputs=True)
        except faults as error:
            raise RuntimeError(_line(error)) from error
        # The request's own memory is overwritten by the next image.
        return np.array(request.get_tensor(leaving).data, dtype=np.float32)

    return run


def _properties(settings: SegmentSettings) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": settings.threads,
        # Else a CPU that has bfloat16 would use it unasked.
        "INFERENCE_PRECISION_HINT": _PRECISIONS[settings.precision],
        # Else several worker processes would all sit on the first cores.
        "ENABLE_CPU_PINNING": False,
    }


def _converted(module: nn.Module, shape: Shape) -> Any:
    """An OpenVINO model by way of TorchScript; sizes that the module computes in Python become constants."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.inference_mode(), warnings.catch_warnings():
        # Constants taken for sizes are wanted here, and TorchScript is deprecated.
        warnings.simplefilter("ignore")
        traced = module
        if not isinstance(module, torch.jit.ScriptModule):
            traced = torch.jit.trace(module, (torch.zeros(shape),), check_trace=False)  # type: ignore[no-untyped-call]
        frontend, decoder = FrontEndManager().load_by_framework("pytorch"), TorchScriptPythonDecoder(traced)
        # The name keeps the decoder alive: conversion asks it for every node.
        return frontend.convert(frontend.load(decoder))


def _read(program: OnnxProgram) -> Any:
    return core().read_model(program.content, b"")


def _faults(library: Any) -> tuple[type[Exception], ...]:
    frontend = library.frontend
    return (
        RuntimeError,
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        frontend.OpConversionFailure,
        frontend.GeneralFailure,
        frontend.NotImplementedFailure,
        frontend.InitializationFailure,
        frontend.OpValidationFailure,
    )


def _line(error: BaseException) -> str:
    """The last line that says something; the first ones name OpenVINO's own source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:200]
