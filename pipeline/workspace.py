"""The folder in which one catalog, its painted store, ledger and tables lie."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paintpipe.pipeline.publish import publish_file
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.settings import StoreFormat

CONFIG_NAME = "paintpipe.toml"


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

    def store(self, store_format: StoreFormat) -> Path:
        """The painted store of one format: `painted.zarr` or `painted.parquet`."""
        return self.path / f"painted.{store_format}"

    def marks(self, store_format: StoreFormat) -> Path:
        """The marks of one store; a workspace may hold both formats, so Parquet's lie apart."""
        return self.ledger if store_format == "zarr" else self.ledger / store_format

    def read_config(self) -> dict[str, Any]:
        """What `paintpipe.toml` says, {} where there is none.

        Raises:
            ConfigError: it is not TOML.
        """
        try:
            return tomllib.loads(self.config_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ConfigError(f"not TOML ({error})", where=str(self.config_path), todo="mend or delete it") from error

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
