"""What a run ran on: versions of packages and the machine, told without importing anything heavy."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = (
    "paintpipe",
    "torch",
    "numpy",
    "zarr",
    "numcodecs",
    "pyarrow",
    "numba",
    "opencv-python-headless",
    "onnxruntime",
    "openvino",
    "dask",
    "distributed",
    "obstore",
)


def versions() -> dict[str, str]:
    """Of Python and the packages that matter, as installed; those that are not there are left out."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an extra that is absent, paintpipe run from its sources, or another build under another name
    return found


def hardware() -> dict[str, Any]:
    """Host, processor, cores of the machine and those allowed to this process, memory in bytes, names of GPUs."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "cpus": os.cpu_count(),
        "cpus_usable": usable,
        "memory_bytes": _memory_bytes(),
        "gpus": gpu_names(),
    }


def gpu_names() -> list[str]:
    """GPUs as the driver lists them; where it keeps no list (a container), those of a torch that uses them already."""
    found = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    names = [name for path in found for name in _fields(path, "Model")]
    torch = sys.modules.get("torch")
    if names or torch is None or not torch.cuda.is_initialized():
        return names
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _cpu_name() -> str:
    return next(iter(_fields(Path("/proc/cpuinfo"), "model name")), "") or platform.processor()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _fields(path: Path, key: str) -> list[str]:
    """The values of a key in a file of `key : value` lines, [] where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for name, _, value in pairs if name.strip() == key]
