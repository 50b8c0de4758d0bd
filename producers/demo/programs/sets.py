"""Sets, comprehensions, slices, unpacking."""

from collections.abc import Iterable


def unique_sorted(values: list[int]) -> list[int]:
    return sorted(set(values), reverse=True)


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def symmetric(a: list[int], b: list[int]) -> set[int]:
    return set(a) ^ set(b)


def missing_numbers(values: list[int]) -> list[int]:
    return sorted(set(range(min(values), max(values) + 1)) - set(values))


def powerset(items: frozenset[int]) -> set[frozenset[int]]:
    out = {frozenset()}
    for item in items:
        out |= {subset | {item} for subset in out}
    return out


def subset_of(a: Iterable[str], b: Iterable[str]) -> bool:
    return set(a) <= set(b)


def split_at(items: list[int], index: int) -> tuple[list[int], list[int]]:
    return items[:index], items[index:]


def every_other(items: list[str]) -> list[str]:
    return items[::2] + items[1::2]


def last_three(items: list[int]) -> list[int]:
    return items[-3:]


def rotate_list(items: list[int], k: int) -> list[int]:
    k %= len(items)
    return items[-k:] + items[:-k]


def head_tail(items: list[int]) -> int:
    first, *middle, last = items
    return first + last - sum(middle)


def min_max(values: list[float]) -> tuple[float, float]:
    low = high = values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high


def nested_comprehension(rows: list[list[int]]) -> list[int]:
    return [x * 2 for row in rows if row for x in row if x > 0]


def index_by(words: list[str]) -> dict[str, dict[int, str]]:
    return {w[0]: {len(v): v for v in words if v[0] == w[0]} for w in words}


def any_all(rows: list[list[int]]) -> bool:
    return any(all(x > 0 for x in row) for row in rows) and not all(sum(row) for row in rows)


def triples(limit: int) -> list[tuple[int, int, int]]:
    return [(a, b, c) for c in range(1, limit) for b in range(1, c) for a in range(1, b) if a * a + b * b == c * c]


def two_sum(values: list[int], target: int) -> tuple[int, int] | None:
    seen: dict[int, int] = {}
    for i, value in enumerate(values):
        if (other := target - value) in seen:
            return seen[other], i
        seen[value] = i
    return None


def spread(*values: int, scale: float = 1.0) -> float:
    return (max(values) - min(values)) * scale


def call_spread(values: list[int]) -> float:
    return spread(*values, scale=0.5) + spread(1, 2, *values)


def keyword_only(*, name: str, **options: str) -> str:
    return name + "".join(f" {k}={v}" for k, v in options.items())


def zip_dict(keys: list[str], values: list[int]) -> dict[str, int]:
    return dict(zip(keys, values)) | {"total": sum(values)}


def unzip(pairs: list[tuple[str, int]]) -> tuple[list[str], list[int]]:
    names, numbers = zip(*pairs)
    return list(names), list(numbers)


def replace_slice(items: list[int]) -> list[int]:
    items[1:3] = [0]
    del items[-1]
    return items


def multiply_text(n: int) -> list[str]:
    return ["ab" * i + "-" for i in range(n)] * 2


def chain_methods(text: str) -> list[str]:
    return sorted({w.strip().lower() for w in text.replace(",", " ").split() if w}, key=len)[:5]


def count_true(flags: list[bool]) -> int:
    return sum(flags) + flags.count(False) * 0


def last_index(items: list[str], wanted: str) -> int:
    return len(items) - 1 - items[::-1].index(wanted)


def truthy(items: list[int], name: str, table: dict[str, int]) -> str:
    return name or (items and str(items[0])) or ("table" if table else "empty")
