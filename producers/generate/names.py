"""What things are called in the end: by their kinds, as a programmer would, or by words that are Rust's own."""

from __future__ import annotations

from typing import Final

NAMES: Final[dict[str, tuple[str, ...]]] = {
    "i": ("n", "k", "count", "total", "step", "value", "limit", "index", "size", "width", "start", "left", "right"),
    "f": ("x", "y", "rate", "ratio", "mean", "scale", "weight", "amount"),
    "b": ("flag", "found", "ready", "valid", "done", "active"),
    "s": ("text", "word", "name", "label", "line", "prefix", "part", "token"),
    "I": ("items", "values", "numbers", "scores", "data", "result", "stack"),
    "F": ("samples", "rates", "points", "series"),
    "S": ("words", "names", "lines", "parts", "tokens"),
    "D": ("counts", "table", "ages", "prices", "lookup"),
    "M": ("mapping", "cache", "memo", "links"),
    "U": ("seen", "unique", "members", "visited"),
    "T": ("pair", "point", "span", "bounds"),
    "P": ("entry", "record", "score", "tagged"),
    "L": ("rows", "grid", "matrix", "board"),
    "N": ("pairs", "entries", "records", "ranking"),
    "G": ("groups", "graph", "buckets", "inventory"),
    "O": ("maybe", "best", "chosen", "nearest"),
    "Q": ("title", "alias", "note", "comment"),
    "function": ("compute", "blend", "score_of", "transform", "check", "collect", "measure", "build", "merge", "fold"),
    "x": ("walk", "spread", "recur", "yielded", "gather"),
    "class": ("Counter", "Point", "Account", "Shape", "Node", "Item"),
    "attribute": ("level", "owner", "balance", "radius", "offset", "height", "state"),
    "constant": ("LIMIT", "OFFSET", "BASE", "FACTOR"),
}

RUST_WORDS: Final = (
    *("type", "match", "fn", "impl", "loop", "mod", "move", "mut", "pub", "ref", "struct", "trait", "use", "where"),
    *("crate", "dyn", "enum", "extern", "let", "unsafe", "box", "final", "priv", "virtual", "abstract", "become"),
    *("macro", "override", "do", "const", "static", "typeof", "unsized", "Some", "Box", "Vec", "String"),
)
_EVERY: Final = 8  # one program in so many uses words of Rust's


def named(kinds: list[str], choice: int, *, rust: bool) -> list[str]:
    """Return a name for each kind, all different; ``choice`` (a byte) decides where in each list to begin."""
    used: set[str] = set()
    met: dict[str, int] = {}
    names: list[str] = []
    borrowed = rust and choice % _EVERY == 0
    for kind in kinds:
        place = met[kind] = met.get(kind, -1) + 1
        pool = NAMES.get(kind) or NAMES["attribute"]
        if borrowed and place == 0 and kind not in {"class", "constant"}:
            pool, place = RUST_WORDS, len(names)
        name = pool[(choice + place) % len(pool)]
        turn = 1
        while name in used:
            turn += 1
            name = f"{pool[(choice + place) % len(pool)]}{turn}"
        used.add(name)
        names.append(name)
    return names
