"""A program while it is written: the choices that are left, the names in scope, and the lines so far.

Names are characters of Unicode's private use area until the end, so that a program's shape is known apart from how
things are called. A variable has a weight (``kinds.WEIGHT_UNIT``) that bounds its size: nothing that is written can
grow beyond what the operations on it take.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from producers.generate.brackets import TUPLES, bare
from producers.generate.fingerprint import FIRST_NAME
from producers.generate.kinds import MOST_WEIGHT
from producers.generate.profile import Profile
from producers.generate.template import MOST_RUNS, Rule

INDENT: Final = "    "
ADAPTED: Final = {
    "i": (
        *(("s", "len($)"), ("I", "len($)"), ("S", "len($)"), ("F", "len($)"), ("D", "len($)"), ("M", "len($)")),
        *(("U", "len($)"), ("L", "len($)"), ("N", "len($)"), ("G", "len($)"), ("T", "$[1]"), ("P", "$[1]")),
        *(("b", "int($)"), ("f", "int($ > 0.5)")),
    ),
    "f": (("i", "float($)"), ("s", "float(len($))"), ("I", "float(len($))"), ("b", "float(int($))")),
    "s": (("i", "str($)"), ("P", "$[0]"), ("I", "str(len($))"), ("b", "str(int($))")),
    "b": (("i", "($ > 0)"), ("s", '($ == "a")'), ("I", "(len($) > 1)"), ("S", "(len($) > 1)"), ("f", "($ > 0.5)")),
    "I": (("i", "[$]"), ("U", "sorted($)"), ("s", "[len($)]"), ("S", "[len($)]")),
    "S": (("s", "[$]"), ("i", "[str($)]"), ("D", "sorted($)")),
    "F": (("f", "[$]"), ("i", "[float($)]")),
    "T": (("i", "($, 1)"),),
    "P": (("s", "($, 1)"),),
    "U": (("I", "set($)"), ("i", "{$}")),
    "D": (("s", "{$: 1}"),),
    "M": (("i", "{1: $}"),),
    "L": (("I", "[$]"),),
    "N": (("P", "[$]"),),
    "G": (("I", '{"a": $}'),),
    "O": (("i", "$"),),
    "Q": (("s", "$"),),
}
"""What a variable of another type gives, where there is none of the type that is wanted."""

LONGER: Final = dict.fromkeys("sSF", 2 * MOST_WEIGHT)
"""Types whose values may be longer: nothing converts them to what has less room."""


class Callee(NamedTuple):
    """What an expression may call: text around the arguments, their types, how heavy the result is, what it runs."""

    before: str
    parameters: tuple[str, ...]
    after: str
    weight: int
    runs: int


class Method(NamedTuple):
    """A method of a class: its name, the types of its parameters and its result, how heavy that is."""

    name: str
    parameters: tuple[str, ...]
    result: str
    weight: int


class Draft:
    """One program while it is written."""

    def __init__(self, profile: Profile, choices: bytes) -> None:
        self.profile = profile
        self.byte: Callable[[], int] = partial(next, iter(choices), 0)
        self.rules = profile.expressions
        self.literals = profile.literals
        self.constants = profile.constants
        self.imports: set[str] = set()
        self.kinds: list[str] = []  # of each name: a type's code, or what else it names
        self.classes: dict[str, str] = {}  # code -> name
        self.lines: list[str] = []
        self.indent = ""
        self.unannotated = False
        self.shared: list[tuple[str, str]] = []  # code and name of what all functions see
        self.callees: dict[str, list[Callee]] = {}
        self.methods: dict[str, list[Method]] = {}  # of each class
        self.start_function()

    def start_function(self) -> None:
        """Forget the variables of the function before."""
        self.variables: dict[str, list[str]] = {}
        self.weights: dict[str, int] = {}
        self.declared: list[str] = []  # codes, in the order in which their last names came
        self.mutable: list[tuple[str, str]] = []
        self.accumulators: list[tuple[str, str]] = []
        self.read: set[str] = set()  # containers that something else may hold by now: they are changed no more
        self.fresh: list[tuple[str, str]] = []  # of a statement that is being written
        self.weight = 0
        self.runs = self.most_runs = 1
        self.loops = 0
        self.result, self.result_weight = "i", 1
        for code, name in self.shared:
            self.admit(code, name, 1)

    def expression(self, code: str, depth: int) -> str:
        """Return an expression of a type, at most ``depth`` operations deep."""
        if depth <= 0:
            return self.leaf(code)
        rule = self.choose(code)
        text = rule.build(self, depth - 1) if rule else None
        return self.leaf(code) if text is None else text

    def choose(self, code: str) -> Rule | None:
        """Return the rule that the next choice stands for."""
        table = self.rules.get(code)
        return table[self.byte()] if table else None

    def leaf(self, code: str) -> str:
        """Return a variable, or a literal where there is none or the choice falls so."""
        choice = self.byte()
        names = self.variables.get(code)
        if names and choice & 3:
            name = names[-1] if choice & 0x40 else names[(choice >> 2) % len(names)]  # what is new is to be used
            weight = self.weights[name]
            if weight <= MOST_WEIGHT:
                self.weight += weight
                if code < "a":
                    self.read.add(name)
                return name
        wants_variable = not names or code == "b"  # ``if True`` says nothing
        return (wants_variable and self.adapted(code, choice)) or self.literal(code)

    def adapted(self, code: str, choice: int) -> str | None:
        """Return something of a type made of a variable of another; ``None`` where there is no such variable."""
        there = [(other, form) for other, form in ADAPTED.get(code, ()) if self.variables.get(other)]
        if not there:
            return None
        other, form = there[choice % len(there)]
        names = self.variables[other]
        name = names[choice % len(names)]
        if self.weights[name] > MOST_WEIGHT:
            return None
        self.weight += self.weights[name]
        if other < "a":
            self.read.add(name)
        return form.replace("$", name)

    def literal(self, code: str) -> str:
        """Return a literal of a type."""
        self.weight += 1
        return self.literals[code][self.byte()] if code in self.literals else self.instance(code)

    def instance(self, code: str) -> str:
        """Return an instance of a class of the program."""
        callee = next(one for one in self.callees[code] if one.before.startswith(self.classes[code]))
        return self.call(callee)

    def call(self, callee: Callee) -> str:
        """Return a call with variables or literals as arguments."""
        before = self.weight
        arguments = ", ".join([self.leaf(code) for code in callee.parameters])
        self.weight = before + callee.weight * max(1, self.weight - before)
        self.most_runs = max(self.most_runs, self.runs * callee.runs)
        return f"{callee.before}{arguments}{callee.after}"

    def called(self, code: str) -> str | None:
        """Return a call of something that returns this type; ``None`` where nothing does, or it would run too long."""
        found = self.callees.get(code)
        if not found:
            return None
        callee = found[self.byte() % len(found)]
        return None if self.runs * callee.runs > MOST_RUNS else self.call(callee)

    def variable(self, code: str) -> str:
        """Return a variable of a type, of which there has to be one."""
        names = self.variables[code]
        name = names[self.byte() % len(names)]
        self.weight += self.weights[name]
        if code < "a":
            self.read.add(name)
        return name

    def constant(self, kind: str) -> str:
        """Return a constant of a kind."""
        return self.constants[kind][self.byte()]

    def name(self, kind: str) -> str:
        """Return a new name for something of a type or another kind."""
        self.kinds.append(kind)
        return chr(FIRST_NAME + len(self.kinds) - 1)

    def admit(self, code: str, name: str, weight: int) -> None:
        """Let what follows use a variable."""
        self.variables.setdefault(code, []).append(name)
        self.weights[name] = weight
        self.declared.append(code)

    def declare(self, code: str, weight: int) -> str:
        """Return a new variable that what follows may use."""
        name = self.name(code)
        self.admit(code, name, weight)
        return name

    def release(self, mark: int) -> None:
        """Take the variables out of scope that came since ``len(declared)`` was ``mark``."""
        while len(self.declared) > mark:
            self.variables[self.declared.pop()].pop()

    def repeat(self, times: int) -> bool:
        """Return whether something may run ``times`` times here, and if so count it, until ``runs`` is divided."""
        if self.runs * times > MOST_RUNS:
            return False
        self.runs *= times
        self.most_runs = max(self.most_runs, self.runs)
        return True

    def emit(self, line: str) -> None:
        """Write a line, or several."""
        indent = self.indent
        if "\n" in line:
            line = "\n".join([one and indent + one for one in line.split("\n")])
            self.lines.append(line)
        else:
            self.lines.append(indent + line)

    def value(self, code: str, depth: int) -> tuple[str, int]:
        """Return an expression as it stands alone, small enough to be kept, and its weight."""
        self.weight = 0
        text = self.expression(code, depth)
        if text[0] == "(" and code not in TUPLES:
            text = bare(text)
        weight, most = self.weight, LONGER.get(code, MOST_WEIGHT)
        if weight <= most:
            return text, weight
        if code == "i":
            return f"({text}) % 1009", 1
        if code == "s":
            return f"({text})[:64]", 1
        if code in {"f", "b"}:
            return text, 1
        self.weight = 0
        return self.leaf(code), max(1, self.weight)
