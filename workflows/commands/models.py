"""`paintpipe models`."""

from pathlib import Path

import click

from paintpipe.workflows.commands import completion, options, output


@click.group(invoke_without_command=True, short_help="List the networks, fetch weights.")
@output.as_json
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the networks, with licence, source and what each was trained on."""
    if context.invoked_subcommand is None:
        from paintpipe.workflows import models as job

        output.show(output.Said(job.list_text(), job.list_json()), as_json)


@models.command()
@click.argument("name", shell_complete=completion.models)
@click.option("--to", type=options.NEW_FOLDER, help="Folder.  [default: the user's cache]")
@options.quiet
@output.as_json
def fetch(name: str, to: Path | None, quiet: bool, as_json: bool) -> None:
    """Download the weights of network NAME from their published address."""
    from paintpipe.workflows import models as job

    path = job.fetch(name, to, quiet)
    output.show(output.Said(job.fetched_text(name, path), {"model": name, "weights": path}), as_json)
