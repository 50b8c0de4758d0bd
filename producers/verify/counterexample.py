"""The smallest input on which the sides part, tried again, so that nothing that comes and goes is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from producers.verify.compare import Did, parted
from producers.verify.driver import MAIN, decode, encode
from producers.verify.inputs import smaller, weight
from producers.verify.python_source import PythonFunction
from producers.verify.sides import Case, Workbench
from producers.verify.verdict import Counterexample

ROUNDS = 5
CANDIDATES = 60  # simpler inputs tried in one round
RETRIED = 3  # of the failing inputs, the smallest
SHOWN = 300  # characters of a value
OTHER_HASH_SEED = 1


@dataclass
class Search:
    """The search for one function: inputs that failed in the way ``how``, then ever simpler ones."""

    function: PythonFunction
    typed: bool
    how: str
    tried: list[Case]
    told: dict[str, Did]  # what Python did on these, by the form of the arguments
    kept: tuple[Case, Did, Did | None] | None = None
    seen: set[str] = field(default_factory=set)

    def take(self, results: Sequence[tuple[Case, Did, Did | None]]) -> None:
        """Keep the smallest input that still fails in this way, and make simpler ones of it; none where none does."""
        parting = [
            (case, expected, got)
            for case, expected, got in results
            if got is not None and parted(expected, got, self.function.answer, typed=self.typed) == self.how
        ]
        if parting:
            self.kept = min(parting, key=lambda one: weight(one[0].arguments))
        elif self.kept is None and results and self.how != "hang":
            self.kept = (results[0][0], results[0][1], None)  # it does otherwise at times
        last = not parting or self.how in ("hang", "overflow") or self.kept is None
        self.tried = [] if last or self.kept is None else _simpler(self.kept[0], self.seen)

    @property
    def found(self) -> Counterexample | None:
        """Return the smallest one, or nothing where Python gives no steady answer."""
        return _told(*self.kept) if self.kept else None


def find_smallest(bench: Workbench, searches: Sequence[Search]) -> None:
    """Let each search find the smallest input on which the sides part, all of them in the same few processes.

    Nothing is found where Python answers otherwise under another hash seed (the answer is a matter of chance), or
    where what took too long the first time does not the second.
    """
    for one in searches:
        few = {"hang": 1, "overflow": 1}.get(one.how, RETRIED)
        one.tried = sorted(one.tried, key=lambda case: weight(case.arguments))[:few]
        one.seen = {encode(case.arguments) for case in one.tried}
    alone = [one for one in searches if one.how in ("hang", "crash")]  # each such input ends a process
    for group in (*([one] for one in alone), [one for one in searches if one not in alone]):
        for at in range(ROUNDS):
            _round(bench, group, first=at == 0)


def _round(bench: Workbench, searches: Sequence[Search], *, first: bool) -> None:
    numbered = [(one, case) for one in searches for case in one.tried]
    tried = {at: case for at, (_, case) in enumerate(numbered)}
    if not tried:
        return
    expected, _ = bench.python(tried, OTHER_HASH_SEED if first else 0)
    again = {at: one.told[encode(case.arguments)] for at, (one, case) in enumerate(numbered)} if first else expected
    steady = {
        at: case
        for at, case in tried.items()
        if at in expected and expected[at] == again.get(at) and expected[at].status not in ("slow", "resource")
    }
    got = bench.rust(steady)
    for one in searches:
        if one.tried:
            one.take([(steady[at], expected[at], got.get(at)) for at in steady if numbered[at][0] is one])


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


def _told(case: Case, expected: Did, got: Did | None) -> Counterexample:
    call = f"{case.function}({', '.join(map(repr, case.arguments))})" if case.function != MAIN else "the program"
    return Counterexample(
        case.arguments,
        call[:SHOWN],
        _shown(expected, got),
        _shown(got, expected) if got else "something else at times",
        flaky=got is None,
        answered=_answered(expected),
    )


def _answered(did: Did) -> str:
    value = decode(did.value)
    return type(value).__name__ if did.status == "ok" else str(value).partition(":")[0]


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
