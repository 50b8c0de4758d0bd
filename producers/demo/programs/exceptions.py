"""Exceptions raised, caught, chained and cleaned up after."""

import contextlib
from collections.abc import Iterator


class ConfigError(Exception):
    pass


class ParseError(ConfigError):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


def parse_int(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def safe_divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return float("inf")


def parse_pairs(lines: list[str]) -> dict[str, int]:
    settings: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        key, separator, value = line.partition("=")
        if not separator:
            raise ParseError(number, f"no '=' in {line!r}")
        try:
            settings[key.strip()] = int(value)
        except ValueError as error:
            raise ParseError(number, "not a number") from error
    return settings


def load(lines):
    try:
        settings = parse_pairs(lines)
    except ParseError as error:
        print("cannot read:", error)
        return {}
    else:
        return settings
    finally:
        print("done")


def lookup(table: dict[str, list[int]], key: str, index: int) -> int:
    try:
        return table[key][index]
    except (KeyError, IndexError):
        return -1


def checked_index(items: list[str], index: int) -> str:
    if not 0 <= index < len(items):
        raise IndexError(f"index {index} out of range 0..{len(items) - 1}")
    return items[index]


def first_number(texts: list[str]) -> int:
    for text in texts:
        with contextlib.suppress(ValueError):
            return int(text)
    raise LookupError("no number")


def retry_until(action, attempts: int = 3):
    last = None
    for _ in range(attempts):
        try:
            return action()
        except (OSError, RuntimeError) as error:
            last = error
    raise RuntimeError("gave up") from last


class Transaction:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.open = False

    def __enter__(self) -> "Transaction":
        self.open = True
        return self

    def __exit__(self, kind, value, traceback) -> bool:
        self.log.append("rollback" if kind else "commit")
        self.open = False
        return False


def run_transaction(steps: list[str]) -> list[str]:
    transaction = Transaction()
    with transaction as current:
        for step in steps:
            if step == "fail":
                raise RuntimeError(step)
            current.log.append(step)
    return transaction.log


@contextlib.contextmanager
def section(title: str) -> Iterator[list[str]]:
    lines = [f"<{title}>"]
    try:
        yield lines
    finally:
        lines.append(f"</{title}>")


def document(titles: list[str]) -> str:
    out = []
    for title in titles:
        with section(title) as lines:
            lines.append(title.upper())
        out.extend(lines)
    return "\n".join(out)


def validate_age(age: int) -> int:
    assert isinstance(age, int), "age must be an int"
    if age < 0:
        raise ValueError("negative age")
    elif age > 150:
        raise ValueError("age too large: %d" % age)
    return age


def classify_error(error: Exception) -> str:
    if isinstance(error, (KeyError, IndexError)):
        return "lookup"
    if isinstance(error, ArithmeticError):
        return "arithmetic"
    return type(error).__name__
