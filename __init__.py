"""paintpipe: paint LiDAR points with image segmentation, in bulk."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paintpipe.workflows.api import PaintedStore as PaintedStore
    from paintpipe.workflows.api import open_painted as open_painted

__version__ = "0.1.0"
__all__ = ["PaintedStore", "__version__", "open_painted"]


def __getattr__(name: str) -> Any:
    """Hand on the public API late, so that `import paintpipe` stays light."""
    if name in {"open_painted", "PaintedStore"}:
        return getattr(import_module("paintpipe.workflows.api"), name)
    raise AttributeError(f"module 'paintpipe' has no attribute {name!r}")
