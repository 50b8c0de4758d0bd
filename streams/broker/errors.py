"""What goes wrong with the embedded broker, said so that the user can act on it."""

from __future__ import annotations

from pathlib import Path

TAIL_BYTES = 64 << 10  # of a log file that may be 10 MB: the cause is near the end
TAIL_LINES = 8

# What Kafka or the JVM writes, in the order in which to look for it: what it means, and what to do.
CAUSES: tuple[tuple[str, str], ...] = (
    ("No space left on device", "the disk is full; free some space or choose another data folder (JIDOKA_DATA_DIR)"),
    ("Address already in use", "another program took the port in the meantime; run the command again"),
    ("insufficient memory for the Java Runtime", "not enough free memory for the JVM; stop other programs"),
    ("OutOfMemoryError", "the broker's heap is too small; give it more (EmbeddedBroker(heap_mb=…))"),
    ("InconsistentClusterId", "the stored data belongs to another cluster; choose another data folder"),
    ("Failed to acquire lock on file .lock", "another Kafka uses this data folder; stop it or choose another folder"),
    ("Permission denied", "a file in the data folder is not writable by this user; check its owner"),
    ("Read-only file system", "the data folder cannot be written; choose another one (JIDOKA_DATA_DIR)"),
)


class BrokerError(RuntimeError):
    """The embedded broker cannot do what was asked; the text says why and what to do next."""


def last_lines(path: Path, start: int = 0) -> list[str]:
    """Return the end of a log file, at most ``TAIL_BYTES``, from byte ``start`` on; nothing for a missing file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0 if start > size else start, size - TAIL_BYTES))  # smaller than before: it was rolled over
            return file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []


def cause(lines: list[str]) -> str | None:
    """Return the known cause that ``lines`` name, with what to do, or ``None``."""
    return next((advice for text, advice in CAUSES if any(text in line for line in lines)), None)


def telling(lines: list[str]) -> list[str]:
    """Return the last lines that matter: errors and exceptions if there are any, else simply the last ones."""
    noise = ("\t", "WARNING: ", "[warning]")
    plain = [line for line in lines if line.strip() and not line.startswith(noise)]
    grave = [line for line in plain if any(word in line for word in (" ERROR ", " FATAL ", "Exception", "Error:"))]
    return (grave or plain)[-TAIL_LINES:]


def failed(what: str, *logs: Path, lines: list[str]) -> BrokerError:
    """Return the error for ``what`` with the cause, those of ``lines`` that matter, and the log files' names."""
    because = cause(lines)
    parts = [f"{what}: {because}." if because else f"{what}."]
    parts += [f"  | {line[:400]}" for line in telling(lines)]
    parts += [f"  Full log: {log}" for log in logs if log.exists()]
    return BrokerError("\n".join(parts))
