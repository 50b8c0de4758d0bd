"""The page that shows the taxonomy to people, rendered from the tables: ``python -m models.taxonomy_docs``.

The command writes ``docs/taxonomy.md`` (or the file it is given); a test fails while the page is stale.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.taxonomy import CATEGORIES, LABELS, PARENTS, PHASES, Rule, code_rules, lint_rules, message_rules

MEANINGS = {
    "ASTTransform": "The generated text or its structure is not Rust: syntax, items, patterns, macros.",
    "OwnershipBorrow": "A value is moved, borrowed or mutated against Rust's ownership rules.",
    "StdlibMapping": "A function or type of one standard library has no, or another, counterpart in the other.",
    "SecurityVulnerabilities": "The code could be abused: deceptive text, wide permissions, leaks.",
    "MemorySafety": "Unsafe code: unmarked, invalid values, dangling or unaligned pointers, layouts.",
    "ComprehensionBugs": "A comprehension, loop or the closure made from it does not iterate or unpack as meant.",
    "TypeAnnotationGaps": "A type or generic argument is missing and cannot be inferred.",
    "ConcurrencyBugs": "Threads, locks and async code: not Send, awaited in the wrong place, held too long.",
    "TraitBounds": "A type lacks a trait that is needed, or an impl does not fulfil its trait.",
    "IteratorChain": "An iterator or a chain of adapters is wrong, endless or needlessly long.",
    "TypeErrors": "The type found is not the type needed, casts included.",
    "OperatorPrecedence": "An operator does not exist for its operands, or binds differently from what was meant.",
    "ConfigurationErrors": "Features, editions, attributes, targets, manifests and compiler settings.",
    "IntegrationFailures": "What lies outside the crate: dependencies, linker, foreign functions, assembly.",
    "PerformanceIssues": "The code is slow, or the compiler runs into a limit of depth, time or size.",
    "ApiMisuse": "A function, macro or type is used as its interface does not allow: arguments, privacy, panics.",
    "ResourceLeaks": "Memory, processes or other resources are not released, or twice.",
    "LogicErrors": "The program compiles or would, and does the wrong thing: unreachable, overflowing, incomplete.",
    "LifetimeErrors": "A reference does not live long enough, or its lifetime is not or wrongly declared.",
    "ImportErrors": "A crate, module, macro or name to import cannot be found, or is found twice.",
    "UndefinedVariable": "A name is used that is not defined in its scope.",
    "MethodNotFound": "A type has no method, field or associated item of this name.",
    "StyleViolations": "A lint asks for a clearer or more usual form; the code is right as it stands.",
}

PARENT_REASONS = {
    "LifetimeErrors": "a lifetime says how long a borrow may last: the same checker, the same repairs",
    "ImportErrors": "E0433 stands under StdlibMapping in the organizational-intelligence-plugin: a transpiled import "
    "that leads nowhere is a library not mapped",
    "UndefinedVariable": "E0425 stands under StdlibMapping there, for the same reason",
    "MethodNotFound": "E0599 stands under ASTTransform there: a call was carried over as it was written",
    "StyleViolations": "no category is about style; the nearest is code that compiles and is still not right",
}

PAGE = """\
# Taxonomy

What kind of defect a diagnostic is. There are {categories} categories and {finer} finer names. Each finer name has a
parent among the categories, so that both views can be read from one prediction (`category` and `subcategory`). What no
table knows is `Unknown`, and left to the model.

This page is rendered from the tables: `python -m models.taxonomy_docs` writes it anew.

## Labels

*Codes* are error codes of rustc, *lints* those of rustc, rustdoc and clippy, *messages* patterns for messages without
a code. Rows of a finer name are not counted again under its parent.

| label | what it means here | codes | lints | messages |
| --- | --- | --: | --: | --: |
{labels}

{total_codes} codes, {total_lints} lints and groups, {total_messages} patterns.

## Parents of the finer names

| finer name | category | why |
| --- | --- | --- |
{parents}

## What a row says

- **label**: the defect that the message most likely stands for, not the part of the compiler that reports it.
- **confidence**: how often the label is right for such a message, judged from the code's explanation. 0.95: the code
  has one meaning. 0.65: several defects end in the same message. Feedback corrects it as the line learns.
- **weight**: how much an example counts when the model learns, after the static weights of the
  organizational-intelligence-plugin: lifetimes 2.0, borrows and traits 1.5, most others 1.0, style 0.5.
- **phase**: the compiler's phase, in the order {phases}.
  Of several errors in one build, the earliest is the likelier cause and the others its consequences. Constant
  evaluation counts as codegen, what cargo does before the compiler as resolve.
- **reason**: one line, shown with the prediction.

The tables are [rustc_codes.tsv](../models/data/rustc_codes.tsv), [lints.tsv](../models/data/lints.tsv) and
[message_rules.tsv](../models/data/message_rules.tsv). Codes are looked up first, then lints (a lint without a label of
its own has its group's), then the message: the first pattern that is found wins. Summaries such as
`aborting due to 2 previous errors` match nothing on purpose: they describe no defect.

## Proposing a change

1. Find the row by its code, lint or message. `rustc --explain E0308` shows what a code means.
2. Change label, confidence, weight or phase, and say in **reason** what the defect is. For a message, put the narrower
   pattern above the wider one; begin it with `^` where you can, and bound every repetition (`[^`]*`, `.{{0,80}}`).
3. Run `python -m models.taxonomy_docs` and the tests of the taxonomy: they check that no code of your rustc and no
   lint of your clippy is missing, and that the rows fixed by the product's contract stay as they are.
4. Bring two or three real diagnostics that the old row labels wrongly and the new one rightly.

A new label is appended to `LABELS`, never inserted: saved models refer to labels by their place.
"""


def render() -> str:
    """Return the page: same tables, same text."""
    codes, lints, messages = (
        code_rules().values(),
        lint_rules().values(),
        [rule for _, rule in message_rules()],
    )
    return PAGE.format(
        categories=len(CATEGORIES),
        finer=len(PARENTS),
        labels="\n".join(_label_rows(codes, lints, messages)),
        parents="\n".join(f"| {name} | {parent} | {PARENT_REASONS[name]} |" for name, parent in PARENTS.items()),
        phases=", ".join(PHASES),
        total_codes=len(codes),
        total_lints=len(lints),
        total_messages=len(messages),
    )


def _label_rows(*tables: Iterable[Rule]) -> Iterator[str]:
    counts = [Counter(rule.label for rule in table) for table in tables]
    for label in LABELS:
        numbers = " | ".join(str(count[label]) for count in counts)
        yield f"| {label} | {MEANINGS[label]} | {numbers} |"


if __name__ == "__main__":
    Path(sys.argv[1] if sys.argv[1:] else "docs/taxonomy.md").write_text(render(), encoding="utf-8")
