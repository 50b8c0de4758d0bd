"""From a history to rows: the features of each commit from what came before it, and its labels from what came after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, log2, nan
from statistics import fmean
from typing import Any, Final

import pyarrow as pa

from models.commits.rules import MIN_CONFIDENCE, by_rules, commit_type, is_fix
from models.taxonomy import UNKNOWN
from producers.commits.history import Change
from producers.commits.patch import FileChange
from producers.commits.szz import Induced

DAY_S = 86_400
CENSOR_DAYS = 30.0  # younger commits have had too little time to be found faulty
SCHEMA_VERSION = 1

_I, _F, _T, _B = pa.int64(), pa.float64(), pa.string(), pa.bool_()
FIELDS: Final[Mapping[str, pa.DataType]] = (
    dict.fromkeys(("repo", "sha", "author", "subject", "body", "commit_type", "fix_category"), _T)
    | dict.fromkeys(("commit_time", "author_time", "author_hour", "author_weekday", "message_len", "n_parents"), _I)
    | dict.fromkeys(("files_changed", "lines_added", "lines_deleted", "n_rs", "n_py", "n_md", "n_test", "n_new"), _I)
    | dict.fromkeys(("n_renamed", "dirs_touched", "top_dirs", "author_experience", "prior_changes_max"), _I)
    | dict.fromkeys(("prior_fixes_max", "n_prior_authors", "src_lines_added", "src_lines_deleted"), _I)
    | dict.fromkeys(("prod_src_lines_added", "n_src_diff", "complexity_delta", "n_inducing_lines", "n_later_fixes"), _I)
    | dict.fromkeys(("entropy", "prior_changes_mean", "prior_fixes_mean", "days_since_last_change"), _F)
    | dict.fromkeys(("file_age_days", "days_since_prev_commit", "project_age_days", "days_to_first_fix"), _F)
    | dict.fromkeys(("days_to_repo_end",), _F)
    | dict.fromkeys(("is_bot", "ai_coauthored", "is_fix", "bug_inducing", "label_censored", "touches_src"), _B)
)
SCHEMA: Final = pa.schema(list(FIELDS.items()), metadata={"jidoka.commits.version": str(SCHEMA_VERSION)})


@dataclass
class _File:
    """What happened to a file so far; times are Unix seconds."""

    first: int
    last: int
    changes: int = 0
    fixes: int = 0
    authors: set[str] = field(default_factory=set)


class Past:
    """What is known of a project before the next commit: its files, its authors, its age."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._authors: dict[str, int] = {}
        self._first: int | None = None
        self._previous = 0

    def row(self, change: Change) -> dict[str, Any]:
        """Return the history's features of a commit that comes next."""
        now = change.commit_time
        known = [found for one in change.files if (found := self._files.get(one.old_path or one.path))]
        counts, fixes = [one.changes for one in known], [one.fixes for one in known]
        files = max(len(change.files), 1)  # a new file has had no changes, and counts in the means
        authors = set[str]().union(*(one.authors for one in known))
        return {
            "author_experience": self._authors.get(change.author, 0),
            "prior_changes_mean": sum(counts) / files,
            "prior_changes_max": max(counts, default=0),
            "prior_fixes_mean": sum(fixes) / files,
            "prior_fixes_max": max(fixes, default=0),
            "n_prior_authors": len(authors),
            "days_since_last_change": fmean(_days(now, one.last) for one in known) if known else nan,
            "file_age_days": fmean(_days(now, one.first) for one in known) if known else nan,
            "days_since_prev_commit": nan if self._first is None else _days(now, self._previous),
            "project_age_days": 0.0 if self._first is None else _days(now, self._first),
        }

    def add(self, change: Change, *, fix: bool) -> None:
        """Take the commit in."""
        now = change.commit_time
        self._first = now if self._first is None else self._first
        self._previous = now
        self._authors[change.author] = self._authors.get(change.author, 0) + 1
        for one in change.files:
            if one.renamed and one.old_path in self._files:
                self._files[one.path] = self._files.pop(one.old_path)
            file = self._files.setdefault(one.path, _File(now, now))
            file.changes, file.last = file.changes + 1, now
            file.fixes += fix
            file.authors.add(change.author)


