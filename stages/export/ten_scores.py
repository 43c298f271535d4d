"""What CenterPoint and BEVFusion have in common: nuScenes, ten score columns, and loaders that find sweeps by path."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportSettings
from paintpipe.stages.export.columns import score_columns
from paintpipe.stages.export.detection import NUSCENES_CLASSES
from paintpipe.stages.export.gt_database import MIN_POINTS, NUSCENES_GROUPS, sampled_classes
from paintpipe.stages.taxonomies.load import load_taxonomy

NUM_SCORES = 10
"""The loaders pick columns by number: there is room for ten scores, no more and no fewer."""
TAXONOMY = "nuscenes-det11"
FEATURES = ("x", "y", "z", "intensity", "ring")
MAX_SWEEPS = 10
"""The catalog keeps that many tokens before each sweep."""


def settle_ten(
    settings: ExportSettings, dataset: str, features: tuple[str, ...], target: str, sweeps: int
) -> ExportSettings:
    """The settings with ten score columns and the target's usual number of sweeps; the background is left out.

    Raises:
        ConfigError: another dataset, more than ten columns, or an option that the loaders have no room for.
    """
    if dataset != "nuscenes":
        raise ConfigError(f"{target} reads nuScenes alone, this is {dataset}", expected="a catalog of nuScenes")
    if features != FEATURES:
        raise ConfigError(f"points of {' '.join(features)}", expected=f"nuScenes' {' '.join(FEATURES)}")
    for option, given in (("--fov-only", settings.fov_only), ("--fill", bool(settings.fill))):
        if given:
            what = f"{target} with {option}: its loader reads the sweep as published beside what is exported"
            raise ConfigError(what, todo=f"leave out {option}")
    count = sweeps if settings.sweeps is None else settings.sweeps
    if not 0 <= count <= MAX_SWEEPS:
        raise ConfigError(f"--sweeps {count}", expected=f"0 to {MAX_SWEEPS}: so many does the catalog know of")
    background = "drop" if settings.background == "auto" else settings.background
    settled = replace(settings, taxonomy=settings.taxonomy or TAXONOMY, background=background, sweeps=count)
    if settled.pad_channels not in (0, NUM_SCORES):
        raise ConfigError(f"--pad-channels {settled.pad_channels}", expected=f"{NUM_SCORES}, as {target} reads them")
    names = score_columns(load_taxonomy(settled.taxonomy), replace(settled, pad_channels=0)).names
    if len(names) > NUM_SCORES:
        todo = "choose at most ten with --classes, or leave the background out"
        raise ConfigError(f"{len(names)} score columns", expected=f"{NUM_SCORES}, as {target} reads them", todo=todo)
    return replace(settled, pad_channels=0 if len(names) == NUM_SCORES else NUM_SCORES)


def beside(points_path: str, prefix: str, folder: str, suffix: str) -> str:
    """`prefix` + the folder of a point file's folder / `folder` / its name + `suffix`; `{}` in `folder` is its folder.

    Raises:
        ExportError: a path without two folders, which the loaders take apart.
    """
    path = PurePosixPath(points_path)
    if len(path.parts) < 3 or path.is_absolute() or ".." in path.parts:
        raise ExportError(
            "a path that the loader can't take apart", where=points_path, expected="samples/LIDAR_TOP/NAME"
        )
    above, own, name = path.parent.parent, path.parent.name, path.name
    return prefix + str(above / folder.format(own) / (name + suffix))


def paste_groups(database: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, int]:
    """Objects that training fills a frame up to, of those classes that a sampler finds any of in the database."""
    there = sampled_classes(database, MIN_POINTS)
    return {name: NUSCENES_GROUPS[name] for name in NUSCENES_CLASSES if name in there}
