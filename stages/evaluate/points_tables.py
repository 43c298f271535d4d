"""The tables of painted points."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from paintpipe.schemas import tables
from paintpipe.schemas.arrays import Int64
from paintpipe.schemas.taxonomy import Taxonomy
from paintpipe.stages.evaluate.confusion import RuleScores, accuracy, present_miou, unpainted
from paintpipe.stages.evaluate.nuscenes_rule import frequency_weighted_iou, nuscenes_scores
from paintpipe.stages.evaluate.points import RANGE_EDGES_M, PointsTally, Subset
from paintpipe.stages.evaluate.semantickitti_rule import semantickitti_accuracy, semantickitti_scores
from paintpipe.stages.evaluate.tables import Row, as_table, share

SEMANTICKITTI, NUSCENES = "semantickitti", "nuscenes"
UNPAINTED_NAME = "unpainted"
_EDGE_NAMES = ("off", "on")
_OCCLUDED_NAMES = ("no", "yes")


@dataclass(frozen=True)
class ScoredLayer:
    """What the tables say about where figures come from.

    Attributes:
        name: of the layer.
        taxonomy: of the ground truth, which the layer was mapped to.
        cameras: the layer's camera names by index.
        fill: `nearest`, a class, or "" where gaps were left.
        tta: test-time augmentation in words, "" for none.
    """

    name: str
    taxonomy: Taxonomy
    cameras: tuple[str, ...] = ()
    fill: str = ""
    tta: str = ""


def rules_for(taxonomy: Taxonomy) -> tuple[str, ...]:
    """The rules that apply to labels of a taxonomy: the dataset's own where it has one, else both."""
    own = {"semantickitti19": (SEMANTICKITTI,), "nuscenes16": (NUSCENES,)}
    return own.get(taxonomy.name, (SEMANTICKITTI, NUSCENES))


def points_tables(tally: PointsTally, layer: ScoredLayer) -> dict[str, pa.Table]:
    """Tables of one layer: `summary`, `classes`, `coverage`, `ranges`, `cameras`, `edges`, `occlusion`, `confusion`.

    A score that a rule doesn't give is null: an absent class of nuScenes, a subset without labelled points, and all
    points by nuScenes' rule while some have no label (`--fill` gives them one, and a row `all points, filled`).
    """
    return {
        "summary": as_table(_summary(tally, layer), tables.SUMMARY),
        "classes": as_table(_classes(tally, layer), tables.CLASSES),
        "coverage": as_table(_coverage(tally, layer), tables.COVERAGE),
        "ranges": as_table(_ranges(tally, layer), tables.RANGES),
        "cameras": as_table(_cameras(tally, layer), tables.CAMERAS),
        "edges": as_table(_edges(tally, layer), tables.EDGES),
        "occlusion": as_table(_occlusion(tally, layer), tables.OCCLUSION),
        "confusion": as_table(_confusion(tally, layer), tables.CONFUSION),
    }


def _scores(counts: Int64, rule: str, complete: bool) -> RuleScores | None:
    """None where the rule refuses points without a label."""
    if rule == SEMANTICKITTI:
        return semantickitti_scores(counts)
    return nuscenes_scores(counts, complete=False) if not (complete and unpainted(counts)) else None


def _headline(tally: PointsTally, layer: ScoredLayer) -> Iterator[tuple[str, str, str, Int64, RuleScores | None]]:
    """Subset name, rule, fill, counts and scores of the subsets that are reported in full."""
    names = {"all": "all points", "filled": "all points, filled", "view": "points in view"}
    for kind, name in names.items():
        if Subset(kind) in tally.confusions:
            counts = tally.of(Subset(kind))
            for rule in rules_for(layer.taxonomy):
                scores = _scores(counts, rule, kind != "view") if counts.any() else None
                yield name, rule, layer.fill if kind == "filled" else "", counts, scores


def _summary(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    for subset, rule, fill, counts, scores in _headline(tally, layer):
        yield {
            "layer": layer.name,
            "subset": subset,
            "rule": rule,
            "miou": scores.miou if scores else None,
            "miou_present": present_miou(counts),
            "accuracy": accuracy(counts),
            "rule_accuracy": semantickitti_accuracy(counts) if rule == SEMANTICKITTI and scores else None,
            "frequency_weighted_iou": frequency_weighted_iou(counts) if rule == NUSCENES and scores else None,
            "coverage": _coverage_of(counts),
            "fill": fill,
            "tta": layer.tta,
            "num_points": int(counts.sum()),
        }


def _classes(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    for subset, rule, _, counts, scores in _headline(tally, layer):
        for index, name in enumerate(layer.taxonomy.classes if scores else ()):
            assert scores is not None
            yield {
                "layer": layer.name,
                "subset": subset,
                "rule": rule,
                "class": name,
                "iou": float(scores.iou[index]),
                "tp": int(scores.tp[index]),
                "fp": int(scores.fp[index]),
                "fn": int(scores.fn[index]),
                "support": int(counts[index].sum()),
            }


def _coverage(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    yield {
        "layer": layer.name,
        "num_points": tally.num_points,
        "num_in_view": tally.num_in_view,
        "num_painted": tally.num_painted,
        "num_painted_in_view": tally.num_painted_in_view,
        "in_view": share(tally.num_in_view, tally.num_points),
        "painted": share(tally.num_painted, tally.num_points),
        "painted_in_view": share(tally.num_painted_in_view, tally.num_in_view),
    }


def _ranges(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    for index, (near_m, far_m) in enumerate(pairwise(RANGE_EDGES_M)):
        counts = tally.of(Subset("range", index))
        where = {"layer": layer.name, "from_m": near_m, "to_m": far_m, "coverage": _coverage_of(counts)}
        yield from (where | figures for figures in _figures(counts, layer))


def _cameras(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    indices = sorted(subset.number for subset in tally.confusions if subset.kind == "camera")
    for index in indices:
        name = layer.cameras[index] if index < len(layer.cameras) else str(index)
        where = {"layer": layer.name, "camera": name}
        yield from (where | figures for figures in _figures(tally.of(Subset("camera", index)), layer))


def _edges(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    for index, name in enumerate(_EDGE_NAMES):
        where = {"layer": layer.name, "depth_edge": name}
        yield from (where | figures for figures in _figures(tally.of(Subset("edge", index)), layer))


def _occlusion(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    for index, name in enumerate(_OCCLUDED_NAMES):
        counts = tally.of(Subset("occluded", index))
        where = {"layer": layer.name, "occluded": name, "coverage": _coverage_of(counts)}
        yield from (where | figures for figures in _figures(counts, layer))


def _coverage_of(counts: Int64) -> float | None:
    return share(int(counts.sum()) - unpainted(counts), int(counts.sum()))


def _figures(counts: Int64, layer: ScoredLayer) -> Iterator[Row]:
    """What the tables of subsets in view tell, a row for each rule."""
    for rule in rules_for(layer.taxonomy):
        scores = _scores(counts, rule, complete=False) if counts.any() else None
        miou = scores.miou if scores else None
        yield {"rule": rule, "miou": miou, "accuracy": accuracy(counts), "num_points": int(counts.sum())}


def _confusion(tally: PointsTally, layer: ScoredLayer) -> Iterator[Row]:
    columns = (*layer.taxonomy.classes, UNPAINTED_NAME)
    for kind, subset in (("all", "all points"), ("view", "points in view")):
        counts = tally.of(Subset(kind))
        for row, column in np.argwhere(counts):
            names = {"truth": layer.taxonomy.classes[row], "prediction": columns[column]}
            yield {"layer": layer.name, "subset": subset, **names, "count": int(counts[row, column])}
