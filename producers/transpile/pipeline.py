"""One program through transpiler and compiler, by way of the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from models.diagnostics import Diagnostic
from producers.transpile.cache import Cache
from producers.transpile.crates import wanted_crates
from producers.transpile.rustc import Compiled, compile_rust
from producers.transpile.tools import cache_folder, find_rustc
from producers.transpile.transpiler import Transpiled, Transpiler, run_transpiler

CACHE_VERSION = "1"  # of what the cache holds; another one is done anew
MAX_SOURCE_BYTES = 1 << 20
AHEAD = 4  # programs waiting for each worker

Outcome = Literal["transpile_failed", "compile_failed", "compiled", "timeout", "crashed"]
K = TypeVar("K", Transpiled, Compiled)
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


_TRANSPILED, _COMPILED = TypeAdapter(Transpiled), TypeAdapter(Compiled)
_NOT_TRANSPILED: dict[str, Outcome] = {"failed": "transpile_failed", "crashed": "crashed", "timeout": "timeout"}


def program_id(source: str) -> str:
    """Return the id of a program that has none: a hash of its text."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def results_cache() -> Cache:
    """Return the cache that all commands share."""
    return Cache(cache_folder() / "transpile")


def transpiled(source: str, tool: Transpiler, cache: Cache | None = None) -> Transpiled:
    """Return what ``tool`` makes of ``source``, from the cache where this version of it has done it before.

    What ran out of time is not kept: the machine may have been busy. Raises ``ToolError`` where it cannot be run.
    """
    key = f"{CACHE_VERSION}\0transpiled\0{tool.name}\0{tool.version}\0{tool.helpers}\0{source}"
    return _once(cache, key, _TRANSPILED, lambda: run_transpiler(tool, source))


def compiled_rust(code: str, cargo_toml: str = "", cache: Cache | None = None) -> Compiled:
    """Return what rustc says of ``code``, as ``compile_rust`` does, from the cache where it said so before."""
    key = f"{CACHE_VERSION}\0compiled\0{find_rustc().version}\0{wanted_crates(cargo_toml)}\0{code}"
    return _once(cache, key, _COMPILED, lambda: compile_rust(code, cargo_toml))


def transpile(source: str, tool: Transpiler, *, name: str | None = None, cache: Cache | None = None) -> Result:
    """Return what ``tool`` and rustc make of ``source``; raises ``ToolError`` only where a tool cannot be run."""
    made = transpiled(source, tool, cache)
    said = compiled_rust(made.rust, made.cargo_toml, cache) if made.rust is not None else None
    outcome = _NOT_TRANSPILED.get(made.outcome, "transpile_failed")
    if said is not None:
        outcome = "compile_failed" if said.outcome == "failed" else said.outcome
    return Result(
        program_id=name or program_id(source),
        source=source,
        outcome=outcome,
        stage="compile" if said else "transpile",
        rust=made.rust,
        cargo_toml=made.cargo_toml,
        diagnostics=said.diagnostics if said else (),
        message=said.message if said else made.message,
        transpiler=tool.name,
        transpiler_version=tool.version,
        rustc_version=find_rustc().version,
        transpile_ms=made.wall_s * 1000,
        compile_ms=said.wall_s * 1000 if said else 0.0,
        cached=made.cached and (said is None or said.cached),
    )


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


def _once(cache: Cache | None, key: str, kind: TypeAdapter[K], work: Callable[[], K]) -> K:
    content = cache.get(key) if cache else None
    if content is not None:
        try:
            return kind.validate_python(orjson.loads(content) | {"cached": True})
        except (ValidationError, orjson.JSONDecodeError, TypeError):
            pass  # written by something else; done anew
    done = work()
    if cache and done.outcome != "timeout":
        cache.put(key, kind.dump_json(done, exclude={"cached"}))
    return done
