// Canonical form of values, as producers/verify/driver.py writes it; read and written without any crate.

pub struct Input<'a> {
    text: &'a str,
    at: usize,
}

pub type Bad = ::std::string::String;

impl<'a> Input<'a> {
    pub fn new(text: &'a str) -> Self {
        Input { text, at: 0 }
    }
    pub fn peek(&self) -> u8 {
        *self.text.as_bytes().get(self.at).unwrap_or(&0)
    }
    pub fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek() == wanted;
        if there {
            self.at += 1;
        }
        there
    }
    pub fn open(&mut self, allowed: &[u8]) -> ::std::result::Result<u8, Bad> {
        let mark = self.peek();
        if !allowed.contains(&mark) {
            return ::std::result::Result::Err(::std::format!("kind {:?}", mark as char));
        }
        self.at += 1;
        ::std::result::Result::Ok(match mark {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            _ => b'>',
        })
    }
    pub fn word(&mut self, mark: u8) -> ::std::result::Result<&'a str, Bad> {
        if !self.take(mark) {
            return ::std::result::Result::Err(::std::format!("kind {:?}", self.peek() as char));
        }
        let end = self.at + self.text[self.at..].find(';').ok_or("no end")?;
        let word = &self.text[self.at..end];
        self.at = end + 1;
        ::std::result::Result::Ok(word)
    }
    pub fn string(&mut self) -> ::std::result::Result<::std::string::String, Bad> {
        if !self.take(b'"') {
            return ::std::result::Result::Err(::std::format!("kind {:?}", self.peek() as char));
        }
        let mut out = ::std::string::String::new();
        let mut escaped = false;
        for (offset, c) in self.text[self.at..].char_indices() {
            if escaped {
                out.push(match c {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                });
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                self.at += offset + 1;
                return ::std::result::Result::Ok(out);
            } else {
                out.push(c);
            }
        }
        ::std::result::Result::Err("no end".into())
    }
}

pub trait Decode: Sized {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad>;
    fn of_byte(_: u8) -> ::std::option::Option<Self> {
        ::std::option::Option::None
    }
}

pub trait Canon {
    fn canon(&self, out: &mut ::std::string::String);
}

macro_rules! integers {
    ($($name:ty),*) => {$(
        impl Decode for $name {
            fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
                input.word(b'i')?.parse().map_err(|_| Bad::from("range"))
            }
            fn of_byte(byte: u8) -> ::std::option::Option<Self> {
                <$name as ::std::convert::TryFrom<u8>>::try_from(byte).ok()
            }
        }
        impl Canon for $name {
            fn canon(&self, out: &mut ::std::string::String) {
                out.push_str(&::std::format!("i{};", self));
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

macro_rules! floats {
    ($($name:ty),*) => {$(
        impl Decode for $name {
            fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
                if input.peek() == b'i' {
                    return input.word(b'i')?.parse().map_err(|_| Bad::from("range"));
                }
                let bits = u64::from_str_radix(input.word(b'f')?, 16).map_err(|_| Bad::from("bits"))?;
                ::std::result::Result::Ok(f64::from_bits(bits) as $name)
            }
        }
        impl Canon for $name {
            fn canon(&self, out: &mut ::std::string::String) {
                out.push_str(&::std::format!("f{:016x};", (*self as f64).to_bits()));
            }
        }
    )*};
}
floats!(f32, f64);

impl Decode for bool {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        let yes = input.take(b'T');
        if yes || input.take(b'F') {
            ::std::result::Result::Ok(yes)
        } else {
            ::std::result::Result::Err("kind".into())
        }
    }
}
impl Canon for bool {
    fn canon(&self, out: &mut ::std::string::String) {
        out.push(if *self { 'T' } else { 'F' });
    }
}
impl Decode for () {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        if input.take(b'n') {
            ::std::result::Result::Ok(())
        } else {
            ::std::result::Result::Err("kind".into())
        }
    }
}
impl Canon for () {
    fn canon(&self, out: &mut ::std::string::String) {
        out.push('n');
    }
}
impl Decode for ::std::string::String {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        input.string()
    }
}
impl Canon for str {
    fn canon(&self, out: &mut ::std::string::String) {
        out.push('"');
        for c in self.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                other => out.push(other),
            }
        }
        out.push('"');
    }
}
impl Canon for ::std::string::String {
    fn canon(&self, out: &mut ::std::string::String) {
        self.as_str().canon(out);
    }
}
impl Decode for char {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        let text = input.string()?;
        let mut all = text.chars();
        match (all.next(), all.next()) {
            (::std::option::Option::Some(one), ::std::option::Option::None) => ::std::result::Result::Ok(one),
            _ => ::std::result::Result::Err("range".into()),
        }
    }
}
impl Canon for char {
    fn canon(&self, out: &mut ::std::string::String) {
        self.to_string().canon(out);
    }
}
impl<T: Decode> Decode for ::std::option::Option<T> {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        if input.take(b'n') {
            return ::std::result::Result::Ok(::std::option::Option::None);
        }
        ::std::result::Result::Ok(::std::option::Option::Some(T::decode(input)?))
    }
}
impl<T: Canon> Canon for ::std::option::Option<T> {
    fn canon(&self, out: &mut ::std::string::String) {
        match self {
            ::std::option::Option::Some(value) => value.canon(out),
            ::std::option::Option::None => out.push('n'),
        }
    }
}
impl<T: Canon + ?Sized> Canon for &T {
    fn canon(&self, out: &mut ::std::string::String) {
        (**self).canon(out);
    }
}
impl<T: Canon + ?Sized> Canon for &mut T {
    fn canon(&self, out: &mut ::std::string::String) {
        (**self).canon(out);
    }
}
macro_rules! pointers {
    ($($name:ident),*) => {$(
        impl<T: Decode> Decode for $name<T> {
            fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
                ::std::result::Result::Ok($name::new(T::decode(input)?))
            }
        }
        impl<T: Canon + ?Sized> Canon for $name<T> {
            fn canon(&self, out: &mut ::std::string::String) {
                (**self).canon(out);
            }
        }
    )*};
}
use ::std::boxed::Box;
use ::std::rc::Rc;
use ::std::sync::Arc;
pointers!(Box, Rc, Arc);
impl<T: Canon> Canon for ::std::cell::RefCell<T> {
    fn canon(&self, out: &mut ::std::string::String) {
        self.borrow().canon(out);
    }
}
impl<T: Canon + ::std::borrow::ToOwned + ?Sized> Canon for ::std::borrow::Cow<'_, T> {
    fn canon(&self, out: &mut ::std::string::String) {
        (**self).canon(out);
    }
}

