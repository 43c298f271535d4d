"""`classes.csv`: what labels count in, beside files that hold numbers alone."""

import csv
import io

from paintpipe.schemas.export import ExportFacts

CLASSES_FILE = "classes.csv"


def classes_table(facts: ExportFacts) -> bytes:
    """CSV with `label,class,red,green,blue,score_column`; the last is a column's place among the scores, or empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("label", "class", "red", "green", "blue", "score_column"))
    for label, (name, color) in enumerate(zip(facts.taxonomy.classes, facts.taxonomy.colors_rgb, strict=True)):
        place = facts.channels.index(name) if name in facts.channels else ""
        writer.writerow((label, name, *color, place))
    return text.getvalue().encode()
