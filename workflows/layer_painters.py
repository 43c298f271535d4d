"""Painters that read layers instead of images: policies settled anew, and several layers made into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from paintpipe.pipeline.shards import Shard
from paintpipe.pipeline.store import LayerTable
from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.camera import CameraView
from paintpipe.schemas.catalog import FrameRow, ImageRow
from paintpipe.schemas.errors import ConfigError, TaxonomyError
from paintpipe.schemas.painted import PaintedFrame
from paintpipe.schemas.settings import PaintSettings
from paintpipe.schemas.source import Root
from paintpipe.schemas.taxonomy import OTHER, Taxonomy
from paintpipe.stages.paint.frame import project_frame
from paintpipe.stages.paint.fusion import FusionRule, fuse_frames, renumbered
from paintpipe.stages.paint.reconstruct import rebuild_samples
from paintpipe.stages.paint.settle import settle_samples
from paintpipe.stages.taxonomies.apply import map_painted
from paintpipe.stages.taxonomies.load import load_mapping, load_taxonomy
from paintpipe.workflows.stored_layers import Sources, stored_layer
from paintpipe.workflows.stores import OpenStore

POLICIES = ("overlap", "occlusion", "edges")
"""Settings that are settled from what each camera says of a point, and need it."""


@dataclass(frozen=True)
class FromLayers:
    """Which layers a painter reads, and what it makes of them.

    Attributes:
        opened: the store that they lie in.
        layers: one to be repainted, or several to be fused.
        rule: of fusion, None to repaint.
        taxonomy: of fusion: which classes the layers are brought to; None for their own.
        class_layers: of `per-class`: (class, layer), the first layer for classes that are not named.
    """

    opened: OpenStore
    layers: tuple[str, ...]
    rule: FusionRule | None = None
    taxonomy: str | None = None
    class_layers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RepaintPainter:
    """The frames of one layer, its policies settled anew where they are others than it was painted with."""

    sources: Sources
    taxonomy: Taxonomy
    identity: dict[str, Any]
    painted_with: PaintSettings
    name: str = "repaint"

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """The layer's shard."""
        return self.sources.fingerprints(row)

    def frame(
        self,
        stored: Sequence[PaintedFrame],
        points: Float32,
        views: Sequence[CameraView],
        camera_names: tuple[str, ...],
        settings: PaintSettings,
        frame_key: str,
    ) -> PaintedFrame:
        """See `LayerPainter`."""
        frame = stored[0]
        if not other_policies(self.painted_with, settings):
            return frame
        seen = project_frame(points, views, camera_names, settings.projection)
        samples = rebuild_samples(frame, seen, frame_key)
        return settle_samples(points, samples, len(self.taxonomy), settings, frame_key)


@dataclass(frozen=True)
class FusionPainter:
    """Several layers made into one."""

    sources: Sources
    taxonomy: Taxonomy
    identity: dict[str, Any]
    own_taxonomies: tuple[str, ...]
    cameras: tuple[tuple[str, ...], ...]
    rule: FusionRule
    owners: tuple[int, ...]
    name: str = "fusion"

    def own_files(self, row: FrameRow, images: Sequence[ImageRow]) -> dict[str, str]:
        """The layers' shards."""
        return self.sources.fingerprints(row)

    def frame(
        self,
        stored: Sequence[PaintedFrame],
        points: Float32,
        views: Sequence[CameraView],
        camera_names: tuple[str, ...],
        settings: PaintSettings,
        frame_key: str,
    ) -> PaintedFrame:
        """See `LayerPainter`."""
        frames = []
        for frame, own, cameras in zip(stored, self.own_taxonomies, self.cameras, strict=True):
            frame = replace(frame, camera=renumbered(frame.camera, cameras, camera_names), provenance=None)
            if own != self.taxonomy.name:
                frame = map_painted(frame, points, load_mapping(own, self.taxonomy.name))
            frames.append(frame)
        return fuse_frames(frames, self.rule, self.owners)


LayerPainters = RepaintPainter | FusionPainter