fn items<T: Decode>(input: &mut Input) -> ::std::result::Result<::std::vec::Vec<T>, Bad> {
    if input.peek() == b'b' {
        let digits = input.word(b'b')?;
        let bytes = (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap_or(0));
        return bytes.map(|byte| T::of_byte(byte).ok_or(Bad::from("kind"))).collect();
    }
    let close = input.open(b"[(<")?;
    let mut all = ::std::vec::Vec::new();
    while !input.take(close) {
        all.push(T::decode(input)?);
    }
    ::std::result::Result::Ok(all)
}
impl<T: Decode> Decode for ::std::vec::Vec<T> {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        items(input)
    }
}
impl<T: Decode, const N: usize> Decode for [T; N] {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        let all: ::std::vec::Vec<T> = items(input)?;
        all.try_into().map_err(|_| Bad::from("range"))
    }
}
fn sequence<'a, T: Canon + 'a>(
    open: char,
    all: impl ::std::iter::Iterator<Item = &'a T>,
    close: char,
    out: &mut ::std::string::String,
) {
    out.push(open);
    for item in all {
        item.canon(out);
    }
    out.push(close);
}
impl<T: Canon> Canon for [T] {
    fn canon(&self, out: &mut ::std::string::String) {
        sequence('[', self.iter(), ']', out);
    }
}
impl<T: Canon, const N: usize> Canon for [T; N] {
    fn canon(&self, out: &mut ::std::string::String) {
        sequence('[', self.iter(), ']', out);
    }
}
impl<T: Canon> Canon for ::std::vec::Vec<T> {
    fn canon(&self, out: &mut ::std::string::String) {
        sequence('[', self.iter(), ']', out);
    }
}
impl<T: Decode> Decode for ::std::collections::VecDeque<T> {
    fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
        ::std::result::Result::Ok(items(input)?.into_iter().collect())
    }
}
impl<T: Canon> Canon for ::std::collections::VecDeque<T> {
    fn canon(&self, out: &mut ::std::string::String) {
        sequence('[', self.iter(), ']', out);
    }
}
macro_rules! sets {
    ($($name:ident, $($bound:ident)::+);*) => {$(
        impl<T: Decode + Eq + $($bound)::+> Decode for ::std::collections::$name<T> {
            fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
                ::std::result::Result::Ok(items(input)?.into_iter().collect())
            }
        }
        impl<T: Canon> Canon for ::std::collections::$name<T> {
            fn canon(&self, out: &mut ::std::string::String) {
                sequence('<', self.iter(), '>', out);
            }
        }
    )*};
}
sets!(HashSet, std::hash::Hash; BTreeSet, Ord);
macro_rules! maps {
    ($($name:ident, $($bound:ident)::+);*) => {$(
        impl<K: Decode + Eq + $($bound)::+, V: Decode> Decode for ::std::collections::$name<K, V> {
            fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
                let close = input.open(b"{")?;
                let mut all = Self::new();
                while !input.take(close) {
                    let key = K::decode(input)?;
                    all.insert(key, V::decode(input)?);
                }
                ::std::result::Result::Ok(all)
            }
        }
        impl<K: Canon, V: Canon> Canon for ::std::collections::$name<K, V> {
            fn canon(&self, out: &mut ::std::string::String) {
                out.push('{');
                for (key, value) in self {
                    key.canon(out);
                    value.canon(out);
                }
                out.push('}');
            }
        }
    )*};
}
maps!(HashMap, std::hash::Hash; BTreeMap, Ord);
macro_rules! tuples {
    ($(($($name:ident $at:tt),+))*) => {$(
        impl<$($name: Decode),+> Decode for ($($name,)+) {
            fn decode(input: &mut Input) -> ::std::result::Result<Self, Bad> {
                let close = input.open(b"([")?;
                let all = ($($name::decode(input)?,)+);
                if input.take(close) { ::std::result::Result::Ok(all) } else { ::std::result::Result::Err("range".into()) }
            }
        }
        impl<$($name: Canon),+> Canon for ($($name,)+) {
            fn canon(&self, out: &mut ::std::string::String) {
                out.push('(');
                $(self.$at.canon(out);)+
                out.push(')');
            }
        }
    )*};
}
tuples!((A 0)(A 0, B 1)(A 0, B 1, C 2)(A 0, B 1, C 2, D 3)(A 0, B 1, C 2, D 3, E 4)(A 0, B 1, C 2, D 3, E 4, F 5));

