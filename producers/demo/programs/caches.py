"""Caches, registries, histories and other keepers of state."""

import copy
import threading
import time
import weakref
from collections import OrderedDict, deque
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_registry: dict[str, type] = {}
_hits = 0


class LRUCache(Generic[K, V]):
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        if key not in self.entries:
            return None
        self.entries.move_to_end(key)
        return self.entries[key]

    def put(self, key: K, value: V) -> None:
        self.entries[key] = value
        self.entries.move_to_end(key)
        if len(self.entries) > self.capacity:
            self.entries.popitem(last=False)


class ExpiringCache:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.entries: dict[str, tuple[float, str]] = {}

    def put(self, key: str, value: str) -> None:
        self.entries[key] = (time.time() + self.seconds, value)

    def get(self, key: str) -> str | None:
        expires, value = self.entries.get(key, (0.0, ""))
        if expires < time.time():
            self.entries.pop(key, None)
            return None
        return value

    def purge(self) -> int:
        stale = [key for key, (expires, _) in self.entries.items() if expires < time.time()]
        for key in stale:
            del self.entries[key]
        return len(stale)


def register(cls: type) -> type:
    _registry[cls.__name__] = cls
    return cls


def hit() -> int:
    global _hits
    _hits += 1
    return _hits


class History:
    def __init__(self, limit: int = 10) -> None:
        self.done: deque[str] = deque(maxlen=limit)
        self.undone: list[str] = []

    def do(self, action: str) -> None:
        self.done.append(action)
        self.undone.clear()

    def undo(self) -> str | None:
        if not self.done:
            return None
        action = self.done.pop()
        self.undone.append(action)
        return action


class Singleton:
    _instance = None

    def __new__(cls) -> "Singleton":
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance


class Observable:
    def __init__(self) -> None:
        self.observers: list[Any] = []

    def attach(self, observer: Any) -> None:
        self.observers.append(weakref.ref(observer))

    def notify(self, value: int) -> None:
        for reference in self.observers:
            observer = reference()
            if observer is not None:
                observer.update(value)


class Stack(Generic[V]):
    def __init__(self) -> None:
        self.items: list[V] = []

    def push(self, item: V) -> None:
        self.items.append(item)

    def pop(self) -> V:
        return self.items.pop()

    def peek(self) -> V:
        return self.items[-1]

    def __bool__(self) -> bool:
        return len(self.items) > 0


class RingBuffer:
    def __init__(self, size: int) -> None:
        self.data: list[int | None] = [None] * size
        self.head = 0

    def append(self, value: int) -> None:
        self.data[self.head % len(self.data)] = value
        self.head += 1

    def latest(self) -> int | None:
        return self.data[(self.head - 1) % len(self.data)]


def snapshot(state: dict[str, list[int]]) -> dict[str, list[int]]:
    return copy.deepcopy(state)


def merge(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    out = dict(a)
    for key, value in b.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = value
    return out


class ThreadLocalStore:
    def __init__(self) -> None:
        self.local = threading.local()

    def value(self) -> int:
        if not hasattr(self.local, "value"):
            self.local.value = 0
        self.local.value += 1
        return self.local.value


class AttributeBag:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        return f"<no {name}>"
