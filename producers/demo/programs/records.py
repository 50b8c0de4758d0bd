"""Lists of dictionaries, JSON documents and sorting by keys."""

import json
from collections import ChainMap, Counter, defaultdict, namedtuple
from operator import attrgetter
from typing import Any, TypedDict

Point = namedtuple("Point", ["x", "y"])


class Person(TypedDict):
    name: str
    age: int
    email: str | None


def adults(people: list[Person]) -> list[str]:
    return [p["name"] for p in people if p["age"] >= 18]


def oldest(people: list[Person]) -> str:
    return max(people, key=lambda p: p["age"])["name"]


def by_domain(people: list[Person]) -> dict[str, list[str]]:
    out = defaultdict(list)
    for person in people:
        if email := person["email"]:
            out[email.split("@")[1]].append(person["name"])
    return dict(out)


def invert(table: dict[str, str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for key, value in table.items():
        out.setdefault(value, []).append(key)
    return out


def sort_people(people: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(people, key=lambda p: (-p[1], p[0]))


def sort_in_place(points: list[Point]) -> None:
    points.sort(key=attrgetter("y", "x"))


def to_json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, sort_keys=True)


def total_price(document: str) -> float:
    order = json.loads(document)
    return sum(line["price"] * line.get("quantity", 1) for line in order["lines"])


def dig(document: Any, *path: str) -> Any:
    for key in path:
        if isinstance(document, list):
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document.get(key)
    return document


def flatten_keys(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out = {}
    for key, value in document.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict):
            out.update(flatten_keys(value, name))
        else:
            out[name] = value
    return out


def pivot(rows: list[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row, column, value in rows:
        out[row][column] += value
    return {k: dict(v) for k, v in out.items()}


def difference(old: dict[str, int], new: dict[str, int]) -> dict[str, tuple[int | None, int | None]]:
    return {k: (old.get(k), new.get(k)) for k in old.keys() | new.keys() if old.get(k) != new.get(k)}


def dedupe(items: list[str]) -> list[str]:
    seen: set[str] = set()
    return [x for x in items if not (x in seen or seen.add(x))]


def layered(defaults: dict[str, int], overrides: dict[str, int]) -> int:
    return ChainMap(overrides, defaults)["timeout"]


def merge_counts(a: dict[str, int], b: dict[str, int]) -> Counter[str]:
    return Counter(a) + Counter(b)


def histogram(values: list[int], width: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    for value in values:
        counts[value // width * width] = counts.get(value // width * width, 0) + 1
    return dict(sorted(counts.items()))


def update_all(people: list[dict[str, int]], key: str, by: int) -> int:
    changed = 0
    for person in people:
        if key in person:
            person[key] += by
            changed += 1
    return changed


def drop_empty(table: dict[str, list[int]]) -> dict[str, list[int]]:
    for key in list(table):
        if not table[key]:
            del table[key]
    return table


def join_tables(left: list[dict[str, str]], right: list[dict[str, str]], key: str) -> list[dict[str, str]]:
    index = {row[key]: row for row in right}
    return [{**row, **index[row[key]]} for row in left if row[key] in index]


def nested_total(tree: dict[str, Any]) -> int:
    return sum(nested_total(v) if isinstance(v, dict) else v for v in tree.values())