def layer_painter(choice: FromLayers, root: Root) -> LayerPainters:
    """Build the painter that reads these layers.

    Raises:
        WorkspaceError: there is no such layer.
        TaxonomyError: the layers have other classes and no taxonomy is named, or one that no mapping leads to.
        ConfigError: a class or layer of `class_layers` that is not there.
    """
    tables = [stored_layer(choice.opened, name) for name in choice.layers]
    sources = Sources(choice.opened, root, choice.layers)
    if choice.rule is None:
        (table,) = tables
        identity = {"painter": "repaint", **_identity(table)}
        taxonomy = load_taxonomy(str(table.attributes["taxonomy"]))
        return RepaintPainter(sources, taxonomy, identity, stored_settings(table)[0])
    own = tuple(str(table.attributes["taxonomy"]) for table in tables)
    taxonomy = common_taxonomy(dict(zip(choice.layers, own, strict=True)), choice.taxonomy)
    owners = _owners(choice, taxonomy) if choice.rule == "per-class" else ()
    identity = {"painter": "fusion", "rule": choice.rule, "layers": [_identity(table) for table in tables]}
    identity |= {"owners": [choice.layers[owner] for owner in owners]} if owners else {}
    cameras = tuple(tuple(table.coords["camera_name"]) for table in tables)
    return FusionPainter(sources, taxonomy, identity, own, cameras, choice.rule, owners)


def stored_settings(table: LayerTable) -> list[PaintSettings]:
    """The settings that a layer was painted with, and those of each layer that it was repainted from, the last first.

    A field that an old layer does not know has its usual value, save that nobody looked for occluded points then.
    """
    found, painter = [table.attributes["settings"]], table.attributes["painter"]
    while painter["painter"] == "repaint":
        found.append(painter["settings"])
        painter = painter["of"]
    return [_settings(stored) for stored in found]


def _settings(stored: Mapping[str, Any]) -> PaintSettings:
    names = {item.name for item in fields(PaintSettings)}
    known: dict[str, Any] = {name: value for name, value in stored.items() if name in names}
    known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return PaintSettings(**{"occlusion": "off", **known})


def other_policies(one: PaintSettings, other: PaintSettings) -> tuple[str, ...]:
    """Names of the policies that differ."""
    return tuple(name for name in POLICIES if getattr(one, name) != getattr(other, name))


def common_taxonomy(own: Mapping[str, str], wanted: str | None) -> Taxonomy:
    """The classes that layers are brought to: those asked for, else their own; with `other` where any of them needs it.

    Args:
        own: layer → name of its taxonomy.
        wanted: name of the taxonomy asked for.

    Raises:
        TaxonomyError: none was asked for and the layers differ, or no mapping leads there.
    """
    names = set(own.values())
    bases = {name.removesuffix(f"+{OTHER}") for name in names}
    if wanted is None and len(bases) > 1:
        what = "; ".join(f"{layer} has the classes of {name}" for layer, name in own.items())
        raise TaxonomyError(what, todo="say with --taxonomy which classes both are to be brought to")
    base = wanted or (bases.pop() if len(names) > 1 else names.pop())
    targets = {load_mapping(name, base).target.name for name in own.values()}
    return load_taxonomy(max(targets, key=len))  # NAME+other where any layer needs it


def _identity(table: LayerTable) -> dict[str, Any]:
    """What a painter says of a layer that it reads."""
    facts = {name: table.attributes[name] for name in ("taxonomy", "settings")}
    return {"layer": table.layer, "of": table.attributes["painter"], **facts}


def _owners(choice: FromLayers, taxonomy: Taxonomy) -> tuple[int, ...]:
    owners = [0] * len(taxonomy)
    for name, layer in choice.class_layers:
        channel = taxonomy.index(name)
        if channel is None:
            raise ConfigError(f"no class {name!r} in {taxonomy.name}", expected="one of " + ", ".join(taxonomy.classes))
        if layer not in choice.layers:
            raise ConfigError(f"class {name} from layer {layer!r}", expected="one of " + ", ".join(choice.layers))
        owners[channel] = choice.layers.index(layer)
    return tuple(owners)


def available(painter: LayerPainters, shards: Sequence[Shard]) -> list[Shard]:
    """Those of the shards that all layers of the painter have."""
    return [shard for shard in shards if painter.sources.done(shard)]
