"""A mapping's matrix from the table in its file."""

from typing import Any

import numpy as np

from paintpipe.schemas.arrays import Float64
from paintpipe.schemas.errors import TaxonomyError
from paintpipe.schemas.taxonomy import OTHER, Mapping, Taxonomy

WITH_OTHER = f"+{OTHER}"
"""End of the name of a taxonomy that gained `other`: what a mapping makes where its target has no background."""
_OTHER_RGB = (90, 90, 90)

RIDDEN = "bicycle"
RIDER = "rider"
CYCLIST = "cyclist"
"""What the cyclist rule looks for, as class or alias: two in the source, one in the target."""


def with_other(taxonomy: Taxonomy) -> Taxonomy:
    """The taxonomy with `other` as its last class, called `NAME+other`; itself where it has that class."""
    if OTHER in taxonomy.classes:
        return taxonomy
    return Taxonomy(
        name=taxonomy.name + WITH_OTHER,
        classes=(*taxonomy.classes, OTHER),
        colors_rgb=(*taxonomy.colors_rgb, _OTHER_RGB),
        background=taxonomy.background,
        raw_ids=taxonomy.raw_ids,
        aliases=taxonomy.aliases,
        source=taxonomy.source,
    )


def assemble_mapping(source: Taxonomy, target: Taxonomy, data: dict[str, Any], where: str) -> Mapping:
    """The mapping that `data` (`classes`, `origin`, `cyclist_rule`) describes; its target gains `other` where needed.

    Raises:
        TaxonomyError: a source class goes nowhere, to a class that does not exist, or with weights that don't sum to 1.
    """
    rows = [_row(name, data["classes"], target, where) for name in source.classes]
    if any(OTHER in row for row in rows):
        target = with_other(target)
    matrix = np.array([[row.get(name, 0.0) for name in target.classes] for row in rows])
    rule = bool(data.get("cyclist_rule", False))
    _check(matrix, rows, source, target, where)
    if rule and None in (source.index(RIDDEN), source.index(RIDER), target.index(CYCLIST)):
        raise TaxonomyError(
            "the cyclist rule needs bicycle and rider in the source, cyclist in the target", where=where
        )
    return Mapping(source, target, matrix, rule, str(data["origin"]))


def _row(name: str, classes: dict[str, Any], target: Taxonomy, where: str) -> dict[str, float]:
    """Target class → weight for one source class; `other` turns into the background of a target that has one."""
    goes_to = classes.get(name, OTHER if name == OTHER else None)
    if goes_to is None:
        raise TaxonomyError(f"the class {name!r} goes nowhere", where=where, expected="a row for each source class")
    weights = {goes_to: 1.0} if isinstance(goes_to, str) else {key: float(value) for key, value in goes_to.items()}
    if OTHER in weights and target.background is not None:
        weights[target.background] = weights.get(target.background, 0.0) + weights.pop(OTHER)
    return weights


def _check(matrix: Float64, rows: list[dict[str, float]], source: Taxonomy, target: Taxonomy, where: str) -> None:
    strangers = sorted({name for row in rows for name in row} - set(target.classes))
    if strangers:
        raise TaxonomyError(f"{', '.join(strangers)} is no class of {target.name}", where=where)
    bad = (matrix < 0.0).any(axis=1) | (np.abs(matrix.sum(axis=1) - 1.0) > 1e-9)
    if bad.any():
        names = ", ".join(np.array(source.classes)[bad])
        raise TaxonomyError(f"the weights of {names} do not sum to 1", where=where)
