"""Dates and durations."""

import calendar
import time
from datetime import date, datetime, timedelta, timezone


def age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def days_between(a: str, b: str) -> int:
    return abs((datetime.strptime(a, "%Y-%m-%d") - datetime.strptime(b, "%Y-%m-%d")).days)


def next_weekday(day: date, weekday: int) -> date:
    ahead = (weekday - day.weekday()) % 7 or 7
    return day + timedelta(days=ahead)


def stamp() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def format_duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def parse_duration(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours"}
    return timedelta(**{units[text[-1]]: int(text[:-1])})


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> list[date]:
    _, last = calendar.monthrange(year, month)
    return [date(year, month, day) for day in range(1, last + 1)]


def timed(function, *args):
    started = time.perf_counter()
    result = function(*args)
    return result, time.perf_counter() - started


def weekend_days(start: date, end: date) -> int:
    return sum(1 for n in range((end - start).days) if (start + timedelta(n)).weekday() >= 5)


def bucket(times: list[datetime], minutes: int) -> dict[datetime, int]:
    counts: dict[datetime, int] = {}
    for moment in times:
        slot = moment.replace(minute=moment.minute // minutes * minutes, second=0, microsecond=0)
        counts[slot] = counts.get(slot, 0) + 1
    return counts


class Stopwatch:
    def __init__(self) -> None:
        self.started: float | None = None
        self.laps: list[float] = []

    def start(self) -> None:
        self.started = time.monotonic()

    def lap(self) -> float:
        if self.started is None:
            raise RuntimeError("not started")
        now = time.monotonic()
        self.laps.append(now - self.started)
        self.started = now
        return self.laps[-1]

    @property
    def mean(self) -> float:
        return sum(self.laps) / len(self.laps)


def quarter(day: date) -> str:
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


def overlaps(a: tuple[date, date], b: tuple[date, date]) -> bool:
    return a[0] <= b[1] and b[0] <= a[1]


def from_epoch(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%d.%m.%Y %H:%M")
