"""Values shared, moved, changed while read: what a borrow checker has opinions about."""


def longest_of(a: list[int], b: list[int]) -> list[int]:
    return a if len(a) >= len(b) else b


def remove_while_iterating(items: list[int]) -> list[int]:
    for item in items[:]:
        if item % 2 == 0:
            items.remove(item)
    return items


def append_first(items: list[str]) -> list[str]:
    first = items[0]
    items.append(first)
    items.append(first)
    return items


def swap_ends(items: list[str]) -> list[str]:
    items[0], items[-1] = items[-1], items[0]
    return items


def share(rows: list[list[int]]) -> list[list[int]]:
    row = rows[0]
    rows.append(row)
    row.append(99)
    return rows


def use_after_move(names: list[str]) -> tuple[list[str], int]:
    kept = names
    other = names
    other.append("x")
    return kept, len(names)


def update_self(table: dict[str, int]) -> dict[str, int]:
    for key in table:
        table[key] = table[key] + table.get("base", 0)
    return table


def pop_until(items: list[int], limit: int) -> int:
    total = 0
    while items and total < limit:
        total += items.pop()
        items.insert(0, total)
    return total


def consume_twice(words: list[str]) -> str:
    joined = ", ".join(words)
    counted = {word: len(word) for word in words}
    words.sort()
    return joined + str(counted) + words[0]


def nested_change(table: dict[str, list[int]], key: str) -> int:
    values = table[key]
    values.append(len(table))
    table["other"] = values
    return len(values) + len(table[key])


def pass_around(text: str) -> str:
    def shout(t: str) -> str:
        return t.upper()

    loud = shout(text)
    louder = shout(text) + shout(loud)
    return text + louder


class Graph:
    def __init__(self) -> None:
        self.edges: dict[str, list[str]] = {}
        self.visited: set[str] = set()

    def connect(self, a: str, b: str) -> "Graph":
        self.edges.setdefault(a, []).append(b)
        self.edges.setdefault(b, []).append(a)
        return self

    def visit(self, start: str) -> list[str]:
        order = [start]
        self.visited.add(start)
        for neighbour in self.edges[start]:
            if neighbour not in self.visited:
                order += self.visit(neighbour)
        return order


class Board:
    def __init__(self, cells: list[str]) -> None:
        self.cells = cells
        self.moves: list[tuple[int, str]] = []

    def play(self, position: int, player: str) -> bool:
        if self.cells[position] != " ":
            return False
        self.cells[position] = player
        self.moves.append((position, player))
        return True

    def winner(self) -> str | None:
        lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
        for a, b, c in lines:
            if self.cells[a] == self.cells[b] == self.cells[c] != " ":
                return self.cells[a]
        return None

    def copy(self) -> "Board":
        clone = Board(self.cells)
        clone.moves = self.moves
        return clone


class Player:
    def __init__(self, name: str) -> None:
        self.name = name
        self.friends: list[Player] = []
        self.best: Player | None = None

    def befriend(self, other: "Player") -> None:
        self.friends.append(other)
        other.friends.append(self)
        if self.best is None:
            self.best = other


class Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.errors: list[str] = []

    def word(self) -> str:
        start = self.position
        while self.position < len(self.text) and self.text[self.position].isalnum():
            self.position += 1
        return self.text[start : self.position]

    def words(self) -> list[str]:
        out = []
        while self.position < len(self.text):
            piece = self.word()
            if piece:
                out.append(piece)
            else:
                self.errors.append(f"skipped {self.text[self.position]}")
                self.position += 1
        return out


def reuse_in_loop(names: list[str], prefix: str) -> list[str]:
    out = []
    for name in names:
        label = prefix
        label += name
        out.append(label)
        out.append(prefix)
    return out


def collect_and_return(words: list[str]) -> tuple[str, list[str], dict[str, int]]:
    last = words[-1]
    table = {}
    for i, word in enumerate(words):
        table[word] = i
    return last, words, table


def window_max(values: list[int], k: int) -> list[int]:
    best = []
    for i in range(len(values) - k + 1):
        window = values[i : i + k]
        best.append(max(window))
    return best


def partition(values: list[int]) -> tuple[list[int], list[int]]:
    pivot = values.pop(0)
    low = [v for v in values if v < pivot]
    high = [v for v in values if v >= pivot]
    low.append(pivot)
    return low, high


def quicksort(values: list[int]) -> list[int]:
    if len(values) <= 1:
        return values
    head, *rest = values
    return quicksort([v for v in rest if v < head]) + [head] + quicksort([v for v in rest if v >= head])


def replace_in_place(rows: list[dict[str, str]], old: str, new: str) -> None:
    for row in rows:
        for key, value in row.items():
            if value == old:
                row[key] = new
