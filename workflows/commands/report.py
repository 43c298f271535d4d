"""`paintpipe report`."""

from typing import Any

import click

from paintpipe.workflows.commands import completion, options, output


@click.command(short_help="One HTML page: what ran, how good, which frames.")
@options.workspace
@output.as_json
@click.option(
    "--layer", help="Whose frames to show.  [default: the last one painted]", shell_complete=completion.layers
)
@options.count("--frames", 50, "So many best and worst frames with pictures.", least=0, default=3)
@click.option("--out", type=options.NEW_FILE, help="The page.  [default: report.html in the workspace]")
def report(as_json: bool, **given: Any) -> int:
    """Write one HTML page: what ran, how good it is, the best and the worst frames."""
    from paintpipe.workflows import report as job

    path = job.report(job.ReportRequest(**given))
    return output.show(output.Said(f"page: {path}", {"page": path}), as_json)
