"""The smallest input on which the sides part, tried again, so that nothing that comes and goes is reported."""

from __future__ import annotations

from collections.abc import Sequence

from producers.verify.compare import Did, parted
from producers.verify.driver import MAIN, decode, encode
from producers.verify.inputs import smaller, weight
from producers.verify.python_source import PythonFunction
from producers.verify.sides import Case, Workbench
from producers.verify.verdict import Counterexample

ROUNDS = 6
CANDIDATES = 80  # simpler inputs tried in one round
RETRIED = 3  # of the failing inputs, the smallest
SHOWN = 300  # characters of a value
OTHER_HASH_SEED = 1


def find_smallest(
    bench: Workbench, failing: Sequence[Case], how: str, function: PythonFunction, *, typed: bool
) -> Counterexample | None:
    """Return the smallest input found on which the sides part in the way ``how``.

    Returns nothing if Python answers otherwise under another hash seed (the answer is a matter of chance), or if what
    took too long the first time does not the second.
    """
    best = sorted(failing, key=lambda case: weight(case.arguments))[: 1 if how == "hang" else RETRIED]
    seen = {encode(case.arguments) for case in best}
    kept: tuple[Case, Did, Did] | None = None
    for _ in range(ROUNDS):
        tried = dict(enumerate(best))
        expected, _ = bench.python(tried)
        again, _ = bench.python(tried, OTHER_HASH_SEED)
        steady = {at: case for at, case in tried.items() if at in expected and expected[at] == again.get(at)}
        got = bench.rust({at: case for at, case in steady.items() if expected[at].status not in ("slow", "resource")})
        parting = [at for at in got if parted(expected[at], got[at], function.answer, typed=typed) == how]
        if not parting and kept is None and steady and how != "hang":
            at = min(steady)
            return _told(tried[at], expected[at], None, flaky=True)
        if not parting:
            break
        at = min(parting, key=lambda one: weight(tried[one].arguments))
        kept = (tried[at], expected[at], got[at])
        best = _simpler(tried[at], seen)
        if not best or how == "hang":
            break
    return _told(*kept) if kept else None


def _simpler(case: Case, seen: set[str]) -> list[Case]:
    found = []
    for given in smaller(case.arguments):
        form = encode(given)
        if form not in seen and weight(given) < weight(case.arguments):
            seen.add(form)
            found.append(Case(case.function, given))
        if len(found) == CANDIDATES:
            break
    return found


def _told(case: Case, expected: Did, got: Did | None, *, flaky: bool = False) -> Counterexample:
    call = f"{case.function}({', '.join(map(repr, case.arguments))})" if case.function != MAIN else "the program"
    return Counterexample(
        case.arguments,
        call[:SHOWN],
        _shown(expected, got),
        _shown(got, expected) if got else "something else at times",
        flaky=flaky,
    )


def _shown(did: Did, other: Did | None) -> str:
    """Return what one side did, and with it what it printed or changed where the sides part in that."""
    value = decode(did.value)
    if did.status == "ok":
        text = repr(value)
        if other is not None and did.stdout != other.stdout:
            text += f", printing {did.stdout!r}"
        if other is not None and did.after != other.after and other.status == "ok":
            text += f", leaving its arguments {decode(did.after)!r}"
        return text[:SHOWN]
    words = {"raise": "raises", "panic": "a panic", "err": "an error", "exit": "an exit", "hang": "no end"}
    return f"{words.get(did.status, 'a crash')}: {value}"[:SHOWN]
