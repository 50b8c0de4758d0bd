"""The oracle itself: hand-made wrong translations are caught, each for what is wrong with it; right ones pass."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from producers.verify.oracle import verify
from producers.verify.verdict import FunctionVerdict


class Wrong(NamedTuple):
    """A Python function, its right translation, a wrong one, and how the oracle is to say so."""

    python: str
    right: str
    wrong: str
    failure: str


WRONG = {
    "off by one": Wrong(
        "def total(n: int) -> int:\n    return sum(range(min(n, 50)))\n",
        "pub fn total(n: i64) -> i64 { (0..n.min(50)).sum() }",
        "pub fn total(n: i64) -> i64 { (0..=n.min(50)).sum() }",
        "value",
    ),
    "floor division": Wrong(
        "def half(a: int) -> int:\n    return a // 2\n",
        "pub fn half(a: i64) -> i64 { a.div_euclid(2) }",
        "pub fn half(a: i64) -> i64 { a / 2 }",
        "value",
    ),
    "negative modulo": Wrong(
        "def wrap(a: int) -> int:\n    return a % 7\n",
        "pub fn wrap(a: i32) -> i32 { a.rem_euclid(7) }",
        "pub fn wrap(a: i32) -> i32 { a % 7 }",
        "value",
    ),
    "overflow": Wrong(
        "def square(a: int) -> int:\n    return (a % 1000000) * (a % 1000000)\n",
        "pub fn square(a: i32) -> i64 { let m = (a as i64).rem_euclid(1000000); m * m }",
        "pub fn square(a: i32) -> i32 { let m = a.rem_euclid(1000000); m * m }",
        "overflow",
    ),
    "wrapping overflow": Wrong(
        "def squared(a: int) -> int:\n    return (a % 1000000) * (a % 1000000)\n",
        "pub fn squared(a: i32) -> i64 { let m = (a as i64).rem_euclid(1000000); m * m }",
        "pub fn squared(a: i32) -> i32 { let m = a.rem_euclid(1000000); m.wrapping_mul(m) }",
        "value",
    ),
    "aliasing": Wrong(
        "def push(xs: list[int]) -> int:\n    xs.append(1)\n    return len(xs)\n",
        "pub fn push(xs: &mut Vec<i64>) -> usize { xs.push(1); xs.len() }",
        "pub fn push(mut xs: Vec<i64>) -> usize { xs.push(1); xs.len() }",
        "mutation",
    ),
    "dict order": Wrong(
        "def keys(words: list[str]) -> list[str]:\n    return list({word: 1 for word in words})\n",
        "pub fn keys(words: &Vec<String>) -> Vec<String> {\n    let mut out: Vec<String> = vec![];\n"
        "    for w in words { if !out.contains(w) { out.push(w.clone()); } }\n    out\n}",
        "pub fn keys(words: &Vec<String>) -> Vec<String> {\n    let all: std::collections::BTreeMap<String, i32> =\n"
        "        words.iter().map(|w| (w.clone(), 1)).collect();\n    all.into_keys().collect()\n}",
        "value",
    ),
    "hash order": Wrong(
        "def unique(words: list[str]) -> list[str]:\n    return list({word: 1 for word in words})\n",
        "pub fn unique(words: &[String]) -> Vec<String> {\n    let mut out: Vec<String> = vec![];\n"
        "    for w in words { if !out.contains(w) { out.push(w.clone()); } }\n    out\n}",
        "pub fn unique(words: &[String]) -> Vec<String> {\n    let all: std::collections::HashMap<String, i32> =\n"
        "        words.iter().map(|w| (w.clone(), 1)).collect();\n    all.into_keys().collect()\n}",
        "value",
    ),
    "integer for float": Wrong(
        "def ratio(a: int) -> float:\n    return a / 2\n",
        "pub fn ratio(a: i32) -> f64 { a as f64 / 2.0 }",
        "pub fn ratio(a: i32) -> f64 { (a / 2) as f64 }",
        "value",
    ),
    "float for integer": Wrong(
        "def double(a: int) -> int:\n    return a * 2\n",
        "pub fn double(a: i32) -> i64 { a as i64 * 2 }",
        "pub fn double(a: i32) -> f64 { a as f64 * 2.0 }",
        "type",
    ),
    "length in bytes": Wrong(
        "def size(text: str) -> int:\n    return len(text)\n",
        "pub fn size(text: &str) -> usize { text.chars().count() }",
        "pub fn size(text: &str) -> usize { text.len() }",
        "value",
    ),
    "slice by bytes": Wrong(
        "def first(text: str) -> str:\n    return text[:1]\n",
        "pub fn first(text: &str) -> String { text.chars().take(1).collect() }",
        "pub fn first(text: &str) -> String { text[..text.len().min(1)].to_string() }",
        "panic",
    ),
    "negative index": Wrong(
        "def last(xs: list[int]) -> int:\n    return xs[-1] if xs else 0\n",
        "pub fn last(xs: &Vec<i32>) -> i32 { xs.last().copied().unwrap_or(0) }",
        "pub fn last(xs: &Vec<i32>) -> i32 { let i: i32 = -1; xs.get(i as usize).copied().unwrap_or(0) }",
        "value",
    ),
    "a length below zero": Wrong(
        "def before(xs: list[int]) -> int:\n    return len(xs) - 1\n",
        "pub fn before(xs: &Vec<i32>) -> i64 { xs.len() as i64 - 1 }",
        "pub fn before(xs: &Vec<i32>) -> usize { xs.len() - 1 }",
        "panic",
    ),
    "no exception": Wrong(
        "def pick(xs: list[int]) -> int:\n    return xs[0]\n",
        "pub fn pick(xs: &Vec<i32>) -> i32 { xs[0] }",
        "pub fn pick(xs: &Vec<i32>) -> i32 { xs.first().copied().unwrap_or_default() }",
        "no exception",
    ),
    "an error of its own": Wrong(
        "def parse(text: str) -> int:\n    return len(text.strip())\n",
        "pub fn parse(text: &str) -> Result<usize, String> { Ok(text.trim().chars().count()) }",
        'pub fn parse(text: &str) -> Result<usize, String> {\n    if text.is_empty() { Err("empty".into()) }'
        " else { Ok(text.trim().chars().count()) }\n}",
        "error",
    ),
    "answer dropped": Wrong(
        "def add(a: int, b: int) -> int:\n    return a + b\n",
        "pub fn add(a: i64, b: i64) -> i128 { a as i128 + b as i128 }",
        "pub fn add(a: i64, b: i64) { let _ = a as i128 + b as i128; }",
        "value",
    ),
    "printed otherwise": Wrong(
        "def show(x: float) -> None:\n    print(x)\n",
        'pub fn show(x: f64) { println!("{}", if x.is_nan() { "nan".to_string() } else { python(x) }); }\n'
        "fn python(x: f64) -> String {\n    let e = format!(\"{:e}\", x); let n: i32 = e.split('e').nth(1).and_then("
        "|s| s.parse().ok()).unwrap_or(0);\n    if x != 0.0 && x.is_finite() && (n < -4 || n >= 16) {"
        " let (m, _) = e.split_once('e').unwrap(); format!(\"{}e{}{:02}\", m, if n < 0 { '-' } else { '+' }, n.abs()) }"
        ' else { format!("{:?}", x) }\n}',
        'pub fn show(x: f64) { println!("{}", x); }',
        "stdout",
    ),
    "rounds otherwise": Wrong(
        "def near(x: float) -> float:\n    return float(round(x)) if abs(x) < 1e9 else 0.0\n",
        "pub fn near(x: f64) -> f64 { if x.abs() < 1e9 { x.round_ties_even() } else { 0.0 } }",
        "pub fn near(x: f64) -> f64 { if x.abs() < 1e9 { x.round() } else { 0.0 } }",
        "value",
    ),
    "never ends": Wrong(
        "def down(n: int) -> int:\n    return 0 if n < 5 else 1\n",
        "pub fn down(n: i32) -> i32 { if n < 5 { 0 } else { 1 } }",
        "pub fn down(n: i32) -> i32 { while n == 7 { std::hint::spin_loop(); } if n < 5 { 0 } else { 1 } }",
        "hang",
    ),
    "too deep": Wrong(
        "def depth(n: int) -> int:\n    return abs(n) * 0 + 1\n",
        "pub fn depth(n: i32) -> i32 { 1 }",
        "pub fn depth(n: i32) -> i32 { if n == 7 { 1 + std::hint::black_box(depth(n)) } else { 1 } }",
        "crash",
    ),
}

each_wrong = pytest.mark.parametrize("one", WRONG.values(), ids=WRONG.keys())


def name_of(one: Wrong) -> str:
    """Return the name of the function."""
    return one.python.partition("def ")[2].partition("(")[0]


@pytest.fixture(scope="module")
def caught() -> dict[str, FunctionVerdict]:
    """Return the verdicts on all wrong translations, by function; they are one program, built once."""
    python = "".join(one.python for one in WRONG.values())
    rust = "\n".join(one.wrong for one in WRONG.values())
    return {one.name: one for one in verify(python, rust, timeout_ms=2000).functions}


@pytest.fixture(scope="module")
def passed() -> dict[str, FunctionVerdict]:
    """Return the verdicts on all right translations, by function."""
    python = "".join(one.python for one in WRONG.values())
    rust = "\n".join(one.right for one in WRONG.values())
    return {one.name: one for one in verify(python, rust).functions}


@each_wrong
def test_a_wrong_translation_is_caught(one: Wrong, caught: dict[str, FunctionVerdict]) -> None:
    """Each wrong translation is refused for what is wrong with it, with an input that shows it."""
    found = caught[name_of(one)]
    assert found.failure == one.failure
    assert found.counterexample is not None


@each_wrong
def test_the_right_translation_passes(one: Wrong, passed: dict[str, FunctionVerdict]) -> None:
    """The right translation of the same function is found equivalent, on most of its inputs."""
    found = passed[name_of(one)]
    assert found.answer == "equivalent", found.why
    assert found.compared > 5 or name_of(one) == "down"
