"""What the shell offers after the tab key: names that paintpipe knows and those of the workspace."""

from pathlib import Path


def model_names() -> list[str]:
    """Networks that come with a card."""
    from paintpipe.stages.segment.registry import CARDS

    return list(CARDS)


def dataset_names() -> list[str]:
    """Datasets that `ingest` reads."""
    from paintpipe.stages.ingest.reader import READERS

    return [*READERS, "custom"]


def taxonomy_names() -> list[str]:
    """Taxonomies that come with paintpipe."""
    from paintpipe.stages.taxonomies import load

    return list(load.taxonomy_names())


def layer_names(workspace: Path) -> list[str]:
    """Layers of a workspace, painted or begun: those of `paintpipe.toml`."""
    from paintpipe.pipeline.workspace import Workspace

    return sorted(Workspace(workspace).read_config().get("layers", {}))


def camera_names(workspace: Path) -> list[str]:
    """Cameras of a workspace's catalog, and the word for all of them."""
    from paintpipe.workflows.catalog import open_catalog

    return [*open_catalog(workspace / "catalog").camera_names(), "all"]


def sequence_names(workspace: Path) -> list[str]:
    """Sequences of a workspace's catalog."""
    from paintpipe.workflows.catalog import open_catalog

    return open_catalog(workspace / "catalog").sequences
