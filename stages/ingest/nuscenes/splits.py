"""The official splits of nuScenes, from the devkit: this is the one module of ingest that imports it."""

import warnings

from paintpipe.schemas.errors import ConfigError
from paintpipe.stages.ingest.reader import IngestOptions
from paintpipe.stages.ingest.selection import check_split, select_sequences

Splits = dict[str, list[str]]


def official_splits() -> Splits:
    """Scene names by split: train, val, test, mini_train, mini_val, train_detect, train_track."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages that the devkit imports
        from nuscenes.utils.splits import create_splits_scenes
    splits: Splits = create_splits_scenes()
    return splits


def split_of_scenes(version: str, splits: Splits) -> dict[str, str]:
    """Each scene's split; the mini version has two of its own, whose scenes are in train and val too."""
    names = ("mini_train", "mini_val") if version.endswith("-mini") else ("train", "val", "test")
    return {scene: name for name in names for scene in splits[name]}


def select_scenes(present: list[str], options: IngestOptions, splits: Splits) -> list[str]:
    """Sorted names of the scenes to read.

    Raises:
        ConfigError: a scene or split was asked for that is not there.
    """
    names = select_sequences(present, options)
    if options.split is None:
        return names
    check_split(options.split, set(splits))
    kept = sorted(set(names) & set(splits[options.split]))
    if not kept:
        raise ConfigError(f"no scene of split {options.split!r} is here", expected="a split of the scenes present")
    return kept
