"""Small classes whose methods loop over their own fields and keep what they find."""


class Mailbox:
    def __init__(self) -> None:
        self.inbox: list[str] = []
        self.archive: list[str] = []
        self.latest = ""

    def receive(self, message: str) -> None:
        self.inbox.append(message)
        self.latest = message

    def sweep(self) -> int:
        for message in self.inbox:
            self.archive.append(message)
            self.latest = message
        self.inbox = []
        return len(self.archive)

    def newest(self) -> str:
        return self.latest


class Journal:
    def __init__(self, author: str) -> None:
        self.author = author
        self.entries: list[str] = []

    def write(self, text: str) -> str:
        entry = self.author + ": " + text
        self.entries.append(entry)
        return entry

    def copy_to(self, other: list[str]) -> int:
        for entry in self.entries:
            other.append(entry)
            print(entry)
        return len(other)


class Index:
    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.order: list[str] = []

    def add(self, word: str) -> int:
        if word in self.places:
            return self.places[word]
        self.order.append(word)
        self.places[word] = len(self.order)
        return self.places[word]

    def add_all(self, words: list[str]) -> int:
        for word in words:
            self.order.append(word)
            self.places[word] = len(self.order)
        return len(self.places)


class Chat:
    def __init__(self) -> None:
        self.members: list[str] = []
        self.owner = ""

    def join(self, name: str) -> str:
        self.members.append(name)
        if self.owner == "":
            self.owner = name
        return name

    def invite(self, names: list[str]) -> str:
        joined = ""
        for name in names:
            self.members.append(name)
            joined += name
        return joined


class Tracker:
    def __init__(self) -> None:
        self.current = ""
        self.previous = ""
        self.changes = 0

    def set(self, value: str) -> bool:
        if value == self.current:
            return False
        self.previous = self.current
        self.current = value
        self.changes += 1
        return True

    def undo(self) -> str:
        value = self.current
        self.current = self.previous
        self.previous = value
        return value


class Shelf:
    def __init__(self, books: list[str]) -> None:
        self.books = books
        self.lent: dict[str, str] = {}

    def lend(self, book: str, reader: str) -> bool:
        if book not in self.books:
            return False
        self.books.remove(book)
        self.lent[book] = reader
        return True

    def give_back(self, book: str) -> str:
        reader = self.lent.pop(book)
        self.books.append(book)
        return reader

    def readers(self) -> list[str]:
        return [reader for reader in self.lent.values()]


class Queue:
    def __init__(self) -> None:
        self.items: list[str] = []
        self.history: list[str] = []

    def push(self, item: str) -> "Queue":
        self.items.append(item)
        return self

    def pop(self) -> str:
        item = self.items.pop(0)
        self.history.append(item)
        return item

    def replay(self) -> list[str]:
        seen: list[str] = []
        for item in self.history:
            seen.append(item)
            self.items.append(item)
        return seen


class Settings:
    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.values: dict[str, str] = {}

    def title(self) -> str:
        if self.name is None:
            return "default"
        return self.name

    def set(self, key: str, value: str) -> str:
        old = self.values.get(key, "")
        self.values[key] = value
        return old + value

    def take_name(self) -> str | None:
        name = self.name
        self.name = None
        return name


class Bank:
    def __init__(self) -> None:
        self.balances: dict[str, int] = {}
        self.log: list[str] = []

    def record(self, text: str) -> None:
        self.log.append(text)

    def pay(self, name: str, amount: int) -> int:
        self.record(name)
        self.balances[name] = self.balances.get(name, 0) + amount
        return self.balances[name]

    def interest(self, percent: int) -> int:
        total = 0
        for name, balance in self.balances.items():
            self.record(name)
            total += balance * percent // 100
        return total


class Merger:
    def __init__(self, left: list[int], right: list[int]) -> None:
        self.left = left
        self.right = right

    def merged(self) -> list[int]:
        out = self.left
        for value in self.right:
            out.append(value)
        return out

    def swap(self) -> None:
        left = self.left
        self.left = self.right
        self.right = left

    def longest(self) -> list[int]:
        return self.left if len(self.left) > len(self.right) else self.right


class Matcher:
    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns
        self.hits: list[str] = []

    def match(self, text: str) -> bool:
        for pattern in self.patterns:
            if pattern in text:
                self.hits.append(pattern)
                self.hits.append(text)
                return True
        return False

    def best(self) -> str:
        best = ""
        for hit in self.hits:
            if len(hit) > len(best):
                best = hit
        return best


class Scheduler:
    def __init__(self) -> None:
        self.jobs: list[tuple[int, str]] = []
        self.now = 0

    def tick(self) -> int:
        self.now += 1
        return self.now

    def add(self, delay: int, name: str) -> None:
        self.jobs.append((self.now + delay, name))

    def due(self) -> list[str]:
        ready = []
        for when, name in self.jobs:
            if when <= self.now:
                ready.append(name)
        return ready

    def run(self, ticks: int) -> list[str]:
        done = []
        for _ in range(ticks):
            self.tick()
            for name in self.due():
                done.append(name)
        return done


class Sampler:
    def __init__(self, size: int) -> None:
        self.size = size
        self.kept: list[float] = []
        self.labels: list[str] = []

    def offer(self, value: float, label: str) -> str:
        self.kept.append(value)
        self.labels.append(label)
        if len(self.kept) > self.size:
            self.kept.pop(0)
            self.labels.pop(0)
        return label

    def labelled(self) -> list[tuple[str, float]]:
        return list(zip(self.labels, self.kept))

    def spread(self) -> float:
        values = self.kept
        values.sort()
        return values[-1] - values[0]


class Renamer:
    def __init__(self) -> None:
        self.names: list[str] = []

    def unique(self, name: str) -> str:
        candidate = name
        number = 1
        while candidate in self.names:
            number += 1
            candidate = name + str(number)
        self.names.append(candidate)
        return candidate

    def rename_all(self, names: list[str]) -> dict[str, str]:
        table: dict[str, str] = {}
        for name in names:
            fresh = self.unique(name)
            table[name] = fresh
            self.names.append(name)
        return table


class Route:
    def __init__(self, stops: list[str]) -> None:
        self.stops = stops

    def reversed(self) -> "Route":
        stops = self.stops
        stops.reverse()
        return Route(stops)

    def extended(self, stop: str) -> "Route":
        self.stops.append(stop)
        return Route(self.stops)

    def first(self) -> str:
        return self.stops[0]

    def without(self, unwanted: str) -> list[str]:
        return [stop for stop in self.stops if stop != unwanted]
