"""``augment``: more programs out of programs, shipped only through the quality gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.console import AsJson, UserError, as_user_error, err, out, print_json, safe
from streams.cli.transpile import Programs

if TYPE_CHECKING:
    from producers.augment import Augmentation, Augmenter, Failure, Gates

FAILED = 1
AUGMENTERS = ("eda", "mutate", "template")
CHECKED = 200  # variants that are run beside their originals, unless all are
GATES = "quality-gates.toml"

Chance = Annotated[float, typer.Option(min=0.0, max=1.0, help="That it acts at a place.", metavar="P")]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(augment)


def augment(
    programs: Programs,
    output: Annotated[Path, typer.Option(help="Write originals and variants here.", metavar="F.parquet")],
    factor: Annotated[float, typer.Option(help="Programs for each original, itself counted.")] = 5.0,
    augmenters: Annotated[str, typer.Option(help=f"Some of {', '.join(AUGMENTERS)}.")] = ",".join(AUGMENTERS),
    rename: Chance = 0.1,
    insert: Chance = 0.1,
    swap: Chance = 0.1,
    delete: Chance = 0.1,
    gates: Annotated[Path | None, typer.Option(help=f"Thresholds; default: {GATES} here.", metavar="F.toml")] = None,
    check_all: Annotated[bool, typer.Option("--check-all", help=f"Run all variants, not {CHECKED}.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same variants.")] = 42,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N programs.", metavar="N")] = None,
    as_json: AsJson = False,
) -> None:
    """Make variants of programs: alike in behaviour (eda), changed in one place (mutate), or with a caller (template).

    Variants that promise to behave alike are run beside their originals. Where a gate is not passed nothing is written,
    an event goes to the andon of the line that is up, and the exit status is 1.
    """
    try:
        from producers.augment import Augmentation, GateError, Gates, read_gates
    except ImportError as error:
        raise UserError(f"augment needs the extra: pip install 'jidoka[augment]' ({error})") from None
    from producers.augment.table import Withheld
    from producers.transpile.inputs import InputsError, open_inputs

    chances = {"rename": rename, "insert": insert, "swap": swap, "delete": delete}
    file = gates or (Path(GATES) if Path(GATES).is_file() else None)
    with as_user_error(GateError, ValueError):
        thresholds = read_gates(file) if file else Gates()
        run = Augmentation(_chosen(augmenters, chances), thresholds, factor, seed)
    with as_user_error(InputsError, OSError):
        inputs = open_inputs(programs)
        count = min(inputs.count, limit or inputs.count)
        checked = _checking(run, 1.0 if check_all else CHECKED / max(count * (factor - 1.0), 1.0))
        provenance = {"factor": factor, "seed": seed, "augmenters": augmenters, "chances": chances}
        failures: list[Failure] = []
        with suppress(Withheld):
            _write(output, run, (one.text for one in inputs), count, provenance, failures)
    _tell(_document(run, thresholds, failures, checked, None if failures else output), as_json)
    _pull_the_cord(failures)


def _pull_the_cord(failures: list[Failure]) -> None:
    """Tell the andon of gates that were not passed, and end with the status that says so."""
    from streams.cli.gate_events import tell_andon

    for one in failures:
        tell_andon(one.condition, f"augment: {one}; nothing was written", one.value, one.threshold)
    if failures:
        raise typer.Exit(FAILED)


def _chosen(names: str, chances: dict[str, float]) -> list[Augmenter]:
    from producers.augment import Eda, Mutate, Template

    there: dict[str, Any] = {"eda": lambda: Eda(chances), "mutate": Mutate, "template": Template}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in there]:
        raise UserError(f"--augmenters {safe(unknown[0])}: allowed are {', '.join(AUGMENTERS)}")
    if not wanted:
        raise UserError(f"--augmenters: give one at least; there are {', '.join(AUGMENTERS)}")
    return [there[name]() for name in wanted]


def _checking(run: Augmentation, share: float) -> list[int]:
    """Let a share of the variants be run; return a list whose only number counts them."""
    import hashlib

    from producers.augment.behaviour import behaves_alike

    checked = [0]

    def same(one: str, other: str) -> bool:
        drawn = int.from_bytes(hashlib.sha256(other.encode()).digest()[:6]) / 2**48
        if drawn >= share:
            return True
        checked[0] += 1
        return behaves_alike(one, other)

    run.same = same
    return checked


def _write(
    output: Path,
    run: Augmentation,
    programs: Iterable[str],
    count: int,
    provenance: dict[str, Any],
    failures: list[Failure],
) -> None:
    """Write what passes; raises ``Withheld``, and writes nothing, where a gate is not passed."""
    from itertools import islice

    from rich.progress import track

    from producers.augment import check
    from producers.augment.table import Withheld, writing

    with writing(output, provenance) as writer:

        def seen() -> Iterator[str]:
            shown = track(islice(programs, count), "augmenting", total=count, console=err, disable=not err.is_terminal)
            for program in shown:
                writer.original(program)
                yield program

        for variant in run.variants(seen()):
            writer.variant(variant)
        failures += check(run.tally.measured(), run.gates)
        if failures:
            raise Withheld


def _document(
    run: Augmentation, gates: Gates, failures: list[Failure], checked: list[int], output: Path | None
) -> dict[str, Any]:
    measured, tally = run.tally.measured(), run.tally
    return {
        "originals": tally.originals,
        "variants": tally.accepted,
        "rejected": dict(tally.rejected),
        "checked_by_running": checked[0],
        "syntax_validity": measured.syntax_validity,
        "diversity": round(measured.diversity, 4),
        "rejection": round(measured.rejection, 4),
        "gates": vars(gates),
        "failed": [{"gate": one.gate, "condition": one.condition, "said": str(one)} for one in failures],
        "output": str(output) if output else None,
    }


def _tell(said: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(said)
        return
    refused = ", ".join(f"{count} for {reason}" for reason, count in said["rejected"].items())
    out.print(
        f"{said['originals']:,} programs, {said['variants']:,} variants; {said['checked_by_running']:,} run beside "
        f"their originals; turned away: {refused or 'none'}; diversity {said['diversity']:.2f}",
        soft_wrap=True,
    )
    for one in said["failed"]:
        err.print(f"[red]{one['condition']}:[/red] {one['said']}; nothing was written", soft_wrap=True)
    if said["output"]:
        out.print(f"written: {safe(said['output'])}", soft_wrap=True)
