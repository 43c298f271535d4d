"""paintpipe: paint LiDAR points with image segmentation, in bulk."""

from importlib import import_module

TYPE_CHECKING = False  # as type checkers know it: importing `typing` would keep Ctrl-C unhandled for longer
if TYPE_CHECKING:
    from typing import Any

    from paintpipe.workflows.api import PaintedStore as PaintedStore
    from paintpipe.workflows.api import open_painted as open_painted
    from paintpipe.workflows.api_dataset import PaintedDataset as PaintedDataset
    from paintpipe.workflows.api_dataset import collate_points as collate_points

__version__ = "0.1.0"
__all__ = ["PaintedDataset", "PaintedStore", "__version__", "collate_points", "open_painted"]
_LATE = {
    "open_painted": "paintpipe.workflows.api",
    "PaintedStore": "paintpipe.workflows.api",
    "PaintedDataset": "paintpipe.workflows.api_dataset",
    "collate_points": "paintpipe.workflows.api_dataset",
}


def __getattr__(name: str) -> "Any":
    """Hand on the public API late, so that `import paintpipe` stays light."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'paintpipe' has no attribute {name!r}")
