"""Reading the nodes of a painted zarr store, each opened once."""

from collections.abc import Callable
from math import prod
from typing import Any, TypeVar

from paintpipe.pipeline.folders.folder import Folder
from paintpipe.pipeline.memo import Memo
from paintpipe.pipeline.seal import unsealed
from paintpipe.pipeline.store import LayerTable, SequenceTable, layer_target
from paintpipe.pipeline.zarr_nodes import ARRAYS, COORDS
from paintpipe.schemas.arrays import AnyArray
from paintpipe.schemas.errors import StoreError, WorkspaceError
from paintpipe.schemas.painted import ArraySpec

T = TypeVar("T")

_MOST_BYTES = 1 << 30
"""Of one frame of an array, and of a table: four million points with 128 float16 scores."""
_TABLES = ("frame_id", "num_points", "timestamp_us", "global_SE3_lidar", "feature")


class ZarrReader:
    """Opened arrays and tables of one store; safe for several threads.

    Args:
        root: the `painted.zarr` folder; it need not exist yet.
    """

    def __init__(self, root: Folder) -> None:
        self.root = root
        self._known = Memo()

    def forget(self) -> None:
        """Open everything anew from now on, since something was deleted."""
        self._known.forget()

    def array(self, path: str) -> Any:
        """The zarr array at `path`; raises StoreError."""

        def opened() -> Any:
            import zarr

            return zarr.open_array(self.root.zarr_store(), path=path, mode="r", zarr_format=3)

        return self._known.once(path, lambda: self._reading(path, opened))

    def values(self, path: str, selection: Any = ...) -> AnyArray:
        """What an array holds; raises StoreError, also where a checksum is wrong, or where it wants too much memory."""
        array = self.array(path)
        # zarr makes room for what the metadata promises before it looks at what is there.
        room = prod(array.shape if selection is ... else array.shape[1:])
        wanted = max(room, prod(array.chunks)) * array.dtype.itemsize
        if wanted > _MOST_BYTES:
            what, todo = f"{wanted} bytes to be read at once", "see what `paintpipe verify` says"
            raise StoreError(what, where=self.root.where(path), expected=f"at most {_MOST_BYTES}", todo=todo)
        values: AnyArray = self._reading(path, lambda: array[selection])
        return values

    def sequence_table(self, sequence: str) -> SequenceTable:
        """A sequence's tables; raises WorkspaceError, StoreError."""
        return self._known.once(f"table of {sequence}", lambda: self._sequence_table(sequence))

    def layer_table(self, sequence: str, layer: str) -> LayerTable:
        """What a layer holds; raises WorkspaceError, StoreError."""
        return self._known.once(f"table of {sequence}/{layer}", lambda: self._layer_table(sequence, layer))

    def groups(self, path: str) -> list[str]:
        """Sorted names of the nodes in a folder."""
        nodes = {name: f"{path}/{name}/zarr.json".lstrip("/") for name in self.root.names(path).folders}
        sizes = self.root.sizes(nodes.values())
        return [name for name, node in nodes.items() if sizes[node] is not None]

    def _sequence_table(self, sequence: str) -> SequenceTable:
        if self.root.size(f"{sequence}/zarr.json") is None:
            raise WorkspaceError(f"no sequence {sequence}", where=self.root.url, expected=_one_of(self.groups("")))
        frame_id, num_points, timestamp_us, pose, feature = (self.values(f"{sequence}/{name}") for name in _TABLES)
        return SequenceTable(sequence, _names(frame_id), num_points, timestamp_us, pose, _names(feature))

    def _layer_table(self, sequence: str, layer: str) -> LayerTable:
        prefix = f"{sequence}/{layer_target(layer)}"
        if self.root.size(f"{prefix}/zarr.json") is None:
            existing = self.groups(f"{sequence}/layers")
            raise WorkspaceError(f"{sequence} has no layer {layer}", where=self.root.url, expected=_one_of(existing))

        def attributes_of() -> dict[str, Any]:
            import zarr

            store = self.root.zarr_store()
            return dict(zarr.open_group(store, path=prefix, mode="r", use_consolidated=False).attrs)

        attributes = self._reading(prefix, attributes_of)
        arrays = self._reading(prefix, lambda: attributes.pop(ARRAYS))
        coords = self._reading(prefix, lambda: attributes.pop(COORDS))
        specs = tuple(_spec_of(name, self.array(f"{prefix}/{name}")) for name in arrays)
        names = {dimension: _names(self.values(f"{prefix}/{dimension}")) for dimension in coords}
        return LayerTable(layer, specs, names, unsealed(attributes))

    def _reading(self, path: str, read: Callable[[], T]) -> T:
        """`read()`, with what zarr and its codecs raise for absent or damaged files as one StoreError."""
        try:
            return read()
        except StoreError:
            raise  # a service that does not answer: nothing is known to be damaged
        except (OSError, ValueError, RuntimeError, LookupError, TypeError, MemoryError) as error:
            todo = "see what `paintpipe verify` says, then run again with --overwrite what made it"
            reason = " ".join(str(error).split()) or type(error).__name__
            raise StoreError(f"can't be read ({reason})", where=self.root.where(path), todo=todo) from error


def _spec_of(name: str, array: Any) -> ArraySpec:
    dims, fill = tuple(array.metadata.dimension_names), array.fill_value.item()
    return ArraySpec(name, dims, str(array.dtype), fill, tuple(unsealed(array.attrs).items()))


def _names(values: AnyArray) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _one_of(names: list[str]) -> str:
    return "one of " + ", ".join(names) if names else "a store with something in it"
