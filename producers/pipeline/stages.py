"""The six stages: each reads the Parquet of the one before and writes its own, by the functions of the commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from models.commits.profiles import PROFILES, Profile, by_category, profile, smoothed
from models.taxonomy import CATEGORIES, rule_for
from producers.augment import Eda, Gates, Mutate, Template, check
from producers.augment.run import Augmentation
from producers.augment.table import writing as writing_variants
from producers.commits.files import write_commits as write_table
from producers.generate.request import Request
from producers.generate.run import Progress as Made
from producers.generate.run import batches
from producers.generate.tune import TuneError, load, requests
from producers.pipeline.config import Pipeline, PipelineError
from producers.pipeline.learning import Example, Learned, example_of, learn
from producers.programs_corpus import Corpus
from producers.programs_corpus import writing as writing_programs
from producers.transpile.pipeline import Result, in_parallel, results_cache, transpile
from producers.transpile.table import read_results
from producers.transpile.table import writing as writing_results
from producers.transpile.transpiler import transpiler
from producers.verify.oracle import verify

Told = Callable[[int, int], None]
Document = dict[str, Any]
AUGMENTERS = {"eda": Eda, "mutate": Mutate, "template": Template}


def generate(pipeline: Pipeline, source: Path | None, target: Path, told: Told) -> Document:
    """Make programs, by one request or by the mixture that ``optimize`` found."""
    del source
    asked, kept, candidates = _requests(pipeline), 0, 0
    seen: set[int] = set()
    with writing_programs(target, {"pipeline": True, "requests": [one.provenance() for one in asked]}) as corpus:
        for request in asked:
            made = Made()
            for batch in batches(request, made):
                fresh = [key not in seen for key in batch.column("fingerprint").to_pylist()]
                seen.update(batch.column("fingerprint").to_pylist())
                own = batch.filter(pa.array(fresh))
                corpus.write(own)
                kept += own.num_rows
                told(kept, pipeline.generation.count)
            candidates += made.candidates
    return {"programs": kept, "candidates": candidates}


def _requests(pipeline: Pipeline) -> list[Request]:
    wanted = pipeline.generation
    if wanted.parameters is None:
        return [Request(wanted.strategy, wanted.count, wanted.max_depth, pipeline.seed, wanted.level)]
    try:
        return requests(load(wanted.parameters), wanted.count, pipeline.seed)
    except TuneError as error:
        raise PipelineError(f"generation.parameters: {error}") from None


def augment(pipeline: Pipeline, source: Path, target: Path, told: Told) -> Document:
    """Add variants that pass the quality gates of ``augment``; with a factor of 1 the programs go on as they are."""
    wanted = pipeline.augmentation
    corpus = Corpus(source)
    failures: list[Any] = []
    if wanted.factor <= 1:
        with writing_variants(target, {"factor": 1.0}) as writer:
            count = 0
            for count, row in enumerate(corpus, start=1):
                writer.original(row.source)
                told(count, pipeline.generation.count)
        return {"originals": count, "variants": 0, "gates": []}
    run = Augmentation([AUGMENTERS[name]() for name in wanted.augmenters], Gates(), wanted.factor, pipeline.seed)
    with writing_variants(target, {"factor": wanted.factor, "augmenters": list(wanted.augmenters)}) as writer:

        def originals() -> Iterator[str]:
            for count, row in enumerate(corpus, start=1):
                writer.original(row.source)
                told(count, pipeline.generation.count)
                yield row.source

        for variant in run.variants(originals()):
            writer.variant(variant)
        failures = check(run.tally.measured(), run.gates)
    tally = run.tally
    gates = [{"gate": one.gate, "passed": False, "said": str(one)} for one in failures]
    return {"originals": tally.originals, "variants": tally.accepted, "rejected": dict(tally.rejected), "gates": gates}


def through(pipeline: Pipeline, source: Path, target: Path, told: Told) -> Document:
    """Transpile and compile every program."""
    tool, cache = transpiler(pipeline.transpilation.transpiler), results_cache()
    rows = pq.read_table(source, columns=["program_id", "source"]).to_pylist()
    outcomes: Counter[str] = Counter()
    cached = 0

    def one(row: Document) -> Result:
        return transpile(row["source"], tool, name=row["program_id"], cache=cache)

    with writing_results(target, {"transpiler": tool.name, "version": tool.version}) as writer:
        for done, result in enumerate(in_parallel(one, rows, pipeline.transpilation.parallel), start=1):
            writer.add(result)
            outcomes[result.outcome] += 1
            cached += result.cached
            told(done, len(rows))
    accepted = outcomes["compiled"] / max(1, outcomes.total())
    return {"programs": outcomes.total(), "outcomes": dict(outcomes), "accepted": accepted, "cached": cached}


def compare(pipeline: Pipeline, source: Path, target: Path, told: Told) -> Document:
    """Run some of the programs that compile beside their Rust."""
    wanted = pipeline.verification
    chosen = [row for row in read_results(source) if row["outcome"] == "compiled"][: wanted.programs]
    answers: Counter[str] = Counter()
    rows = []

    def one(row: Document) -> tuple[str, str, str]:
        found = verify(
            row["source"], row["rust"], cargo_toml=row["cargo_toml"] or "", seed=pipeline.seed,
            cases=wanted.cases, timeout_ms=wanted.timeout_ms,
        )  # fmt: skip
        return row["program_id"], found.answer, found.why

    for done, (name, answer, why) in enumerate(in_parallel(one, chosen, pipeline.transpilation.parallel), start=1):
        answers[answer] += 1
        rows.append({"program_id": name, "answer": answer, "why": why})
        told(done, len(chosen))
    fields = [(name, pa.string()) for name in ("program_id", "answer", "why")]
    write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), target)
    return {"programs": len(rows), "answers": dict(answers)}


def train(pipeline: Pipeline, results: Path, target: Path, told: Told) -> tuple[Document, Learned]:
    """Learn from programs and what became of them; ``target`` holds each one's side and probability of failing."""
    examples = _examples(results, told)
    fails = sum(one.fails for one in examples)
    least = pipeline.evaluation.min_samples
    if min(fails, len(examples) - fails) < least:
        raise PipelineError(
            f"{fails} programs fail and {len(examples) - fails} do not: evaluation.min_samples asks for {least} of "
            "each; raise generation.count, or choose a level that fails more or less often"
        )
    learned = learn(examples, pipeline)
    names = ("train", "validation", "test")
    columns = {
        "program_id": [one.program_id for one in examples],
        "side": [names[side] for side in learned.sides],
        "fails": [one.fails for one in examples],
        "probability": learned.probabilities,
    }
    write_table(pa.table(columns), target)
    document = {"scores": learned.scores, "threshold": learned.threshold, "parameters": learned.parameters}
    return document | {"search": learned.search}, learned


