"""State machines, enums, pattern matching and interpreters."""

import enum
from typing import NamedTuple


class State(enum.Enum):
    IDLE = "idle"
    RUNNING = "running"
    STOPPED = "stopped"


class Colour(enum.IntEnum):
    RED = 1
    GREEN = 2
    BLUE = 3


class Flags(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    EXECUTE = enum.auto()


class Machine:
    transitions = {
        (State.IDLE, "start"): State.RUNNING,
        (State.RUNNING, "stop"): State.STOPPED,
        (State.STOPPED, "reset"): State.IDLE,
    }

    def __init__(self) -> None:
        self.state = State.IDLE
        self.trace: list[State] = [self.state]

    def fire(self, event: str) -> State:
        key = (self.state, event)
        if key not in self.transitions:
            raise ValueError(f"{event} not allowed in {self.state.value}")
        self.state = self.transitions[key]
        self.trace.append(self.state)
        return self.state


def traffic_light(steps: int) -> list[str]:
    order = ["green", "yellow", "red"]
    return [order[i % len(order)] for i in range(steps)]


def next_colour(colour: Colour) -> Colour:
    return Colour(colour.value % len(Colour) + 1)


def allowed(flags: Flags) -> str:
    return "".join(letter if flag in flags else "-" for flag, letter in zip(Flags, "rwx"))


class Token(NamedTuple):
    kind: str
    text: str
    position: int = 0


def scan(source: str) -> list[Token]:
    tokens = []
    i = 0
    while i < len(source):
        c = source[i]
        if c.isdigit():
            start = i
            while i < len(source) and source[i].isdigit():
                i += 1
            tokens.append(Token("number", source[start:i], start))
            continue
        if c in "+-*/()":
            tokens.append(Token("op", c, i))
        elif not c.isspace():
            raise SyntaxError(f"unexpected {c!r} at {i}")
        i += 1
    return tokens


class Calculator:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self) -> str | None:
        return self.tokens[self.position].text if self.position < len(self.tokens) else None

    def advance(self) -> Token:
        self.position += 1
        return self.tokens[self.position - 1]

    def expression(self) -> float:
        value = self.term()
        while self.peek() in ("+", "-"):
            if self.advance().text == "+":
                value += self.term()
            else:
                value -= self.term()
        return value

    def term(self) -> float:
        value = self.factor()
        while self.peek() in ("*", "/"):
            value = value * self.factor() if self.advance().text == "*" else value / self.factor()
        return value

    def factor(self) -> float:
        token = self.advance()
        if token.text == "(":
            value = self.expression()
            self.advance()
            return value
        return float(token.text)


def evaluate_rpn(tokens: list[str]) -> float:
    stack: list[float] = []
    for token in tokens:
        match token:
            case "+":
                stack.append(stack.pop() + stack.pop())
            case "*":
                stack.append(stack.pop() * stack.pop())
            case "-" | "/":
                b, a = stack.pop(), stack.pop()
                stack.append(a - b if token == "-" else a / b)
            case _:
                stack.append(float(token))
    return stack[0]


def describe(shape: tuple[str, float]) -> str:
    match shape:
        case ("circle", radius):
            return f"circle of {radius}"
        case ("square", side) if side > 0:
            return f"square of {side}"
        case _:
            return "unknown"


def run_program(program: list[tuple[str, int]]) -> dict[str, int]:
    registers = {"acc": 0, "pc": 0}
    seen: set[int] = set()
    while registers["pc"] < len(program) and registers["pc"] not in seen:
        seen.add(registers["pc"])
        name, value = program[registers["pc"]]
        if name == "add":
            registers["acc"] += value
        registers["pc"] += value if name == "jump" else 1
    return registers


def count_states(states: list[State]) -> dict[str, int]:
    return {s.name: states.count(s) for s in State}


def parse_state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        return State[text.upper()]


class Turtle:
    headings = [(0, 1), (1, 0), (0, -1), (-1, 0)]

    def __init__(self) -> None:
        self.x = self.y = 0
        self.heading = 0

    def walk(self, commands: str) -> tuple[int, int]:
        for command in commands:
            if command == "L":
                self.heading = (self.heading - 1) % 4
            elif command == "R":
                self.heading = (self.heading + 1) % 4
            else:
                dx, dy = self.headings[self.heading]
                self.x += dx * int(command)
                self.y += dy * int(command)
        return self.x, self.y
