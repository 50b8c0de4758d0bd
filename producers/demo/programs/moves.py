"""Objects handed around, stored twice, changed while others look at them."""

from dataclasses import dataclass


class Ticket:
    def __init__(self, number: int, owner: str) -> None:
        self.number = number
        self.owner = owner

    def label(self) -> str:
        return f"{self.number}:{self.owner}"


class Parcel:
    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.marks: list[str] = []

    def mark(self, text: str) -> None:
        self.marks.append(text)


class Depot:
    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.total = 0

    def note(self, weight: int) -> None:
        self.total += weight

    def add(self, parcel: Parcel) -> int:
        self.parcels.append(parcel)
        self.note(parcel.weight)
        return parcel.weight

    def recount(self) -> int:
        self.total = 0
        for parcel in self.parcels:
            self.note(parcel.weight)
        return self.total

    def first(self) -> Parcel:
        return self.parcels[0]

    def take(self) -> list[Parcel]:
        parcels = self.parcels
        self.parcels = []
        return parcels


@dataclass
class Step:
    name: str
    cost: int


@dataclass
class Plan:
    steps: list[Step]
    title: str

    def cheapest(self) -> str:
        best = self.steps[0]
        for step in self.steps:
            if step.cost < best.cost:
                best = step
        return best.name

    def rename(self, title: str) -> str:
        old = self.title
        self.title = title
        return old


def store_twice(number: int) -> int:
    ticket = Ticket(number, "ann")
    queue = [ticket]
    archive = [ticket]
    return len(queue) + len(archive) + ticket.number


def hand_over(owner: str) -> str:
    ticket = Ticket(1, owner)
    holder = ticket
    return holder.label() + ticket.label()


def same_in_loop(count: int) -> int:
    parcel = Parcel(5)
    depot = Depot()
    for _ in range(count):
        depot.add(parcel)
    return depot.total


def mark_all(parcels: list[Parcel], text: str) -> int:
    for parcel in parcels:
        parcel.mark(text)
    return len(parcels)


def heaviest(parcels: list[Parcel]) -> Parcel:
    best = parcels[0]
    for parcel in parcels:
        if parcel.weight > best.weight:
            best = parcel
    return best


def change_then_read(steps: list[Step]) -> int:
    first = steps[0]
    steps.append(Step("extra", first.cost))
    first.cost = 0
    return first.cost + len(steps)


def plan_total(plan: Plan) -> int:
    steps = plan.steps
    title = plan.title
    return sum(step.cost for step in steps) + len(title) + len(plan.title)


def group_steps(steps: list[Step]) -> dict[str, list[Step]]:
    groups: dict[str, list[Step]] = {}
    for step in steps:
        if step.name not in groups:
            groups[step.name] = []
        groups[step.name].append(step)
    return groups


def move_into_dict(words: list[str]) -> int:
    table: dict[str, list[str]] = {}
    table["all"] = words
    table["again"] = words
    return len(words) + len(table)


def choose(first: Ticket, second: Ticket, left: bool) -> Ticket:
    return first if left else second


def choose_name(first: str, second: str) -> str:
    if len(first) > len(second):
        return first
    return second


def strip_both(text: str) -> tuple[str, str]:
    left = text.strip()
    return left, text


def split_first(line: str) -> str:
    parts = line.split(",")
    return parts[0]


def swap_objects(a: Ticket, b: Ticket) -> tuple[Ticket, Ticket]:
    a, b = b, a
    return a, b


def counter_closure(words: list[str]) -> int:
    total = 0

    def add(word: str) -> None:
        nonlocal total
        total += len(word)

    for word in words:
        add(word)
    return total


def collect_closure(words: list[str]) -> list[str]:
    kept: list[str] = []
    keep = lambda word: kept.append(word)
    for word in words:
        keep(word)
    kept.append("end")
    return kept


def suffix_closure(suffix: str, words: list[str]) -> str:
    add = lambda word: word + suffix
    joined = "".join([add(word) for word in words])
    return joined + suffix


def make_greeter(greeting: str):
    def greet(name: str) -> str:
        return greeting + ", " + name

    return greet


def make_bounded(low: int, high: int):
    return lambda value: max(low, min(high, value))


def drain(queue: list[Ticket]) -> list[str]:
    labels = []
    while queue:
        ticket = queue.pop()
        labels.append(ticket.label())
        if ticket.number > 100:
            queue.append(ticket)
            break
    return labels


def rename_owner(ticket: Ticket, owner: str) -> Ticket:
    ticket.owner = owner
    return ticket


def bump_all(numbers: list[int]) -> None:
    for i in range(len(numbers)):
        numbers[i] += 1


def bump_twice(numbers: list[int]) -> int:
    bump_all(numbers)
    bump_all(numbers)
    return numbers[0]


def fill(table: dict[str, int], names: list[str]) -> None:
    for name in names:
        table[name] = len(table)


def fill_twice(names: list[str]) -> dict[str, int]:
    table: dict[str, int] = {}
    fill(table, names)
    fill(table, names)
    return table


def longest_line(text: str) -> str:
    best = ""
    for line in text.splitlines():
        if len(line) > len(best):
            best = line
    return best


def by_reference(rows: list[list[str]]) -> list[str]:
    last = rows[-1]
    for row in rows:
        last = row if len(row) > len(last) else last
    last.append("chosen")
    return last


def optional_owner(ticket: Ticket | None) -> str:
    if ticket is None:
        return "nobody"
    owner = ticket.owner
    return owner + ticket.label()


def pair_up(tickets: list[Ticket]) -> list[tuple[Ticket, Ticket]]:
    return [(tickets[i], tickets[i + 1]) for i in range(0, len(tickets) - 1, 2)]


def visit_once(start: str, edges: dict[str, list[str]]) -> list[str]:
    pending = [start]
    order: list[str] = []
    while pending:
        node = pending.pop()
        order.append(node)
        for other in edges[node]:
            if other not in order:
                pending.append(other)
        edges[node] = []
    return order


def consume_argument(tickets: list[Ticket]) -> int:
    def count(items: list[Ticket]) -> int:
        return len(items)

    before = count(tickets)
    tickets.append(Ticket(before, "new"))
    return count(tickets) - before