def _examples(results: Path, told: Told) -> list[Example]:
    originals = _originals(results.with_name("2-augmented.parquet"))
    parents = set(originals.values())
    rows = [row for row in read_results(results) if row["outcome"] in ("compiled", "compile_failed")]
    found = []
    for done, row in enumerate(rows, start=1):
        labels = _labels(row["diagnostics"])
        original = originals.get(row["program_id"], row["program_id"] if row["program_id"] in parents else None)
        fails = row["outcome"] != "compiled"
        found.append(example_of(row["program_id"], row["source"], original, fails, labels[0] if labels else None))
        told(done, len(rows))
    return found


def _originals(augmented: Path) -> dict[str, str]:
    rows = pq.read_table(augmented, columns=["program_id", "original_id"]).to_pylist()
    return {row["program_id"]: row["original_id"] for row in rows if row["original_id"]}


def _labels(diagnostics: str) -> list[str]:
    rules = (rule_for(one.get("code"), one.get("message") or "") for one in orjson.loads(diagnostics or "[]"))
    return [rule.label for rule in rules if rule]


def monitor(pipeline: Pipeline, results: Path, target: Path, told: Told) -> Document:
    """Compare the mix of defects, one vote for each program and category, with a profile or an earlier run's."""
    counts = _counts(results)
    told(1, 1)
    baseline, divergence = pipeline.monitoring.baseline, None
    shares = smoothed(counts)
    if baseline in PROFILES:
        divergence = profile(str(baseline)).divergence(counts)
    elif baseline is not None:
        earlier = Path(baseline) / results.name
        if not earlier.is_file():
            raise PipelineError(
                f"monitoring.baseline: {baseline} holds no {results.name}; name an earlier run's folder"
            )
        divergence = Profile("earlier run", _counts(earlier)).divergence(counts)
    rows = [{"category": name, "count": counts.get(name, 0), "share": shares[name]} for name in CATEGORIES]
    write_table(pa.Table.from_pylist(rows), target)
    alarm = divergence is not None and divergence > pipeline.monitoring.threshold
    return {"counts": counts, "divergence_nats": divergence, "alarm": alarm}


def _counts(results: Path) -> dict[str, int]:
    votes: Counter[str] = Counter()
    for row in read_results(results):
        votes.update(set(_labels(row["diagnostics"])))
    return by_category(votes)
