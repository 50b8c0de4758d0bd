"""One program through transpiler and compiler, by way of the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from models.diagnostics import Diagnostic
from producers.transpile.cache import Cache
from producers.transpile.rustc import compile_rust
from producers.transpile.tools import cache_folder, find_rustc
from producers.transpile.transpiler import Transpiler, run_transpiler

RESULT_VERSION = 1  # of what the cache holds; another one is done anew
MAX_SOURCE_BYTES = 1 << 20
AHEAD = 4  # programs waiting for each worker

Outcome = Literal["transpile_failed", "compile_failed", "compiled", "timeout", "crashed"]
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Result:
    """What became of a program; ``stage`` says where it ended: ``transpile`` or ``compile``."""

    program_id: str
    source: str
    outcome: Outcome
    stage: Literal["transpile", "compile"]
    rust: str | None
    cargo_toml: str
    diagnostics: tuple[Diagnostic, ...]
    message: str
    transpiler: str
    transpiler_version: str
    rustc_version: str
    transpile_ms: float
    compile_ms: float
    cached: bool = False


_RESULT = TypeAdapter(Result)
_NOT_TRANSPILED: dict[str, Outcome] = {
    "failed": "transpile_failed",
    "crashed": "crashed",
    "timeout": "timeout",
}


def program_id(source: str) -> str:
    """Return the id of a program that has none: a hash of its text."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def results_cache() -> Cache:
    """Return the cache that all commands share."""
    return Cache(cache_folder() / "transpile")


def transpile(source: str, tool: Transpiler, *, name: str | None = None, cache: Cache | None = None) -> Result:
    """Return what ``tool`` and rustc make of ``source``; raises ``ToolError`` only where a tool cannot be run.

    With a cache, the tools run only if this program has not been seen with these versions of them. What ran out of
    time is not kept: the machine may have been busy.
    """
    known = name or program_id(source)
    key = "\0".join((str(RESULT_VERSION), tool.name, tool.version, find_rustc().version, source))
    kept = cache.get(key) if cache else None
    if kept is not None and (found := _read(kept, known, source)) is not None:
        return found
    result = _do(source, tool, known)
    if cache and result.outcome != "timeout":
        cache.put(key, orjson.dumps(_document(result), option=orjson.OPT_NON_STR_KEYS))
    return result


def in_parallel(work: Callable[[T], U], items: Iterable[T], jobs: int) -> Iterator[U]:
    """Yield ``work`` of each item in their order, ``jobs`` at a time, reading only a little ahead."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting: list[Future[U]] = []
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= jobs * AHEAD:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _do(source: str, tool: Transpiler, known: str) -> Result:
    made = run_transpiler(tool, source)
    shared: dict[str, Any] = {
        "program_id": known,
        "source": source,
        "rust": made.rust,
        "cargo_toml": made.cargo_toml,
        "transpiler": tool.name,
        "transpiler_version": tool.version,
        "rustc_version": find_rustc().version,
        "transpile_ms": made.wall_s * 1000,
    }
    if made.rust is None:
        ended = _NOT_TRANSPILED[made.outcome]
        return Result(**shared, outcome=ended, stage="transpile", diagnostics=(), message=made.message, compile_ms=0.0)
    said = compile_rust(made.rust, made.cargo_toml)
    outcome: Outcome = "compile_failed" if said.outcome == "failed" else said.outcome
    return Result(
        **shared,
        outcome=outcome,
        stage="compile",
        diagnostics=said.diagnostics,
        message=said.message,
        compile_ms=said.wall_s * 1000,
    )


def _document(result: Result) -> dict[str, Any]:
    plain = {name: value for name, value in asdict(result).items() if name not in ("diagnostics", "source", "cached")}
    return plain | {"diagnostics": [one.model_dump(mode="json", exclude_none=True) for one in result.diagnostics]}


def _read(content: bytes, known: str, source: str) -> Result | None:
    try:
        return _RESULT.validate_python(orjson.loads(content) | {"program_id": known, "source": source, "cached": True})
    except (ValidationError, orjson.JSONDecodeError, TypeError):
        return None
