"""A store that can be asked everything and that nothing is done to."""

from typing import Any, cast

from paintpipe.pipeline.store import Store


def untouched(store: Store) -> Store:
    """The store, whose methods that create or drop something do nothing."""
    return cast("Store", _Untouched(store))


class _Untouched:
    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create_sequence(self, *_: object, **__: object) -> None:
        pass

    def create_layer(self, *_: object) -> None:
        pass

    def drop(self, *_: object) -> None:
        pass

    def drop_sequence(self, *_: object) -> None:
        pass
