"""Small services: stores, clients, handlers, with the standard library only."""

import io
import sqlite3
import urllib.parse
import uuid
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass
class Task:
    title: str
    done: bool = False
    priority: int = 0
    parent: "Task | None" = None

    def finish(self) -> "Task":
        return replace(self, done=True)


class TaskStore:
    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}

    def add(self, title: str, **options: Any) -> str:
        key = uuid.uuid4().hex[:8]
        self.tasks[key] = Task(title, **options)
        return key

    def finish(self, key: str) -> bool:
        task = self.tasks.get(key)
        if task is None or task.done:
            return False
        self.tasks[key] = task.finish()
        return True

    def open_tasks(self) -> list[Task]:
        return sorted((t for t in self.tasks.values() if not t.done), key=lambda t: (-t.priority, t.title))

    def export(self) -> list[dict[str, Any]]:
        return [asdict(task) for task in self.tasks.values()]


def query_string(params: dict[str, str]) -> str:
    return urllib.parse.urlencode(sorted(params.items()))


def host_of(url: str) -> str:
    parts = urllib.parse.urlparse(url)
    return parts.hostname or parts.netloc


def save_rows(path: str, rows: list[tuple[str, int]]) -> int:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table if not exists scores (name text, score integer)")
        connection.executemany("insert into scores values (?, ?)", rows)
        connection.commit()
        return connection.total_changes


def route(path: str, handlers: dict[str, Any]) -> tuple[int, str]:
    for prefix, handler in handlers.items():
        if path.startswith(prefix):
            return 200, handler(path[len(prefix) :])
    return 404, "not found"


def parse_request(raw: str) -> dict[str, Any]:
    head, _, body = raw.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, version = first.split(" ")
    headers = {}
    for line in lines:
        name, value = line.split(": ", 1)
        headers[name.lower()] = value
    return {"method": method, "path": path, "version": version, "headers": headers, "body": body}


def render_template(template: str, values: dict[str, Any]) -> str:
    out = io.StringIO()
    i = 0
    while i < len(template):
        if template[i : i + 2] == "{{":
            end = template.index("}}", i)
            out.write(str(values[template[i + 2 : end].strip()]))
            i = end + 2
        else:
            out.write(template[i])
            i += 1
    return out.getvalue()


class Router:
    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Any] = {}

    def get(self, path: str):
        def register(handler):
            self.routes["GET", path] = handler
            return handler

        return register

    def handle(self, method: str, path: str) -> str:
        handler = self.routes.get((method, path))
        return handler() if handler else "404"


class Circuit:
    def __init__(self, limit: int = 3) -> None:
        self.failures = 0
        self.limit = limit

    def call(self, action, fallback=None):
        if self.failures >= self.limit:
            return fallback
        try:
            result = action()
        except Exception:
            self.failures += 1
            return fallback
        self.failures = 0
        return result


class Builder:
    def __init__(self) -> None:
        self._parts: list[str] = []
        self._limit: int | None = None

    def where(self, clause: str) -> "Builder":
        self._parts.append(clause)
        return self

    def limit(self, n: int) -> "Builder":
        self._limit = n
        return self

    def sql(self, table: str) -> str:
        text = f"select * from {table}"
        if self._parts:
            text += " where " + " and ".join(self._parts)
        return text if self._limit is None else f"{text} limit {self._limit}"


def recent(table: str) -> str:
    return Builder().where("age < 7").where("active").limit(10).sql(table)


def paginate(items: list[str], page: int, size: int = 10) -> dict[str, Any]:
    start = (page - 1) * size
    return {"items": items[start : start + size], "page": page, "more": start + size < len(items)}


def split_bill(total: float, people: list[str]) -> dict[str, float]:
    share = round(total / len(people), 2)
    bill = {person: share for person in people}
    bill[people[0]] += round(total - share * len(people), 2)
    return bill


def mask_card(number: str) -> str:
    return "*" * (len(number) - 4) + number[-4:]


def luhn(number: str) -> bool:
    digits = [int(d) for d in reversed(number)]
    return (sum(digits[0::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0
