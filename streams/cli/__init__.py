"""The command line; the only place that may import producers and streams together, and does so lazily."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from streams.cli import (
    andon,
    archive,
    augment,
    commits,
    dead_letters,
    distill,
    findings,
    fix,
    generate,
    import_corpus,
    improve,
    label,
    model,
    models,
    monitor,
    oip,
    operate,
    optimize,
    pipeline,
    priorities,
    processes,
    read,
    submit,
    train,
    transpile,
    verify,
    write,
)
from streams.cli.console import UserError, err, out

app = typer.Typer(
    name="jidoka",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    processes,
    write,
    read,
    label,
    model,
    operate,
    oip,
    augment,
    transpile,
    submit,
    verify,
    monitor,
    generate,
    import_corpus,
    improve,
    findings,
    fix,
    priorities,
    train,
    distill,
    optimize,
):
    module.register(app)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Read compile failures as they happen, say what kind of defect each is, and learn from every one."""
    if version:
        out.print(f"jidoka {metadata.version('jidoka')}")
        raise typer.Exit


app.add_typer(andon.app, name="andon")
app.add_typer(archive.app, name="archive")
app.add_typer(commits.app, name="commits")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(models.app, name="models")
app.add_typer(pipeline.app, name="pipeline")

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
