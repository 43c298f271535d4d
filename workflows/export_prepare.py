"""From what the user asks of `paintpipe export` to what will be done: layer, classes, columns, frames."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from paintpipe.pipeline.roots import open_root
from paintpipe.pipeline.store import layer_target
from paintpipe.pipeline.workspace import Workspace
from paintpipe.schemas.errors import InputFileError, WorkspaceError
from paintpipe.schemas.export import ExportFacts, ExportSettings
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import Mapping
from paintpipe.stages.evaluate.fill import NEAREST, filling_class
from paintpipe.stages.export.columns import score_columns
from paintpipe.stages.export.target import FrameTarget, SequenceTarget
from paintpipe.stages.taxonomies.load import load_mapping
from paintpipe.workflows.catalog import Catalog, open_catalog
from paintpipe.workflows.export_card import export_card
from paintpipe.workflows.export_frames import FrameSource
from paintpipe.workflows.export_plan import (
    Part,
    Wanted,
    check_sequences,
    check_splits,
    has_unsplit,
    part_inputs,
    usual_split,
)
from paintpipe.workflows.export_sweeps import missing_sweeps_hint
from paintpipe.workflows.export_targets import by_sequence
from paintpipe.workflows.layers import Layer, open_layers
from paintpipe.workflows.stores import OpenStore, existing_store


@dataclass(frozen=True)
class Prepared:
    """An export with nothing left open.

    Attributes:
        target: the format.
        catalog: of the dataset.
        opened: the painted store.
        source: of the frames.
        sequences: that the user named, () for all.
        notes: what the user should know before all else.
    """

    target: FrameTarget | SequenceTarget
    catalog: Catalog
    opened: OpenStore
    source: FrameSource
    sequences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sweeps(self) -> int:
        """Before each keyframe."""
        return self.source.facts.settings.sweeps or 0

    def wanted(self, limit: int | None) -> Wanted:
        """Which frames."""
        splits = self.source.facts.settings.splits
        return Wanted(splits, self.sequences, limit, self.target.keyframes_only, by_sequence(self.target))

    def inputs(self, part: Part) -> dict[str, Any]:
        """All that decides a part's bytes."""
        return part_inputs(part, self.catalog, self.source.facts, self.target.name, self.source.default_split)


def prepare(
    path: Path,
    target: FrameTarget | SequenceTarget,
    layer_name: str | None,
    settings: ExportSettings,
    sequences: tuple[str, ...],
) -> Prepared:
    """Hold what the user asks for against catalog, layer and target.

    Raises:
        ConfigError: an unknown split, sequence or class, or settings that the target has no room for.
        WorkspaceError: no catalog, nothing painted, or no such layer.
        TaxonomyError: the layer can't be mapped to the taxonomy, or `--fill` names no class of it.
    """
    workspace = Workspace(path)
    catalog, opened = open_catalog(workspace.catalog), existing_store(path)
    check_splits(catalog, settings.splits)
    check_sequences(catalog, sequences)
    layer = open_layers(opened, catalog, (_layer_name(workspace, opened, layer_name),))[0]
    features = catalog.frames(layer.shards[0].sequence, 0, 1)[0].point_features
    settings = _settled(target, settings, catalog, layer, features)
    mapping = _mapping(layer, settings.taxonomy)
    facts = _facts(target.name, catalog, layer, settings, mapping, features)
    _check_fill(facts)
    source = FrameSource(opened, layer, _root(catalog.info.root), facts, mapping, usual_split(catalog))
    return Prepared(target, catalog, opened, source, sequences, tuple(_notes(catalog, settings)))


def _layer_name(workspace: Workspace, opened: OpenStore, asked: str | None) -> str:
    """The layer asked for, else the only one, else the one painted last."""
    prefix = layer_target("")
    there = [name.removeprefix(prefix) for name in opened.ledger.targets() if name.startswith(prefix)]
    last = workspace.read_config().get("last", {}).get("layer")
    name = asked if asked is not None else there[0] if len(there) == 1 else last
    if name is None and there:
        raise WorkspaceError("several layers are painted", expected="--layer " + " or ".join(there))
    return name or ""


def _settled(
    target: FrameTarget | SequenceTarget,
    settings: ExportSettings,
    catalog: Catalog,
    layer: Layer,
    features: tuple[str, ...],
) -> ExportSettings:
    settled = target.settle(settings, catalog.info.dataset, features)
    return replace(
        settled,
        taxonomy=settled.taxonomy or layer.taxonomy.name,
        background="keep" if settled.background == "auto" else settled.background,
        sweeps=settled.sweeps or 0,
    )


def _mapping(layer: Layer, taxonomy: str) -> Mapping | None:
    return None if taxonomy == layer.taxonomy.name else load_mapping(layer.taxonomy.name, taxonomy)


def _facts(
    target: str,
    catalog: Catalog,
    layer: Layer,
    settings: ExportSettings,
    mapping: Mapping | None,
    features: tuple[str, ...],
) -> ExportFacts:
    taxonomy = layer.taxonomy if mapping is None else mapping.target
    columns = score_columns(taxonomy, settings)
    card = export_card(target, catalog.info, layer, settings, taxonomy, columns)
    return ExportFacts(catalog.info, layer.name, taxonomy, columns.names, features, layer.camera_names, settings, card)


def _check_fill(facts: ExportFacts) -> None:
    rule = facts.settings.fill
    if rule and rule != NEAREST:
        filling_class(rule, facts.taxonomy)


def _root(url: str) -> Root | None:
    """The dataset's root; None where it is gone, which a store with points can do without."""
    try:
        return open_root(url)
    except InputFileError:
        return None


def _notes(catalog: Catalog, settings: ExportSettings) -> list[str]:
    notes = [hint] if (hint := missing_sweeps_hint(catalog.info, settings.sweeps or 0)) else []
    if has_unsplit(catalog):
        default = usual_split(catalog)
        notes.append(f"the catalog knows no split for some frames: they count as `{default}` (docs/export.md)")
    return notes
