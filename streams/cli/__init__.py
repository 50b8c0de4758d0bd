"""The command line; the only place that may import producers and streams together, and does so lazily."""

from __future__ import annotations

import sys

import typer

from streams.cli import dead_letters, model, operate, processes, read, write
from streams.cli.console import UserError, err

app = typer.Typer(
    name="jidoka",
    help="Reads compile failures as they happen, says what kind of defect each is, and learns from every one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (processes, write, read, model, operate):
    module.register(app)
app.add_typer(dead_letters.app, name="dead-letters")

USAGE, INTERRUPTED = 2, 130


def main() -> None:
    """Run the command line: 0 done, 1 done with rejections or not healthy, 2 not possible as asked, 130 interrupted."""
    try:
        app(standalone_mode=True)
    except UserError as error:
        err.print(f"[red]jidoka:[/red] {error}", highlight=False, soft_wrap=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
