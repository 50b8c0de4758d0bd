"""Abstract classes, protocols, mixins and polymorphism."""

import abc
import math
from typing import Protocol, Union


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self) -> float: ...

    def describe(self) -> str:
        return f"{type(self).__name__} with area {self.area():.2f}"


class Circle(Shape):
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        return math.pi * self.radius**2


class Rectangle(Shape):
    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height

    def area(self) -> float:
        return self.width * self.height


class Square(Rectangle):
    def __init__(self, side: float) -> None:
        super().__init__(side, side)


def total_area(shapes: list[Shape]) -> float:
    return sum(shape.area() for shape in shapes)


def largest(shapes: list[Shape]) -> Shape | None:
    best = None
    for shape in shapes:
        if best is None or shape.area() > best.area():
            best = shape
    return best


class Speaker(Protocol):
    def speak(self) -> str: ...


class Dog:
    def __init__(self, name: str) -> None:
        self.name = name

    def speak(self) -> str:
        return self.name + " says woof"


class Robot:
    serial = 0

    def __init__(self) -> None:
        Robot.serial += 1
        self.number = Robot.serial

    def speak(self) -> str:
        return "beep" * self.number


def chorus(speakers: list[Speaker]) -> str:
    return ", ".join(s.speak() for s in speakers)


class Temperature:
    def __init__(self, celsius: float) -> None:
        self._celsius = celsius

    @property
    def fahrenheit(self) -> float:
        return self._celsius * 9 / 5 + 32

    @fahrenheit.setter
    def fahrenheit(self, value: float) -> None:
        self._celsius = (value - 32) * 5 / 9

    def __lt__(self, other: "Temperature") -> bool:
        return self._celsius < other._celsius

    def __hash__(self) -> int:
        return hash(self._celsius)


def hottest(readings: list[Temperature]) -> Temperature:
    return sorted(readings)[-1]


class Comparable:
    def __gt__(self, other):
        return self.key() > other.key()


class Card(Comparable):
    def __init__(self, rank: int, suit: str) -> None:
        self.rank = rank
        self.suit = suit

    def key(self) -> tuple[int, str]:
        return (self.rank, self.suit)

    def __repr__(self) -> str:
        return f"Card({self.rank!r}, {self.suit!r})"


def deal(ranks: list[int], suits: str) -> list[Card]:
    return [Card(rank, suit) for suit in suits for rank in ranks]


class Money:
    __slots__ = ("amount", "currency")

    def __init__(self, amount: int, currency: str = "EUR") -> None:
        self.amount = amount
        self.currency = currency

    def __sub__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise TypeError("different currencies")
        return Money(self.amount - other.amount, self.currency)

    def __radd__(self, other: int) -> "Money":
        return Money(self.amount + other, self.currency)

    def __format__(self, spec: str) -> str:
        return f"{self.amount / 100:{spec or '.2f'}} {self.currency}"


Value = Union[int, float, str, None]


def show(value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def add_any(a: int | str, b: int | str) -> int | str:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return f"{a}{b}"


class Visitor:
    def visit(self, node):
        method = getattr(self, "visit_" + type(node).__name__.lower(), self.generic)
        return method(node)

    def generic(self, node):
        return None

    def visit_int(self, node):
        return node + 1


class Matrix2:
    def __init__(self, a: int, b: int, c: int, d: int) -> None:
        self.values = (a, b, c, d)

    def __matmul__(self, other: "Matrix2") -> "Matrix2":
        a, b, c, d = self.values
        e, f, g, h = other.values
        return Matrix2(a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)

    def __pow__(self, n: int) -> "Matrix2":
        result = Matrix2(1, 0, 0, 1)
        for _ in range(n):
            result = result @ self
        return result
