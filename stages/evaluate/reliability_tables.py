"""The tables of confidence and calibration."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from paintpipe.schemas import tables
from paintpipe.stages.evaluate.reliability import BINS, Bins, ReliabilityTally
from paintpipe.stages.evaluate.tables import Row, as_table


def reliability_tables(tally: ReliabilityTally, layer: str) -> dict[str, pa.Table]:
    """The tables `confidence` (a row) and `reliability` (a row a bin) of one layer."""
    figures: Row = {
        "layer": layer,
        "num_points": tally.num_points,
        "accuracy": tally.accuracy,
        "confidence": tally.confidence,
        "ece": tally.ece,
        "classwise_ece": tally.classwise_ece,
        "nll": tally.nll,
    }
    return {
        "confidence": as_table([figures], tables.CONFIDENCE),
        "reliability": as_table(_bins(tally.top, layer), tables.RELIABILITY),
    }


def calibration_table(
    layer: str, taxonomy: str, temperature: float, selections: Mapping[str, tuple[ReliabilityTally, ReliabilityTally]]
) -> pa.Table:
    """What a temperature does: a row for each selection of frames, from its tallies before and after."""
    rows = (
        {
            "layer": layer,
            "selection": name,
            "taxonomy": taxonomy,
            "temperature": temperature,
            "num_points": before.num_points,
            "accuracy": before.accuracy,
            "nll_before": before.nll,
            "nll_after": after.nll,
            "ece_before": before.ece,
            "ece_after": after.ece,
            "classwise_ece_before": before.classwise_ece,
            "classwise_ece_after": after.classwise_ece,
        }
        for name, (before, after) in selections.items()
    )
    return as_table(rows, tables.CALIBRATION)


def _bins(bins: Bins, layer: str) -> Iterator[Row]:
    confidence, accuracy = bins.confidence, bins.accuracy
    for number in range(BINS):
        yield {
            "layer": layer,
            "bin": number + 1,
            "above": number / BINS,
            "up_to": (number + 1) / BINS,
            "points": int(bins.points[number]),
            "confidence": float(confidence[number]),
            "accuracy": float(accuracy[number]),
        }
