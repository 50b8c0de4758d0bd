"""Threads, locks, queues, executors and coroutines."""

import asyncio
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor


class SafeCounter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def increment(self, by: int = 1) -> int:
        with self._lock:
            self.value += by
            return self.value


def count_in_threads(n: int) -> int:
    counter = SafeCounter()
    threads = [threading.Thread(target=counter.increment) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counter.value


def collect_squares(numbers: list[int]) -> list[int]:
    results: list[int] = []
    lock = threading.Lock()

    def work(n: int) -> None:
        with lock:
            results.append(n * n)

    workers = [threading.Thread(target=work, args=(n,)) for n in numbers]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(results)


def produce_consume(items: list[str]) -> list[str]:
    pending: queue.Queue[str | None] = queue.Queue(maxsize=4)
    seen: list[str] = []

    def consume() -> None:
        while (item := pending.get()) is not None:
            seen.append(item.upper())
            pending.task_done()

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    for item in items:
        pending.put(item)
    pending.put(None)
    consumer.join()
    return seen


def parallel_map(function, items, workers=4):
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(function, items))


def parallel_lengths(texts: list[str]) -> list[int]:
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(len, text) for text in texts]
        return [future.result() for future in futures]


async def fetch(name: str, delay: float) -> str:
    await asyncio.sleep(delay)
    return f"{name} done"


async def fetch_all(names: list[str]) -> list[str]:
    return await asyncio.gather(*(fetch(name, 0.01) for name in names))


async def with_timeout(name: str) -> str | None:
    try:
        return await asyncio.wait_for(fetch(name, 1.0), timeout=0.5)
    except asyncio.TimeoutError:
        return None


def run_all(names: list[str]) -> list[str]:
    return asyncio.run(fetch_all(names))


async def ticker(count: int):
    for i in range(count):
        yield i
        await asyncio.sleep(0)


async def collect_ticks(count: int) -> list[int]:
    return [i async for i in ticker(count)]


async def limited(names: list[str], limit: int) -> list[str]:
    semaphore = asyncio.Semaphore(limit)

    async def one(name: str) -> str:
        async with semaphore:
            return await fetch(name, 0.01)

    return list(await asyncio.gather(*[one(n) for n in names]))


class RateLimiter:
    def __init__(self, rate: float, burst: int) -> None:
        self.rate = rate
        self.tokens = burst
        self.burst = burst
        self.updated = time.monotonic()
        self.lock = threading.RLock()

    def allow(self) -> bool:
        with self.lock:
            now = time.monotonic()
            self.tokens = min(self.burst, self.tokens + (now - self.updated) * self.rate)
            self.updated = now
            if self.tokens >= 1:
                self.tokens -= 1
                return True
            return False


class Barrier:
    def __init__(self, parties: int) -> None:
        self.parties = parties
        self.waiting = 0
        self.condition = threading.Condition()

    def wait(self) -> int:
        with self.condition:
            self.waiting += 1
            if self.waiting == self.parties:
                self.condition.notify_all()
            else:
                self.condition.wait_for(lambda: self.waiting >= self.parties, timeout=1)
            return self.waiting


def spawn(task, *args):
    done = threading.Event()

    def body():
        task(*args)
        done.set()

    threading.Thread(target=body).start()
    return done.wait(timeout=1)
