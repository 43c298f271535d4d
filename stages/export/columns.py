"""The score columns of an export: chosen, one-hot and padded as the user asks."""

from dataclasses import dataclass

import numpy as np

from paintpipe.schemas.arrays import Float32
from paintpipe.schemas.errors import ConfigError
from paintpipe.schemas.export import ExportSettings
from paintpipe.schemas.taxonomy import OTHER, Taxonomy


@dataclass(frozen=True)
class Columns:
    """Which columns of a taxonomy's scores are kept, and how many follow.

    Attributes:
        names: of all columns in order, padding included.
        picked: the taxonomy's channel for each column before the padding.
        one_hot: 1 for a point's best class and 0 elsewhere, instead of scores.
    """

    names: tuple[str, ...]
    picked: tuple[int, ...]
    one_hot: bool

    def of(self, scores: Float32) -> Float32:
        """(N, K) float32 columns from (N, C) scores in the taxonomy, each row of a painted point.

        The best class is sought among all C: a point whose best class is no column is 0 in all of them.
        """
        columns = np.zeros((len(scores), len(self.names)), dtype=np.float32)
        if self.one_hot:
            best = scores.argmax(axis=1)
            for column, channel in enumerate(self.picked):
                columns[:, column] = best == channel
        else:
            for column, channel in enumerate(self.picked):
                columns[:, column] = scores[:, channel]
        return columns


def score_columns(taxonomy: Taxonomy, settings: ExportSettings) -> Columns:
    """The columns that settled settings ask for: the classes named, else all, the background only where it is kept.

    Args:
        taxonomy: that scores come in; `other`, where a mapping added it, counts as background.
        settings: with `background` settled.

    Raises:
        ConfigError: a class that the taxonomy lacks, or is named twice; no column, or more than `pad_channels`.
    """
    names = settings.classes or _usual(taxonomy, keep=settings.background == "keep")
    unknown = [name for name in names if name not in taxonomy.classes]
    if unknown or len(set(names)) < len(names):
        what = f"no class {unknown[0]!r} in {taxonomy.name}" if unknown else "a class is named twice in --classes"
        raise ConfigError(what, expected="some of " + ", ".join(taxonomy.classes))
    padding = settings.pad_channels - len(names) if settings.pad_channels else 0
    if padding < 0 or not names:
        what = f"{len(names)} score columns, and --pad-channels {settings.pad_channels}"
        raise ConfigError(what, expected=f"at least {max(1, len(names))}", todo="name fewer --classes, or pad to more")
    padded = (*names, *(f"pad{number}" for number in range(padding)))
    return Columns(padded, tuple(taxonomy.classes.index(name) for name in names), settings.one_hot)


def _usual(taxonomy: Taxonomy, keep: bool) -> tuple[str, ...]:
    none_of_them = {taxonomy.background, OTHER}
    return tuple(name for name in taxonomy.classes if keep or name not in none_of_them)
