"""`paintpipe models`."""

from pathlib import Path

import click

from paintpipe.workflows.commands import options


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the networks, with licence, source and what each was trained on."""
    if context.invoked_subcommand is None:
        from paintpipe.workflows import models as job

        click.echo(job.list_text())


@models.command()
@click.argument("name")
@click.option("--to", type=options.NEW_FOLDER, help="Folder.  [default: the user's cache]")
@options.quiet
def fetch(name: str, to: Path | None, quiet: bool) -> None:
    """Download the weights of network NAME from their published address."""
    from paintpipe.workflows import models as job

    click.echo(job.fetch(name, to, quiet))
