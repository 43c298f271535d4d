"""What the two submissions have in common: a label for every point of every scan, and no scores."""

from dataclasses import replace

from paintpipe.schemas.arrays import UNPAINTED, UInt8
from paintpipe.schemas.errors import ConfigError, ExportError
from paintpipe.schemas.export import ExportFrame, ExportSettings


def settle_labels(
    settings: ExportSettings, dataset: str, target: str, target_dataset: str, taxonomy: str
) -> ExportSettings:
    """The settings with a submission's own taxonomy.

    Args:
        settings: as the user gave them.
        dataset: that is exported.
        target: name of the target, for messages.
        target_dataset: the dataset whose benchmark this is.
        taxonomy: the benchmark's classes.

    Raises:
        ConfigError: another dataset or taxonomy, or an option about scores or about leaving points out.
    """
    if dataset != target_dataset:
        raise ConfigError(f"{dataset} has no {target} benchmark", expected=f"a catalog of {target_dataset}")
    if settings.taxonomy and settings.taxonomy != taxonomy:
        raise ConfigError(f"{target} is not submitted in {settings.taxonomy}", expected=taxonomy)
    wrong = [name for name, given in _about_scores(settings).items() if given]
    if wrong:
        what = f"{target} holds one label for every point and no scores"
        raise ConfigError(f"{what}: {', '.join(wrong)} can't be had", todo=f"leave out {', '.join(wrong)}")
    return replace(settings, taxonomy=taxonomy, background="keep", sweeps=0)


def _about_scores(settings: ExportSettings) -> dict[str, bool]:
    """Options that a submission has no room for, and whether the user gave them."""
    return {
        "--classes": bool(settings.classes),
        "--one-hot": settings.one_hot,
        "--background": settings.background != "auto",
        "--pad-channels": bool(settings.pad_channels),
        "--fov-only": settings.fov_only,
        "--sweeps": bool(settings.sweeps),
    }


def complete_labels(frame: ExportFrame, fill_rule: str, where: str) -> UInt8:
    """(N,) uint8 labels of the frame, every one of them a class.

    Raises:
        ConfigError: a point has none, and no rule says what to fill it with.
        ExportError: the rule found nothing to fill from, or the frame is not the whole scan.
    """
    if len(frame.label) != frame.row.num_points:
        expected = f"{frame.row.num_points}, as its point file has"
        raise ExportError(f"{len(frame.label)} labels", where=where, expected=expected)
    unlabelled = int((frame.label == UNPAINTED).sum())
    if not unlabelled:
        return frame.label
    what = f"{unlabelled} of {len(frame.label)} points are unlabelled"
    if fill_rule:
        todo = f"--fill {fill_rule} has nothing to fill from: paint this frame, or name a class (--fill CLASS)"
        raise ExportError(what, where=where, expected="a class for every point", todo=todo)
    # Not of this frame alone: cameras never see every point, so the user is told at the first frame.
    raise ConfigError(what, where=where, expected="a class for every point", todo="add --fill nearest or --fill CLASS")
