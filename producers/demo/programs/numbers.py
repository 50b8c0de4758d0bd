"""Integers and floats mixed, as in everyday scripts."""

import math
import random


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def deviation(values):
    average = sum(values) / len(values)
    return math.sqrt(sum((v - average) ** 2 for v in values) / (len(values) - 1))


def primes(limit: int) -> list[int]:
    sieve = [True] * (limit + 1)
    sieve[0:2] = [False, False]
    for i in range(2, int(limit**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = [False] * len(sieve[i * i :: i])
    return [i for i, flag in enumerate(sieve) if flag]


def factors(n: int) -> dict[int, int]:
    found: dict[int, int] = {}
    divisor = 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            found[divisor] = found.get(divisor, 0) + 1
            n //= divisor
        divisor += 1
    if n > 1:
        found[n] = found.get(n, 0) + 1
    return found


def gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def power(base: float, exponent: int) -> float:
    if exponent < 0:
        return 1 / power(base, -exponent)
    return base**exponent


def monthly_payment(principal: float, yearly: float, months: int) -> float:
    rate = yearly / 12 / 100
    if rate == 0:
        return principal / months
    return principal * rate / (1 - (1 + rate) ** -months)


def collatz(n: int) -> list[int]:
    steps = [n]
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps.append(n)
    return steps


def newton(value: float, tolerance: float = 1e-9) -> float:
    guess = value / 2 or 1
    while abs(guess * guess - value) > tolerance:
        guess = (guess + value / guess) / 2
    return guess


def to_base(n: int, base: int) -> str:
    digits = "0123456789abcdef"
    out = ""
    while n:
        n, rest = divmod(n, base)
        out = digits[rest] + out
    return out or "0"


def estimate_pi(samples: int, seed: int = 0) -> float:
    random.seed(seed)
    inside = 0
    for _ in range(samples):
        x, y = random.random(), random.random()
        inside += x * x + y * y <= 1
    return 4 * inside / samples


def horner(coefficients: list[float], x: float) -> float:
    result = 0
    for coefficient in coefficients:
        result = result * x + coefficient
    return result


def clamp(value, low, high):
    return max(low, min(value, high))


def in_range(value: float, low: float, high: float) -> bool:
    return low <= value < high != 0


def digits_sum(n: int) -> int:
    return sum(int(d) for d in str(abs(n)))


def is_perfect(n: int) -> bool:
    return n > 1 and sum(d for d in range(1, n) if n % d == 0) == n


def quadratic(a: float, b: float, c: float) -> tuple[float, float] | None:
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return None
    root = math.sqrt(discriminant)
    return (-b + root) / (2 * a), (-b - root) / (2 * a)


def round_to(value: float, digits: int = 2) -> float:
    return round(value, digits) if not math.isnan(value) else math.inf


def percentages(counts: dict[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: round(100 * count / total, 1) for name, count in counts.items()}
