"""``archive status`` and ``compact``: what the archive holds, and fewer files of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from streams.cli.console import AsJson, DataDir, UserError, as_user_error, load_settings, out, print_json, safe

app = typer.Typer(help="What came in, as Parquet: how much there is, and in how many files.", no_args_is_help=True)
GAPS = 1  # exit status where offsets are in no file

Folder = Annotated[Path | None, typer.Option("--archive", help="Its folder; default: the line's.", metavar="D")]


@app.command()
def status(archive: Folder = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what is archived of each table and partition. Exit status 1: offsets are missing between files."""
    from rich.table import Table

    folder = _folder(archive, data_dir)
    rows = _rows(folder)
    if as_json:
        print_json({"archive": str(folder), "partitions": rows})
    else:
        table = Table("table", "part", "offsets", "rows", "files", "kB", "left over", "gaps", box=None)
        for one in rows:
            offsets = f"{one['start']}-{one['end']}"
            shown = [one["rows"], one["files"], round(one["bytes"] / 1000), one["left_over"]]
            gaps = ", ".join(f"{start}-{end}" for start, end in one["gaps"])
            table.add_row(one["table"], str(one["partition"]), offsets, *map(str, shown), gaps)
        out.print(table)
        out.print(f"archive  {safe(folder)}", soft_wrap=True)
    if any(one["gaps"] for one in rows):
        raise typer.Exit(GAPS)


@app.command()
def compact(archive: Folder = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Put each partition's files together. No row is lost or doubled, also when this is killed or the sink goes on."""
    from models.archive.files import ArchiveError, partition_folder, partitions
    from models.archive.files import compact as put_together
    from models.archive.tables import TABLES

    folder, done = _folder(archive, data_dir), []
    with as_user_error(ArchiveError, OSError):
        for table in TABLES:
            for number in partitions(folder, table):
                before, after = put_together(partition_folder(folder, table, number), table)
                done.append({"table": table.name, "partition": number, "before": before, "after": after})
    if as_json:
        print_json(done)
        return
    for one in done:
        out.print(f"{one['table']} {one['partition']}: {one['before']} files → {one['after']}")


def _folder(archive: Path | None, data_dir: str | None) -> Path:
    folder = archive or load_settings(data_dir=data_dir).archive
    if not folder.is_dir():
        raise UserError(f"no archive in {safe(folder)}: `jidoka up` makes one, or name its folder with --archive")
    return folder


def _rows(folder: Path) -> list[dict[str, Any]]:
    from models.archive.files import ArchiveError, chain_of, open_checked, partition_folder, partitions
    from models.archive.tables import TABLES

    found = []
    with as_user_error(ArchiveError, OSError):
        for table in TABLES:
            for number in partitions(folder, table):
                place = partition_folder(folder, table, number)
                chain = chain_of(place)
                files = [place / one.piece.name for one in chain.links]
                found.append(
                    {
                        "table": table.name,
                        "partition": number,
                        "start": chain.links[0].piece.start if chain.links else None,
                        "end": chain.end,
                        "rows": sum(open_checked(file, table).metadata.num_rows for file in files),
                        "files": len(files),
                        "bytes": sum(file.stat().st_size for file in files),
                        "left_over": len(chain.left_over),
                        "gaps": [tuple(one) for one in chain.gaps],
                    }
                )
    return found
