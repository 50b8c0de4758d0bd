"""Simulation, statistics and search in plain Python."""

import bisect
import cmath
import math
import random
import statistics
from decimal import Decimal
from fractions import Fraction


def linear_fit(xs: list[float], ys: list[float]) -> tuple[float, float]:
    n = len(xs)
    mx, my = sum(xs) / n, sum(ys) / n
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)
    return slope, my - slope * mx


def moving_average(values: list[float], width: int) -> list[float]:
    return [sum(values[i : i + width]) / width for i in range(len(values) - width + 1)]


def normalise(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(v - low) / (high - low) for v in values]


def softmax(values):
    peak = max(values)
    exponents = [math.exp(v - peak) for v in values]
    return [e / sum(exponents) for e in exponents]


def random_walk(steps: int, seed: int) -> list[int]:
    rng = random.Random(seed)
    position, path = 0, [0]
    for _ in range(steps):
        position += rng.choice([-1, 1])
        path.append(position)
    return path


def shuffle_deck(seed: int) -> list[str]:
    deck = [rank + suit for suit in "SHDC" for rank in "A23456789TJQK"]
    random.Random(seed).shuffle(deck)
    return deck[:5]


def weighted_choice(weights: dict[str, float]) -> str:
    point = random.uniform(0, sum(weights.values()))
    for name, weight in weights.items():
        point -= weight
        if point <= 0:
            return name
    return name


def bisection(f, low: float, high: float, steps: int = 50) -> float:
    for _ in range(steps):
        middle = (low + high) / 2
        if f(low) * f(middle) <= 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def integrate(f, a, b, n=100):
    width = (b - a) / n
    return width * (f(a) / 2 + sum(f(a + i * width) for i in range(1, n)) + f(b) / 2)


def insert_sorted(values: list[int], value: int) -> int:
    position = bisect.bisect_left(values, value)
    values.insert(position, value)
    return position


def grade(score: float) -> str:
    return "FDCBA"[bisect.bisect([60, 70, 80, 90], score)]


def summary(values: list[float]) -> dict[str, float]:
    return {"mean": statistics.mean(values), "stdev": statistics.stdev(values), "median": statistics.median(values)}


def harmonic(n: int) -> Fraction:
    return sum((Fraction(1, k) for k in range(1, n + 1)), Fraction(0))


def invoice(prices: list[str], tax: str = "0.19") -> Decimal:
    net = sum((Decimal(price) for price in prices), Decimal(0))
    return (net * (1 + Decimal(tax))).quantize(Decimal("0.01"))


def roots_of_unity(n: int) -> list[complex]:
    return [cmath.exp(2j * math.pi * k / n) for k in range(n)]


def mandelbrot(c: complex, limit: int = 50) -> int:
    z = 0j
    for i in range(limit):
        z = z * z + c
        if abs(z) > 2:
            return i
    return limit


def binomial(n: int, k: int) -> int:
    return math.factorial(n) // (math.factorial(k) * math.factorial(n - k))


def knapsack(weights: list[int], values: list[int], capacity: int) -> int:
    best = [0] * (capacity + 1)
    for weight, value in zip(weights, values):
        for c in range(capacity, weight - 1, -1):
            best[c] = max(best[c], best[c - weight] + value)
    return best[capacity]


def longest_increasing(values: list[int]) -> int:
    tails: list[int] = []
    for value in values:
        i = bisect.bisect_left(tails, value)
        if i == len(tails):
            tails.append(value)
        else:
            tails[i] = value
    return len(tails)


def coin_change(coins: list[int], amount: int) -> int:
    best = [0] + [math.inf] * amount
    for target in range(1, amount + 1):
        best[target] = min((best[target - c] + 1 for c in coins if c <= target), default=math.inf)
    return -1 if best[amount] == math.inf else int(best[amount])


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    lat1, lon1, lat2, lon2 = map(math.radians, (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 6371 * 2 * math.asin(math.sqrt(h))


def queens(n: int) -> int:
    def place(row: int, columns: set[int], up: set[int], down: set[int]) -> int:
        if row == n:
            return 1
        return sum(
            place(row + 1, columns | {c}, up | {row + c}, down | {row - c})
            for c in range(n)
            if c not in columns and row + c not in up and row - c not in down
        )

    return place(0, set(), set(), set())


def permutations(items: list[int]) -> list[list[int]]:
    if not items:
        return [[]]
    return [[x, *rest] for i, x in enumerate(items) for rest in permutations(items[:i] + items[i + 1 :])]


def simulate_queue(arrivals: list[float], service: float) -> float:
    free_at, waited = 0.0, []
    for t in arrivals:
        start = max(t, free_at)
        waited.append(start - t)
        free_at = start + service
    return sum(waited) / max(1, len(waited))
