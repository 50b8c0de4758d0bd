"""Classes with state, properties, class methods and inheritance."""

from dataclasses import dataclass, field


class InsufficientFundsError(Exception):
    def __init__(self, needed: float, available: float) -> None:
        super().__init__(f"need {needed:.2f}, have {available:.2f}")
        self.needed = needed
        self.available = available


class Account:
    rate = 0.02

    def __init__(self, owner: str, balance: float = 0.0) -> None:
        self.owner = owner
        self.balance = balance
        self.history: list[str] = []

    def deposit(self, amount: float) -> float:
        if amount <= 0:
            raise ValueError(f"bad amount {amount!r}")
        self.balance += amount
        self.history.append(f"+{amount:.2f}")
        return self.balance

    def withdraw(self, amount: float) -> float:
        if amount > self.balance:
            raise InsufficientFundsError(amount, self.balance)
        self.balance -= amount
        self.history.append(f"-{amount:.2f}")
        return self.balance

    @property
    def empty(self) -> bool:
        return self.balance == 0

    @classmethod
    def from_line(cls, line: str) -> "Account":
        owner, _, balance = line.partition(":")
        return cls(owner, float(balance or 0))


class Savings(Account):
    def __init__(self, owner: str, balance: float, years: int) -> None:
        super().__init__(owner, balance)
        self.years = years

    def mature(self) -> float:
        return self.balance * (1 + self.rate) ** self.years


@dataclass
class Item:
    name: str
    price: float
    quantity: int = 1
    tags: list[str] = field(default_factory=list)

    def total(self) -> float:
        return self.price * self.quantity


@dataclass
class Cart:
    items: list[Item] = field(default_factory=list)
    coupon: str | None = None

    def add(self, item: Item) -> "Cart":
        self.items.append(item)
        return self

    def total(self) -> float:
        subtotal = sum(item.total() for item in self.items)
        return subtotal * 0.9 if self.coupon else subtotal

    def cheapest(self) -> Item | None:
        return min(self.items, key=lambda item: item.price, default=None)


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int
    patch: int = 0

    @staticmethod
    def parse(text: str) -> "Version":
        major, minor, patch = (int(piece) for piece in text.split("."))
        return Version(major, minor, patch)

    def bump(self) -> "Version":
        return Version(self.major, self.minor, self.patch + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class Inventory:
    def __init__(self) -> None:
        self._stock: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._stock)

    def __contains__(self, name: str) -> bool:
        return name in self._stock

    def __getitem__(self, name: str) -> int:
        return self._stock[name]

    def __setitem__(self, name: str, count: int) -> None:
        if count < 0:
            raise ValueError("negative stock")
        self._stock[name] = count

    def missing(self, wanted: dict[str, int]) -> dict[str, int]:
        return {
            name: count - self._stock.get(name, 0) for name, count in wanted.items() if count > self._stock.get(name, 0)
        }


def transfer(source: Account, target: Account, amount: float) -> bool:
    try:
        source.withdraw(amount)
    except InsufficientFundsError as error:
        print(f"refused: {error}")
        return False
    target.deposit(amount)
    return True


def richest(accounts: list[Account]) -> Account:
    return max(accounts, key=lambda account: account.balance)


def statement(accounts: list[Account]) -> str:
    lines = [f"{account.owner:<10}{account.balance:>10.2f}" for account in accounts if not account.empty]
    return "\n".join(lines)