// What has a canonical form is shown in it; for anything else the second trait applies, one reference further away.
pub struct Show<'a, T: ?Sized>(pub &'a T);
pub trait Known {
    fn show(&self, out: &mut ::std::string::String);
}
impl<T: Canon + ?Sized> Known for Show<'_, T> {
    fn show(&self, out: &mut ::std::string::String) {
        self.0.canon(out);
    }
}
pub trait Unknown {
    fn show(&self, out: &mut ::std::string::String);
}
impl<T: ?Sized> Unknown for &Show<'_, T> {
    fn show(&self, out: &mut ::std::string::String) {
        out.push('?');
        ::std::any::type_name::<T>().canon(out);
    }
}

pub fn quoted(text: &str) -> ::std::string::String {
    let mut out = ::std::string::String::new();
    text.canon(&mut out);
    out
}

static SAID: ::std::sync::Mutex<::std::string::String> = ::std::sync::Mutex::new(::std::string::String::new());

pub type Call = fn(&mut Input, &mut dyn FnMut()) -> ::std::result::Result<(&'static str, Bad, Bad), Bad>;

// Runs the cases of a file: number, function, arguments; writes number, status, value, arguments afterwards.
// In standard output, a line with the record separator and the number stands before what a case prints.
pub fn run(find: fn(&str) -> ::std::option::Option<Call>) {
    use ::std::io::Write;
    let given: ::std::vec::Vec<::std::string::String> = ::std::env::args().collect();
    let cases = ::std::fs::read_to_string(&given[1]).expect("cases");
    let mut results = ::std::fs::File::create(&given[2]).expect("results");
    ::std::panic::set_hook(::std::boxed::Box::new(|info| {
        let said = info.payload();
        let text = said.downcast_ref::<&str>().map(|text| text.to_string());
        let text = text.or(said.downcast_ref::<::std::string::String>().cloned()).unwrap_or_default();
        let line = info.location().map(|place| place.line()).unwrap_or(0);
        if let ::std::result::Result::Ok(mut last) = SAID.lock() {
            *last = ::std::format!("line {}: {}", line, text);
        }
    }));
    for case in cases.split('\n').filter(|case| !case.is_empty()) {
        let parts: ::std::vec::Vec<&str> = case.splitn(3, '\t').collect();
        let mut begin = || ::std::print!("\u{1e}{}\n", parts[0]);
        let call = find(parts[1]).expect("function");
        let mut input = Input::new(parts[2]);
        let done = ::std::panic::catch_unwind(::std::panic::AssertUnwindSafe(|| call(&mut input, &mut begin)));
        let (status, value, after) = match done {
            ::std::result::Result::Ok(::std::result::Result::Ok(done)) => done,
            ::std::result::Result::Ok(::std::result::Result::Err(why)) => ("unfit", quoted(&why), "n".into()),
            ::std::result::Result::Err(_) => ("panic", quoted(&SAID.lock().unwrap()), "n".into()),
        };
        ::std::io::stdout().flush().ok();
        let line = ::std::format!("{}\t{}\t{}\t{}\n", parts[0], status, value, after);
        results.write_all(line.as_bytes()).ok();
    }
    ::std::print!("\u{1e}end\n");
    ::std::io::stdout().flush().ok();
}
