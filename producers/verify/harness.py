"""The Rust around a program that calls its functions with inputs from a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from producers.verify.driver import MAIN
from producers.verify.kinds import DECODABLE
from producers.verify.rust_source import RustFunction, RustProgram
from producers.verify.rust_types import RustType, UnsupportedError, owned, passed, walk

MAIN_FILE = "#![allow(warnings)]\nmod program;\nfn main() {\n    program::jidoka_harness::run();\n}\n"
MAX_ITEMS = 10_000  # of an iterator, which may have no end
_SHOW = "(&jidoka::Show(&answer)).show(&mut value);"
TEXT_ERRORS = ("String", "str", "dyn Error")

_HEAD = """
#[allow(warnings)]
pub mod jidoka_harness {
use ::jidoka_support as support;
%s
mod calls {
use super::super::*;
use ::jidoka_support as jidoka;
use ::jidoka_support::{Known as _, Unknown as _};
"""
_TAIL = """}
pub fn find(name: &str) -> ::std::option::Option<support::Call> {
    match name {
%s
        _ => ::std::option::Option::None,
    }
}
pub fn run() {
    support::run(find);
}
}
"""
_CALL = """pub fn call_{at}(input: &mut jidoka::Input, begin: &mut dyn ::std::ops::FnMut())
    -> ::std::result::Result<(&'static str, jidoka::Bad, jidoka::Bad), jidoka::Bad> {{
    input.open(b"(")?;
{decode}    begin();
    let mut status = "ok";
    let mut value = jidoka::Bad::new();
    {{
        let answer = super::super::{name}({arguments});
        {show}
    }}
    let mut after = jidoka::Bad::from("(");
{after}    after.push(')');
    ::std::result::Result::Ok((status, value, after))
}}
"""
_DYNAMIC = """mod dynamic {
use super::super::DepylerValue as V;
use ::jidoka_support::{Bad, Canon, Decode, Input};
impl Decode for V {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        ::std::result::Result::Ok(match input.peek() {
            b'n' => { input.take(b'n'); V::None }
            b'T' | b'F' => V::Bool(Decode::decode(input)?),
            b'i' => V::Int(Decode::decode(input)?),
            b'f' => V::Float(Decode::decode(input)?),
            b'"' => V::Str(Decode::decode(input)?),
            b'{' => V::Dict(Decode::decode(input)?),
            b'(' => V::Tuple(Decode::decode(input)?),
            _ => V::List(Decode::decode(input)?),
        })
    }
}
impl Canon for V {
    fn canon(&self, out: &mut ::std::string::String) {
        match self {
            V::None => out.push('n'),
            V::Bool(value) => value.canon(out),
            V::Int(value) => value.canon(out),
            V::Float(value) => value.canon(out),
            V::Str(value) => value.canon(out),
            V::Dict(value) => value.canon(out),
            V::List(value) => value.canon(out),
            V::Tuple(value) => {
                out.push('(');
                for item in value { item.canon(out); }
                out.push(')');
            }
        }
    }
}
}
"""


@dataclass(frozen=True)
class Harness:
    """The program with the harness behind it; ``lines`` is the last line of each function's part."""

    text: str
    lines: Mapping[int, str]

    def function_at(self, line: int) -> str | None:
        """Return the function whose part of the harness stands at ``line``."""
        return next((name for last, name in sorted(self.lines.items()) if line <= last), None)


def callable_with_inputs(function: RustFunction, program: RustProgram) -> str:
    """Return why the harness cannot call a function, or nothing if it can."""
    if function.problem:
        return function.problem
    for kind in function.parameters:
        for one in walk(kind):
            known = one.name in DECODABLE or (one.name == "DepylerValue" and program.dynamic)
            if not known and one.name != "[T; N]":
                return f"it takes {kind.text} in Rust"
        try:
            passed(kind, owned(kind))
        except UnsupportedError:
            return f"it takes {kind.text} in Rust"
    return ""


def harness(source: str, program: RustProgram, functions: Iterable[RustFunction], classes: Iterable[str]) -> Harness:
    """Return ``source`` with a module behind it that runs cases of ``functions``."""
    extra = _DYNAMIC if program.dynamic else ""
    extra += "".join(_struct(name, program.structs[name]) for name in classes if name in program.structs)
    text = f"{source}\n{_HEAD % extra}"
    lines: dict[int, str] = {}
    arms = []
    for at, function in enumerate(functions):
        name = MAIN if function.name == "main" else function.name
        text += _call(at, function)
        lines[text.count("\n")] = name
        arms.append(f'        "{name}" => ::std::option::Option::Some(calls::call_{at}),')
    return Harness(text + _TAIL % "\n".join(arms), lines)


def changes(function: RustFunction) -> tuple[bool, ...]:
    """Return which parameters a function can change for its caller."""
    return tuple(kind.borrow == "&mut" for kind in function.parameters)


def _call(at: int, function: RustFunction) -> str:
    variables = [(f"a{index}", kind) for index, kind in enumerate(function.parameters)]
    decode = "".join(
        f"    let mut {name}: {owned(kind)} = jidoka::Decode::decode(input)?;\n" for name, kind in variables
    )
    after = "".join(
        f"    (&jidoka::Show(&{name})).show(&mut after);\n" if kind.borrow == "&mut" else "    after.push('n');\n"
        for name, kind in variables
    )
    arguments = ", ".join(passed(kind, name) for name, kind in variables)
    show = _show(function.answer)
    return _CALL.format(at=at, name=function.name, decode=decode, after=after, arguments=arguments, show=show)


def _show(answer: RustType) -> str:
    if answer.name == "Result" and answer.args:
        said = "(&jidoka::Show(&*error.to_string())).show(&mut value)"
        if len(answer.args) > 1 and not any(one.name in TEXT_ERRORS for one in walk(answer.args[1])):
            said = "(&jidoka::Show(&error)).show(&mut value)"
        return (
            "match answer {\n"
            f"            ::std::result::Result::Ok(answer) => {{ {_show(answer.args[0])} }}\n"
            f'            ::std::result::Result::Err(error) => {{ status = "err"; {said}; }}\n'
            "        }"
        )
    if answer.name in ("impl Iterator", "Box") and "Iterator" in answer.text:
        return f"let answer = answer.take({MAX_ITEMS}).collect::<::std::vec::Vec<_>>(); {_SHOW}"
    return _SHOW


def _struct(name: str, fields: Mapping[str, RustType]) -> str:
    shown = "".join(
        f'        out.push_str("\\"{field}\\"");\n        (&Show(&self.{field})).show(out);\n' for field in fields
    )
    return (
        f"impl ::jidoka_support::Canon for super::{name} {{\n    fn canon(&self, out: &mut ::std::string::String) {{\n"
        "        use ::jidoka_support::{Known as _, Show, Unknown as _};\n"
        f'        out.push_str("@\\"{name}\\"{{");\n{shown}        out.push(\'}}\');\n    }}\n}}\n'
    )
