"""Forward passes by onnxruntime, from an ONNX file or from a torch module exported in memory."""

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from torch import nn

from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import ConfigError, MissingExtraError, ModelError
from paintpipe.schemas.settings import SegmentSettings
from paintpipe.stages.segment.compiled import Run, Shape, Source
from paintpipe.stages.segment.network import OnnxProgram
from paintpipe.stages.segment.onnx_export import exported


def check_onnxruntime(settings: SegmentSettings) -> None:
    """Raises MissingExtraError or ConfigError where onnxruntime can't run with these settings."""
    try:
        import onnx  # noqa: F401 - torch's exporter needs it
        import onnxruntime  # noqa: F401
    except ImportError as error:
        what = "--backend onnxruntime needs onnx and onnxruntime"
        raise MissingExtraError(what, todo='pip install "paintpipe[onnx]"') from error
    if settings.precision != "fp32":
        raise ConfigError("onnxruntime keeps float32", expected="--precision fp32")
    _providers(settings.device)


def compile_onnxruntime(source: Source, shape: Shape, settings: SegmentSettings) -> Run:
    """A session; of a torch module, for one input shape.

    Raises:
        ModelError: torch can't export it, or onnxruntime can't run it.
        ConfigError: onnxruntime has no provider for the device.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as faults

    program = exported(source, shape) if isinstance(source, nn.Module) else source
    session = _session(program, settings)

    def run(values: AnyArray) -> AnyArray:
        try:
            result: AnyArray = session.run([program.leaving], {program.entry: values})[0]
        except (faults.Fail, faults.InvalidArgument, faults.RuntimeException) as error:
            raise RuntimeError(str(error)) from error
        return result

    return run


def _session(program: OnnxProgram, settings: SegmentSettings) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as faults

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = settings.threads, 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    # Threads that wait busily would take the cores from decoding and writing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # What it can't load it tells on standard output, tries once more in the same way, and only then raises.
        with redirect_stdout(StringIO()):
            return onnxruntime.InferenceSession(program.content, options, providers=_providers(settings.device))
    except UnicodeDecodeError as error:  # its own message, quoting the file
        raise ModelError("onnxruntime can't run it (a name in the file is no UTF-8)") from error
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
        raise ModelError(f"onnxruntime can't run it ({line})") from error


def _providers(device: str) -> list[Any]:
    import onnxruntime

    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ConfigError(f"this onnxruntime can't use {device}", todo="pip install onnxruntime-gpu, or --device cpu")
    return [("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0)}), "CPUExecutionProvider"]
