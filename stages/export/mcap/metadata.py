"""What a file says of itself."""

import json
from collections.abc import Iterator

from paintpipe.schemas.export import ExportFacts


def metadata(facts: ExportFacts, sequence: str, times: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Metadata records: what this file is, what labels and cameras mean, and the export's card."""
    info = facts.info
    yield (
        "paintpipe",
        {
            "dataset": info.dataset,
            "dataset_version": info.version,
            "layer": facts.layer,
            "sequence": sequence,
            "taxonomy": facts.taxonomy.name,
            "times": times,
        },
    )
    colours = ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in facts.taxonomy.colors_rgb]
    pairs = zip(facts.taxonomy.classes, colours, strict=True)
    yield (
        "labels",
        {str(label): f"{name} {colour}" for label, (name, colour) in enumerate(pairs)} | {"255": "unpainted"},
    )
    yield "cameras", {str(number): name for number, name in enumerate(facts.camera_names)}
    yield "card", {"json": json.dumps(facts.card, sort_keys=True)}
