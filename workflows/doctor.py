"""`paintpipe doctor`: what this machine has, and what is missing for which feature."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

from paintpipe import __version__
from paintpipe.pipeline.machine import hardware, versions

CORE = (
    ("numpy", "numpy"),
    ("torch", "torch"),
    ("dask", "dask"),
    ("zarr", "zarr"),
    ("pyarrow", "pyarrow"),
    ("numba", "numba"),
    ("opencv-python-headless", "cv2"),
    ("nuscenes-devkit", "nuscenes"),
    ("click", "click"),
    ("tqdm", "tqdm"),
)
EXTRAS = (
    ("onnxruntime", "onnxruntime", "onnx", "ONNX networks, and --backend onnxruntime"),
    ("openvino", "openvino", "openvino", "--backend openvino, the fastest on a CPU"),
    ("segmentation-models-pytorch", "segmentation_models_pytorch", "zoo", "FPN, U-Net, PSPNet, DeepLabV3(+) networks"),
    ("torchvision", "torchvision", "zoo", "torchvision's FCN and DeepLabV3 networks"),
    ("transformers", "transformers", "hf", "SegFormer, Mask2Former and other transformers networks"),
    ("xarray", "xarray", "xarray", "opening the painted store with xarray (paintpipe itself does not need it)"),
)
ROOMY_GIB = 10.0


@dataclass(frozen=True)
class Health:
    """What doctor found: section → lines, each begun by its state, such as `ok` or `MISSING`."""

    sections: dict[str, list[str]]

    def text(self) -> str:
        """The report that the command prints."""
        sections = self.sections.items()
        return "\n".join(line for title, lines in sections for line in (title, *(f"  {line}" for line in lines)))

    def to_json(self) -> dict[str, Any]:
        """Each line as its state and what is said, and the machine as run reports have it."""
        about, *others = self.sections.items()
        checks = [
            {"section": section, "state": line[:8].strip().lower(), "what": line[8:].strip()}
            for section, lines in others
            for line in lines
        ]
        return {"about": about[1][0], "checks": checks, "versions": versions(), "hardware": hardware()}


def doctor(workspace: Path) -> Health:
    """A report in sections, each missing thing with the command that mends it."""
    sections = {
        "paintpipe": [f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"],
        "packages": [_package(name, module) for name, module in CORE],
        "extras": [_extra(*extra) for extra in EXTRAS],
        "devices": [*_devices(), _backends()],
        "space": _space(workspace),
        "workspace": _workspace(workspace),
    }
    return Health(sections)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _package(name: str, module: str) -> str:
    version = _version(name)
    if version is None and util.find_spec(module) is not None:
        return f"ok       {name} (another build of {module})"
    return f"ok       {name} {version}" if version else f"MISSING  {name}: pip install --upgrade paintpipe"


def _extra(name: str, module: str, extra: str, feature: str) -> str:
    if util.find_spec(module) is not None:
        return f"ok       {name} {_version(name) or ''}: {feature}"
    return f"absent   {name}: needed for {feature}; pip install 'paintpipe[{extra}]'"


def _devices() -> list[str]:
    import torch

    lines = [f"ok       cpu: {os.cpu_count()} cores, {torch.get_num_threads()} torch threads"]
    if not torch.cuda.is_available():
        built = torch.version.cuda
        why = f"torch is built for CUDA {built}, but no driver answers" if built else "this torch is built for the CPU"
        return [*lines, f"absent   cuda: {why}; `nvidia-smi` shows the driver, pytorch.org the build that fits it"]
    for index in range(torch.cuda.device_count()):
        found = torch.cuda.get_device_properties(index)
        lines.append(f"ok       cuda:{index}: {found.name}, {found.total_memory / 2**30:.0f} GiB")
    return lines


def _backends() -> str:
    from paintpipe.stages.segment.backends import PREFERENCE

    here = [name for name in PREFERENCE if util.find_spec(name) is not None]
    return f"ok       backends on the cpu: {', '.join(here)}; --backend auto takes the first that agrees with torch"


def _space(workspace: Path) -> list[str]:
    folder = workspace.resolve()
    while not folder.exists():
        folder = folder.parent
    free_gib = shutil.disk_usage(folder).free / 2**30
    state = "ok      " if free_gib > ROOMY_GIB else "LOW     "
    lines = [f"{state} {free_gib:.0f} GiB free at {folder} (a KITTI frame takes about 2.5 MB painted, points included)"]
    return lines if os.access(folder, os.W_OK) else [*lines, f"READONLY {folder}: choose another --workspace"]


def _workspace(workspace: Path) -> list[str]:
    from paintpipe.schemas.errors import PaintpipeError
    from paintpipe.workflows.catalog import open_catalog

    try:
        info = open_catalog(workspace / "catalog").info
    except PaintpipeError as error:
        return [f"absent   {error.line()}"]
    present = "ok      " if Path(info.root).is_dir() else "MISSING "
    return [f"{present} {info.dataset} {info.version}: {info.counts['frames']} frames, root {info.root}"]
