"""Objects that own objects: methods that read one field while changing another."""


class Engine:
    def __init__(self, power: int) -> None:
        self.power = power
        self.running = False

    def start(self) -> bool:
        self.running = True
        return self.running


class Car:
    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine

    def drive(self) -> str:
        engine = self.engine
        engine.start()
        return self.name

    def replace(self, engine: Engine) -> Engine:
        old = self.engine
        self.engine = engine
        return old


class Playlist:
    def __init__(self, songs: list[str]) -> None:
        self.songs = songs
        self.played: list[str] = []
        self.position = 0

    def advance(self) -> None:
        self.position = (self.position + 1) % len(self.songs)

    def play(self) -> str:
        song = self.songs[self.position]
        self.played.append(song)
        self.advance()
        return song

    def play_all(self) -> int:
        for song in self.songs:
            self.played.append(song)
            self.advance()
        return len(self.played)

    def sorted_songs(self) -> list[str]:
        songs = self.songs
        songs.sort()
        return songs

    def all(self) -> list[str]:
        return self.songs


class Ledger:
    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []
        self.totals: dict[str, int] = {}

    def book(self, name: str, amount: int) -> None:
        self.rows.append((name, amount))
        self.totals[name] = self.totals.get(name, 0) + amount

    def rebuild(self) -> dict[str, int]:
        self.totals = {}
        for name, amount in self.rows:
            self.totals[name] = self.totals.get(name, 0) + amount
        return self.totals

    def names(self) -> list[str]:
        return list(self.totals.keys())


class Cell:
    def __init__(self, value: int) -> None:
        self.value = value

    def add(self, other: "Cell") -> "Cell":
        self.value += other.value
        return self

    def doubled(self) -> "Cell":
        return Cell(self.value * 2)


def chain_cells(start: int) -> int:
    cell = Cell(start)
    other = cell.doubled()
    cell.add(other).add(cell)
    return cell.value


def sum_cells(cells: list[Cell]) -> Cell:
    total = Cell(0)
    for cell in cells:
        total.add(cell)
    return total


class Team:
    def __init__(self, name: str) -> None:
        self.name = name
        self.scores: dict[str, list[int]] = {}

    def score(self, player: str, points: int) -> None:
        if player not in self.scores:
            self.scores[player] = []
        self.scores[player].append(points)

    def best(self) -> str:
        best_name = ""
        best_total = -1
        for player, points in self.scores.items():
            total = sum(points)
            if total > best_total:
                best_total = total
                best_name = player
        return best_name

    def absorb(self, other: "Team") -> int:
        for player, points in other.scores.items():
            self.scores[player] = points
        return len(self.scores)


def season(names: list[str]) -> str:
    team = Team("reds")
    for i, name in enumerate(names):
        team.score(name, i)
    spare = team
    spare.score("guest", 50)
    return team.best() + spare.name


class Document:
    def __init__(self, text: str) -> None:
        self.text = text
        self.cursor = 0

    def rest(self) -> str:
        return self.text[self.cursor :]

    def current(self) -> str:
        return self.text[self.cursor]

    def skip(self) -> str:
        word = self.rest().split(" ")[0]
        self.cursor += len(word) + 1
        return word

    def title(self) -> str:
        return self.text


class Wallet:
    def __init__(self, coins: list[int]) -> None:
        self.coins = coins

    def spend(self, amount: int) -> bool:
        for coin in self.coins:
            if coin >= amount:
                self.coins.remove(coin)
                return True
        return False

    def biggest(self) -> int:
        self.coins.sort()
        return self.coins[-1]

    def merge(self, other: "Wallet") -> "Wallet":
        self.coins.extend(other.coins)
        other.coins.clear()
        return self


def shop(prices: list[int]) -> int:
    wallet = Wallet([1, 2, 5])
    spare = Wallet([10])
    merged = wallet.merge(spare)
    for price in prices:
        merged.spend(price)
    return len(wallet.coins) + len(spare.coins)


class Register:
    def __init__(self) -> None:
        self.callbacks = {}
        self.names = []

    def on(self, name, callback):
        self.callbacks[name] = callback
        self.names.append(name)

    def fire(self, name, value):
        callback = self.callbacks.get(name)
        if callback:
            return callback(value)
        return None


class Pipeline:
    def __init__(self, steps: list[str]) -> None:
        self.steps = steps
        self.log: list[str] = []

    def write(self, text: str) -> None:
        self.log.append(text)

    def run(self, value: int) -> int:
        for step in self.steps:
            self.write(step)
            if step == "double":
                value *= 2
            elif step == "negate":
                value = -value
        return value

    def last(self) -> str:
        return self.log[-1] if self.log else ""


class Family:
    def __init__(self, name: str, parent: "Family | None" = None) -> None:
        self.name = name
        self.parent = parent

    def root(self) -> str:
        node = self
        while node.parent is not None:
            node = node.parent
        return node.name

    def depth(self) -> int:
        return 0 if self.parent is None else 1 + self.parent.depth()
