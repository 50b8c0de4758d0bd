"""What a repository's history says: who is risky now and why, what fixes were about, how good the model is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from models.commits.evaluation import DAY_S, History, bayes, out_of_time, prequential, ridge
from models.commits.profiles import PROFILES, profile
from models.commits.risk import CommitRisk
from models.commits.rules import CategoryHybrid
from models.taxonomy import UNKNOWN
from producers.commits.files import columns
from producers.commits.history import MAX_COMMITS, read_history
from producers.commits.rows import category_counts, table
from producers.commits.szz import MAX_FIXES, Blamed, blame_fixes

NEWEST = 10
LEAST_LABELS = 20  # commits that needed a fix; with fewer, scores and a trained model say nothing
LEAST_FIXES = 20  # of a known category, for a comparison with a profile
RISKY = 0.5  # probability of needing a fix from which a commit is called risky
Progress = Callable[[str, int, int], None]


class Analysis(NamedTuple):
    """A history's rows, and what is said of it."""

    commits: pa.Table
    document: dict[str, Any]


def analyse(
    repo: Path,
    max_commits: int = MAX_COMMITS,
    max_fixes: int = MAX_FIXES,
    threshold: float = RISKY,
    progress: Progress | None = None,
) -> Analysis:
    """Read, label and judge a repository. Raises ``HistoryError``."""
    told = progress or (lambda _what, _done, _all: None)
    changes = read_history(repo, max_commits, lambda done, whole: told("reading", done, whole))
    blamed = blame_fixes(repo, changes, max_fixes, progress=lambda done, whole: told("blaming", done, whole))
    commits = _with_hybrid(table(repo.resolve().name, changes, blamed.induced))
    history = History.of(columns(commits))
    return Analysis(commits, _document(commits, history, blamed, threshold))


def _with_hybrid(commits: pa.Table) -> pa.Table:
    """Fill in the categories of fixes that no rule knows, where a model that learned from the rules is sure."""
    hybrid, found = CategoryHybrid(), []
    wanted = ("is_fix", "fix_category", "subject", "body")
    rows = list(zip(*(commits.column(name).to_pylist() for name in wanted), strict=True))
    for fix, category, subject, body in rows:
        if fix and category:
            hybrid.learn(f"{subject}\n\n{body}", category)
    for fix, category, subject, body in rows:
        answer = hybrid.predict(f"{subject}\n\n{body}") if fix and not category else None
        found.append(category if answer is None or answer.category == UNKNOWN else answer.category)
    place = commits.schema.get_field_index("fix_category")
    return commits.set_column(place, commits.schema.field(place), pa.array(found, pa.string()))


def _document(commits: pa.Table, history: History, blamed: Blamed, threshold: float) -> dict[str, Any]:
    fixes, labels = category_counts(commits), int(history.positive.sum())
    known = {name: count for name, count in fixes.items() if name != UNKNOWN}
    compared = PROFILES if sum(known.values()) >= LEAST_FIXES else ()
    return {
        "commits": commits.num_rows,
        "touching_source": int(history.source.sum()),
        "fixes": sum(fixes.values()),
        "fix_categories": dict(sorted(fixes.items(), key=lambda one: -one[1])),
        "divergence_nats": {name: profile(name).divergence(known) for name in compared if name.endswith("words")},
        "bug_inducing": labels,
        "fixes_blamed": blamed.fixes - blamed.skipped,
        "fixes_skipped": blamed.skipped,
        "scores": _scores(history) if labels >= LEAST_LABELS else None,
        "newest": _newest(commits, history, threshold),
    }


def _scores(history: History) -> dict[str, Any]:
    return {
        "out_of_time": out_of_time(history, {"model": bayes, "logistic_regression": ridge}),
        "prequential": prequential(history),
    }


def _newest(commits: pa.Table, history: History, threshold: float) -> list[dict[str, Any]]:
    """Return the newest commits to source code, judged by a model that saw only the others, the newest first."""
    places = np.flatnonzero(history.source)[-NEWEST:]
    if not len(places):
        return []
    first = int(places[0])
    end = history.time_s[first]
    model, by = CommitRisk(), "rules"
    known = history.known_at(np.full(len(history.rows), end))
    if known[:first].sum() >= LEAST_LABELS:
        ages, labels = (end - history.time_s[:first]) / DAY_S, known[:first].astype(np.float64)
        model.fit(history.rows[:first], history.project[:first], labels, ages, history.source[:first])
        by = "model"
    else:
        for row in history.rows[history.source]:
            model.observe(row)
    risks = model.probabilities(history.rows[places], history.project[places])
    shas, subjects = commits.column("sha"), commits.column("subject")
    return [
        {
            "sha": shas[int(place)].as_py(),
            "subject": subjects[int(place)].as_py(),
            "risk": float(risk),
            "risky": bool(risk >= threshold),
            "by": by,
            "because": [{"feature": name, "log_odds": round(part, 3)} for name, part in model.reasons(row)],
        }
        for place, risk, row in zip(places[::-1], risks[::-1], history.rows[places][::-1], strict=True)
    ]
