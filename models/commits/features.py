"""What is known of a commit when it is made, as numbers: its size, its spread, and the history of what it touches.

Nothing here looks at a label, or at anything that happens later. Kamei et al., "A large-scale empirical study of
just-in-time quality assurance", IEEE TSE 39(6), 2013, for the dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Columns = Mapping[str, Any]

COUNTS = (
    *("files_changed", "lines_added", "lines_deleted", "n_rs", "n_py", "n_md", "n_test", "n_new", "n_renamed"),
    *("dirs_touched", "top_dirs", "author_experience", "prior_changes_mean", "prior_changes_max", "prior_fixes_mean"),
    *("prior_fixes_max", "n_prior_authors", "days_since_last_change", "file_age_days", "src_lines_added"),
    *("src_lines_deleted", "prod_src_lines_added", "n_src_diff", "days_since_prev_commit", "project_age_days"),
    "message_len",
)
OTHERS = ("entropy", "complexity_delta", "author_hour", "author_weekday", "ai_coauthored", "touches_src")
NUMBERS = (*COUNTS, *OTHERS)
TEXT = "commit_type"
INPUTS = (*NUMBERS, TEXT)
TYPES = ("feat", "fix", "docs", "chore", "refactor", "test", "perf", "style", "ci", "build")

RATIOS = ("fix_ratio", "fix_ratio_max", "prod_share", "test_share", "new_share", "rs_share", "churn", "evenness")
RATES = ("change_rate", "change_rate_max", "fix_rate")
NAMES: tuple[str, ...] = (
    *COUNTS,
    *("entropy", "complexity_delta", "new_file", "ai_coauthored", "hour_sin", "hour_cos", "weekday", "touches_src"),
    *(f"type_{name}" for name in TYPES),
    *RATIOS,
    *RATES,
)

# What a reader of the literature expects before the first label: size, spread over files, and a history of fixes raise
# the risk, new files lower it. In units of the log-odds for one standard deviation; docs/decisions/0023-commits.md.
PRIOR: Mapping[str, float] = {
    "prod_src_lines_added": 0.5,
    "touches_src": 0.5,
    "n_rs": 0.2,
    "fix_ratio": 0.2,
    "prior_fixes_max": 0.15,
    "prior_changes_max": 0.1,
    "complexity_delta": 0.1,
    "entropy": 0.05,
    "new_share": -0.1,
}


def matrix(columns: Columns) -> Array:
    """Return one row of ``NAMES`` for each commit; ``columns`` holds ``INPUTS``, with NaN where a number is missing."""
    numbers = {name: np.asarray(columns[name], np.float64) for name in NUMBERS}
    plain = {name: np.nan_to_num(np.maximum(numbers[name], 0.0)) for name in COUNTS}
    found = {name: np.log1p(plain[name]) for name in COUNTS}
    delta, angle = np.nan_to_num(numbers["complexity_delta"]), numbers["author_hour"] * (2 * np.pi / 24)
    found |= {
        "entropy": numbers["entropy"],
        "complexity_delta": np.sign(delta) * np.log1p(np.abs(delta)),
        "new_file": np.isnan(numbers["days_since_last_change"]),
        "ai_coauthored": numbers["ai_coauthored"],
        "hour_sin": np.sin(angle),
        "hour_cos": np.cos(angle),
        "weekday": numbers["author_weekday"],
        "touches_src": numbers["touches_src"],
    }
    kinds = np.asarray(columns[TEXT], object)
    found |= {f"type_{name}": kinds == name for name in TYPES}
    found |= _ratios(plain, numbers["entropy"])
    return np.nan_to_num(np.column_stack([np.asarray(found[name], np.float64) for name in NAMES]))


def _ratios(plain: Mapping[str, Array], entropy: Array) -> dict[str, Array]:
    files, age = plain["files_changed"], plain["file_age_days"] + 1
    return {
        "fix_ratio": plain["prior_fixes_mean"] / (plain["prior_changes_mean"] + 1),
        "fix_ratio_max": plain["prior_fixes_max"] / (plain["prior_changes_max"] + 1),
        "prod_share": plain["prod_src_lines_added"] / (plain["lines_added"] + 1),
        "test_share": plain["n_test"] / (files + 1),
        "new_share": plain["n_new"] / (files + 1),
        "rs_share": plain["n_rs"] / (files + 1),
        "churn": np.log1p(plain["src_lines_deleted"]) - np.log1p(plain["src_lines_added"]),
        "evenness": entropy / np.log2(np.maximum(files, 2)),
        "change_rate": np.log1p(plain["prior_changes_mean"] / age),
        "change_rate_max": np.log1p(plain["prior_changes_max"] / age),
        "fix_rate": np.log1p(plain["prior_fixes_max"] / age),
    }