def _days(now: int, before: int) -> float:
    return max(now - before, 0) / DAY_S


def size(change: Change) -> dict[str, Any]:
    """Return the features of a commit's own patch; ``entropy`` in bits, of its lines over its files (Hassan 2009)."""
    files, source = change.files, [one for one in change.files if one.is_source]
    folders = {one.path.rpartition("/")[0] for one in files}
    return {
        "files_changed": len(files),
        "lines_added": sum(one.added for one in files),
        "lines_deleted": sum(one.deleted for one in files),
        "n_rs": sum(one.suffix == ".rs" for one in files),
        "n_py": sum(one.suffix == ".py" for one in files),
        "n_md": sum(one.suffix == ".md" for one in files),
        "n_test": sum(one.is_test for one in files),
        "n_new": sum(one.new for one in files),
        "n_renamed": sum(one.renamed for one in files),
        "dirs_touched": len(folders),
        "top_dirs": len({one.path.partition("/")[0] for one in files}),
        "entropy": entropy(files),
        "src_lines_added": sum(one.code_added for one in source),
        "src_lines_deleted": sum(one.code_deleted for one in source),
        "prod_src_lines_added": sum(one.code_added for one in source if not one.is_test),
        "n_src_diff": len(source),
        "complexity_delta": sum(one.complexity for one in source),
        "touches_src": bool(source),
    }


def entropy(files: Sequence[FileChange]) -> float:
    """Return how evenly changed lines are spread over files, in bits; 0 for one file."""
    lines = [one.added + one.deleted for one in files if one.added + one.deleted]
    total = sum(lines)
    return -sum(count / total * log2(count / total) for count in lines) if total else 0.0


def table(repo: str, changes: Sequence[Change], induced: Iterable[Induced] = ()) -> pa.Table:
    """Return one row for each commit, oldest first, in the shape that ``jidoka commits evaluate`` reads."""
    past, rows = Past(), []
    blame: dict[str, list[Induced]] = {}
    for one in induced:
        blame.setdefault(one.sha, []).append(one)
    end = changes[-1].commit_time if changes else 0
    for change in changes:
        fix = is_fix(change.subject)
        rows.append(
            {"repo": repo} | _plain(change, fix) | size(change) | past.row(change) | _labels(change, blame, end)
        )
        past.add(change, fix=fix)
    return pa.Table.from_pylist([_without_nan(row) for row in rows], schema=SCHEMA)


def _plain(change: Change, fix: bool) -> dict[str, Any]:
    answer = by_rules(change.message) if fix else None
    return {
        "sha": change.sha,
        "author": change.author,
        "subject": change.subject,
        "body": change.body,
        "commit_type": commit_type(change.subject),
        "commit_time": change.commit_time,
        "author_time": change.author_time,
        "author_hour": change.hour,
        "author_weekday": change.weekday,
        "message_len": len(change.message),
        "n_parents": len(change.parents),
        "is_bot": change.is_bot,
        "ai_coauthored": change.ai_coauthored,
        "is_fix": fix,
        "fix_category": None if answer is None or answer.confidence < MIN_CONFIDENCE else answer.category,
    }


def _labels(change: Change, blame: Mapping[str, list[Induced]], end: int) -> dict[str, Any]:
    found, left = blame.get(change.sha, []), _days(end, change.commit_time)
    return {
        "bug_inducing": bool(found),
        "n_inducing_lines": sum(one.lines for one in found),
        "n_later_fixes": len({one.fix for one in found}),
        "days_to_first_fix": min((one.days for one in found), default=nan),
        "days_to_repo_end": left,
        "label_censored": left < CENSOR_DAYS,
    }


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in row.items()}


def category_counts(commits: pa.Table) -> dict[str, int]:
    """Return how many fixes there are of each category; fixes that no rule knows are ``Unknown``."""
    found: dict[str, int] = {}
    chosen = commits.filter(commits.column("is_fix")).column("fix_category").to_pylist()
    for name in chosen:
        found[name or UNKNOWN] = found.get(name or UNKNOWN, 0) + 1
    return found
