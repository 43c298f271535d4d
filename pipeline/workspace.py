"""The folder in which one catalog, its painted store, ledger and tables lie."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from paintpipe.pipeline.publish import PARTIAL, publish_file, remove_folder
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import StoreFormat

CONFIG_NAME = "paintpipe.toml"
_STRINGS = {
    "dataset": ("name", "version", "root"),
    "network": ("model", "weights", "taxonomy", "layer"),
    "last": ("layer",),
    "layers": ("model", "weights", "taxonomy", "layer", "from_masks", "from_predictions"),
}
"""Keys of each table of `paintpipe.toml` that hold strings; of `layers`, of each table in it."""
_LONGEST_SHARD = 1_000_000


@dataclass(frozen=True)
class Workspace:
    """Where everything lies.

    Attributes:
        path: the workspace's folder; it need not exist yet.
    """

    path: Path

    @property
    def config_path(self) -> Path:
        """What the user chose: dataset, root, model, weights, taxonomy, layer."""
        return self.path / CONFIG_NAME

    @property
    def catalog(self) -> Path:
        """The tables of `ingest`."""
        return self.path / "catalog"

    @property
    def ledger(self) -> Path:
        """Marks, the lock and the run reports."""
        return self.path / "ledger"

    @property
    def runs(self) -> Path:
        """One report for each run."""
        return self.ledger / "runs"

    @property
    def tables(self) -> Path:
        """What `evaluate` writes."""
        return self.path / "tables"

    @property
    def figures(self) -> Path:
        """What `view` writes."""
        return self.path / "figures"

    def clean_staging(self) -> None:
        """Delete what killed runs left beside catalog, store and ledger; only for the run that holds the lock.

        Looks at this folder and its tables, and there at names that only `publish` and `ingest` make: the rest may be
        anything.

        Raises:
            StoreError: the disk refuses.
        """
        leftovers = [path for folder in (self.path, self.tables) for path in folder.glob(f".????????{PARTIAL}")]
        leftovers.append(self.path / f"{self.catalog.name}{PARTIAL}")
        if self.catalog.is_dir():  # else ingest restores it from there
            leftovers.append(self.path / f"{self.catalog.name}.old{PARTIAL}")
        for path in leftovers:
            remove_folder(path.parent, path.name)

    def read_config(self) -> dict[str, Any]:
        """What `paintpipe.toml` says, {} where there is none.

        Raises:
            ConfigError: it can't be read, is not TOML, or holds what makes no sense.
        """
        try:
            config = tomllib.loads(self.config_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._mend(f"can't be read ({error.strerror})") from error
        except (ValueError, RecursionError) as error:
            raise self._mend(f"not TOML ({error})") from error
        for what, expected in _mistakes(config):
            raise self._mend(what, expected)
        return config

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write `paintpipe.toml` whole; keys that are None are left out, since TOML has no null. Raises StoreError."""
        import tomli_w

        publish_file(self.config_path, tomli_w.dumps(_without_none(config)).encode())

    def update_config(self, changes: Mapping[str, Any]) -> None:
        """Set some keys and keep the others, table by table; a key set to None is removed.

        Raises:
            ConfigError: what is there is not TOML.
            StoreError: the disk refuses.
        """
        self.write_config(_merged(self.read_config(), changes))

    def _mend(self, what: str, expected: str = "") -> ConfigError:
        return ConfigError(what, where=str(self.config_path), expected=expected, todo="mend or delete it")


def _mistakes(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what is wrong, what is expected) of the keys that paintpipe reads; others are the user's own."""
    for name in ("store", *_STRINGS):
        if not isinstance(config.get(name, {}), dict):
            yield f"{name} = {config[name]!r}", f"a table [{name}]"
            return  # what follows looks into the tables
    for layer, facts in config.get("layers", {}).items():
        if not isinstance(facts, dict):
            yield f"layers.{layer} = {facts!r}", f"a table [layers.{layer}]"
        else:
            yield from _no_strings(f"layers.{layer}", facts, _STRINGS["layers"])
    for name in ("dataset", "network", "last"):
        yield from _no_strings(name, config.get(name, {}), _STRINGS[name])
    if "network" in config and "model" not in config["network"]:
        yield "[network] names no model", "model = a network of `paintpipe models` or a card"
    yield from _store_mistakes(config.get("store", {}))


def _no_strings(where: str, table: Mapping[str, Any], keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    for key in keys:
        if not isinstance(table.get(key, ""), str):
            yield f"{where}.{key} = {table[key]!r}", "a string"


def _store_mistakes(store: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not isinstance(store.get("url", ""), str):
        yield f"store.url = {store['url']!r}", "a string"
    formats = get_args(StoreFormat)
    if store.get("format", formats[0]) not in formats:
        yield f"store.format = {store['format']!r}", " or ".join(formats)
    for key in (f"{name}_frames_per_shard" for name in formats):
        length = store.get(key, 1)
        if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= _LONGEST_SHARD:
            yield f"store.{key} = {length!r}", f"a whole number from 1 to {_LONGEST_SHARD:,}"


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**old, **new}
    for key in old.keys() & new.keys():
        if isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            merged[key] = _merged(old[key], new[key])
    return merged


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }
