"""`paintpipe completion`, and what the shell offers for the values of options."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from paintpipe.schemas.errors import PaintpipeError
from paintpipe.workflows import completions

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_WHERE = {
    "bash": '~/.bashrc:   eval "$(paintpipe completion bash)"',
    "zsh": '~/.zshrc:    eval "$(paintpipe completion zsh)"',
    "fish": "~/.config/fish/config.fish:   paintpipe completion fish | source",
}


def known(names: Callable[[], Iterable[str]]) -> Complete:
    """Completes a value by what paintpipe knows; a value that looks like a path is completed as a file."""

    def complete(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in names() if name.startswith(begun)]
        return found or [CompletionItem(begun, type="file")]

    return complete


def in_workspace(names: Callable[[Path], Iterable[str]], *, several: bool = False) -> Complete:
    """Completes a value, or the last of several between commas, by what the workspace holds."""

    def complete(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        first, comma, last = begun.rpartition(",") if several else ("", "", begun)
        try:
            there = list(names(Path(context.params.get("workspace") or ".")))
        except (PaintpipeError, OSError):
            return []  # no catalog yet, or a damaged one: the command itself will say so
        taken = first.split(",")
        return [CompletionItem(first + comma + name) for name in there if name.startswith(last) and name not in taken]

    return complete


models = known(completions.model_names)
datasets = known(completions.dataset_names)
taxonomies = known(completions.taxonomy_names)
layers = in_workspace(completions.layer_names)
several_layers = in_workspace(completions.layer_names, several=True)
cameras = in_workspace(completions.camera_names, several=True)
sequences = in_workspace(completions.sequence_names, several=True)


@click.command(epilog="\b\n" + "\n".join(_WHERE.values()), short_help="Print the script for the tab key of a shell.")
@click.argument("shell", type=click.Choice(tuple(_WHERE)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete paintpipe's commands, options and names with the tab key.

    Put its line into the shell's start-up file:
    """
    kind: Any = get_completion_class(shell)
    click.echo(kind(context.find_root().command, {}, "paintpipe", "_PAINTPIPE_COMPLETE").source())
