"""The command line: the group of commands, and how errors become exit codes and one clear line."""

# isort: off
import paintpipe.workflows.interrupt  # noqa: F401  first of all: from here on, Ctrl-C ends without a traceback

# isort: on
import logging
import os
import sys

import click

from paintpipe import __version__
from paintpipe.workflows.commands.bench import bench
from paintpipe.workflows.commands.calibrate import calibrate
from paintpipe.workflows.commands.check_calibration import check_calibration
from paintpipe.workflows.commands.completion import completion
from paintpipe.workflows.commands.doctor import doctor
from paintpipe.workflows.commands.evaluate import evaluate
from paintpipe.workflows.commands.export import export
from paintpipe.workflows.commands.fuse import fuse
from paintpipe.workflows.commands.ingest import ingest
from paintpipe.workflows.commands.models import models
from paintpipe.workflows.commands.paint import paint
from paintpipe.workflows.commands.plan import plan
from paintpipe.workflows.commands.repaint import repaint
from paintpipe.workflows.commands.report import report
from paintpipe.workflows.commands.status import status
from paintpipe.workflows.commands.synth import demo, synth
from paintpipe.workflows.commands.unlock import unlock
from paintpipe.workflows.commands.verify import verify
from paintpipe.workflows.commands.view import view
from paintpipe.workflows.ending import exit_code, warn_on_stderr


class _InOrder(click.Group):
    """Lists commands in the order in which a job uses them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="paintpipe")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Paint LiDAR points with image segmentation, in bulk.

    Three commands do the job: `paintpipe ingest DATASET ROOT`, `paintpipe paint --model NAME --weights FILE`,
    `paintpipe evaluate`. Try `paintpipe demo` first: it needs no data and no GPU.
    """


_JOBS = (ingest, check_calibration, plan, paint, status, evaluate, report, view, export, calibrate, repaint, fuse)
_CARE = (verify, unlock, bench)
for command in (*_JOBS, *_CARE, models, synth, demo, doctor, completion):
    cli.add_command(command)


def main() -> None:
    """Entry point of the `paintpipe` command."""
    # OpenMP threads that spin while they wait take several times as long where another program holds a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What libraries log is none of the user's business: what went wrong is told in one line of our own.
    logging.getLogger().addHandler(logging.NullHandler())
    warn_on_stderr()
    words = sys.argv[1:]
    sys.exit(exit_code(lambda: cli.main(standalone_mode=False), "--debug" in words, as_json="--json" in words))
