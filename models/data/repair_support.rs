// Functions that translated code may call, each under its name; only those that are needed go into a program.
// == python_div
fn python_div(left: f64, right: f64) -> f64 {
    if right == 0.0 {
        panic!("ZeroDivisionError: division by zero");
    }
    left / right
}
// == python_div_checked
fn python_div_checked(left: f64, right: f64) -> Result<f64, String> {
    if right == 0.0 {
        return Err("ZeroDivisionError: division by zero".to_string());
    }
    Ok(left / right)
}
// == python_mod_int
fn python_mod_int(left: i64, right: i64) -> Result<i64, String> {
    if right == 0 {
        return Err("ZeroDivisionError: integer modulo by zero".to_string());
    }
    let rest = left % right;
    Ok(if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest })
}
// == python_floordiv_int
fn python_floordiv_int(left: i64, right: i64) -> Result<i64, String> {
    if right == 0 {
        return Err("ZeroDivisionError: integer division by zero".to_string());
    }
    let quotient = left / right;
    Ok(if left % right != 0 && (left < 0) != (right < 0) { quotient - 1 } else { quotient })
}
// == python_mod_float
fn python_mod_float(left: f64, right: f64) -> f64 {
    if right == 0.0 {
        panic!("ZeroDivisionError: float modulo");
    }
    let rest = left % right;
    if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
}
// == python_floordiv_float
fn python_floordiv_float(left: f64, right: f64) -> f64 {
    if right == 0.0 {
        panic!("ZeroDivisionError: float floor division by zero");
    }
    (left / right).floor()
}
// == python_index
fn python_index(index: i64, length: usize) -> usize {
    if index < 0 { (index + length as i64) as usize } else { index as usize }
}
// == python_char
fn python_char(text: &str, index: i64) -> Result<String, String> {
    let at = if index < 0 { index + text.chars().count() as i64 } else { index };
    let found = if at < 0 { None } else { text.chars().nth(at as usize) };
    found.map(|sign| sign.to_string()).ok_or_else(|| "IndexError: string index out of range".to_string())
}
// == python_slice
fn python_slice<T: Clone>(items: &[T], start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Vec<T> {
    let (length, step) = (items.len() as i64, step.unwrap_or(1));
    if step == 0 {
        panic!("ValueError: slice step cannot be zero");
    }
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(at) if at < 0 => (at + length).max(low),
        Some(at) => at.min(high),
    };
    let (mut at, end) = if step > 0 { (place(start, 0), place(stop, length)) } else { (place(start, length - 1), place(stop, -1)) };
    let mut found = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        found.push(items[at as usize].clone());
        at += step;
    }
    found
}
// == python_slice_text
fn python_slice_text(text: &str, start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> String {
    let signs: Vec<char> = text.chars().collect();
    python_slice(&signs, start, stop, step).into_iter().collect()
}
// == python_float
fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    let plain = format!("{:?}", value);
    match plain.split_once('e') {
        None => plain,
        Some((digits, power)) => {
            let (sign, power) = match power.strip_prefix('-') {
                Some(power) => ('-', power),
                None => ('+', power),
            };
            format!("{}e{}{:0>2}", digits.strip_suffix(".0").unwrap_or(digits), sign, power)
        }
    }
}
// == python_bool
fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}
// == python_repr
fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for sign in text.chars() {
        match sign {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if sign == quote => {
                shown.push('\\');
                shown.push(sign);
            }
            _ => shown.push(sign),
        }
    }
    shown.push(quote);
    shown
}
// == python_int
fn python_int(text: &str) -> Result<i64, String> {
    let plain = text.trim();
    let digits: String = plain.chars().filter(|sign| *sign != '_').collect();
    let loose = plain.starts_with('_') || plain.ends_with('_') || plain.contains("__");
    match digits.parse::<i64>() {
        Ok(value) if !loose => Ok(value),
        _ => Err(format!("ValueError: invalid literal for int() with base 10: '{}'", text)),
    }
}
// == python_to_float
fn python_to_float(text: &str) -> Result<f64, String> {
    text.trim().parse::<f64>().map_err(|_| format!("ValueError: could not convert string to float: '{}'", text))
}
// == python_round
fn python_round(value: f64, digits: i32) -> f64 {
    if !value.is_finite() {
        return value;
    }
    if digits >= 0 { format!("{:.*}", digits as usize, value).parse().unwrap_or(value) } else { let unit = 10f64.powi(-digits); (value / unit).round_ties_even() * unit }
}
// == python_title
fn python_title(text: &str) -> String {
    let mut inside = false;
    text.chars().flat_map(|sign| {
        let shown: Vec<char> = if inside { sign.to_lowercase().collect() } else { sign.to_uppercase().collect() };
        inside = sign.is_alphabetic();
        shown
    }).collect()
}
// == python_capitalize
fn python_capitalize(text: &str) -> String {
    let mut signs = text.chars();
    match signs.next() {
        None => String::new(),
        Some(first) => first.to_uppercase().chain(signs.flat_map(char::to_lowercase)).collect(),
    }
}
// == python_find
fn python_find(text: &str, part: &str) -> i64 {
    text.find(part).map_or(-1, |at| text[..at].chars().count() as i64)
}
// == python_rfind
fn python_rfind(text: &str, part: &str) -> i64 {
    text.rfind(part).map_or(-1, |at| text[..at].chars().count() as i64)
}
// == python_pad
fn python_pad(text: &str, width: i64, fill: &str, side: char) -> String {
    let missing = (width - text.chars().count() as i64).max(0) as usize;
    let before = match side { '<' => 0, '>' => missing, _ => missing / 2 + (missing & (width.max(0) as usize) & 1) };
    format!("{}{}{}", fill.repeat(before), text, fill.repeat(missing - before))
}
// == python_zfill
fn python_zfill(text: &str, width: i64) -> String {
    let missing = (width - text.chars().count() as i64).max(0) as usize;
    let (sign, rest) = if text.starts_with(['+', '-']) { text.split_at(1) } else { ("", text) };
    format!("{}{}{}", sign, "0".repeat(missing), rest)
}
// == python_all
fn python_all(text: &str, test: fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(test)
}
// == python_cased
fn python_cased(text: &str, test: fn(char) -> bool) -> bool {
    let mut cased = text.chars().filter(|sign| sign.is_uppercase() || sign.is_lowercase()).peekable();
    cased.peek().is_some() && cased.all(test)
}
// == python_grouped
fn python_grouped(plain: &str, separator: char) -> String {
    let (sign, rest) = plain.split_at(usize::from(plain.starts_with(['-', '+'])));
    let (whole, part) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut shown = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            shown.push(separator);
        }
        shown.push(digit);
    }
    shown + part
}
// == python_ord
fn python_ord(text: &str) -> Result<u32, String> {
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) => Ok(sign as u32),
        _ => Err(format!("TypeError: ord() expected a character, but string of length {} found", text.chars().count())),
    }
}
// == python_chr
fn python_chr(code: i64) -> Result<String, String> {
    u32::try_from(code).ok().and_then(char::from_u32).map(|sign| sign.to_string()).ok_or_else(|| "ValueError: chr() arg not in range(0x110000)".to_string())
}
// == python_pop
fn python_pop<T>(items: &mut Vec<T>, index: i64) -> Result<T, String> {
    let at = if index < 0 { index + items.len() as i64 } else { index };
    if at < 0 || at >= items.len() as i64 {
        return Err("IndexError: pop index out of range".to_string());
    }
    Ok(items.remove(at as usize))
}
// == python_range
fn python_range(start: i64, stop: i64, step: i64) -> Vec<i64> {
    if step == 0 {
        panic!("ValueError: range() arg 3 must not be zero");
    }
    let mut found = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        found.push(at);
        at += step;
    }
    found
}
// == python_radix
fn python_radix(text: &str, base: u32) -> Result<i64, String> {
    let plain = text.trim().to_lowercase();
    let (sign, rest) = match plain.strip_prefix('-') { Some(rest) => (-1, rest), None => (1, plain.as_str()) };
    let prefix = match base { 16 => "0x", 2 => "0b", 8 => "0o", _ => "" };
    let digits = if prefix.is_empty() { rest } else { rest.strip_prefix(prefix).unwrap_or(rest) };
    i64::from_str_radix(digits, base).map(|value| sign * value).map_err(|_| format!("ValueError: invalid literal for int() with base {}: '{}'", base, text))
}
// == python_math
fn python_math(value: f64) -> f64 {
    if value.is_nan() {
        panic!("ValueError: math domain error");
    }
    value
}
// == command_line
type PythonOption = (&'static str, &'static str, &'static [&'static str], &'static str, bool, &'static [&'static str]);
fn python_usage(problem: &str) -> ! {
    eprintln!("usage: [-h] ...\nerror: {}", problem);
    std::process::exit(2)
}
fn python_argument<T: std::str::FromStr>(text: &str) -> T {
    text.trim().parse().unwrap_or_else(|_| python_usage(&format!("invalid value: '{}'", text)))
}
fn python_command_line(commands: &[&str], needed: bool, options: &[PythonOption], values: &mut std::collections::HashMap<String, Vec<String>>) -> Option<String> {
    let mut words: std::collections::VecDeque<String> = std::env::args().skip(1).collect();
    let mut command: Option<String> = None;
    let mut filled: Vec<&str> = Vec::new();
    while let Some(word) = words.pop_front() {
        let mine = |option: &&PythonOption| option.0.is_empty() || command.as_deref() == Some(option.0);
        let number = word[1.min(word.len())..].parse::<f64>().is_ok();
        let (flag, joined) = match word.split_once('=') {
            Some((flag, value)) if word.starts_with("--") => (flag.to_string(), Some(value.to_string())),
            _ => (word.clone(), None),
        };
        if word == "-h" || word == "--help" {
            println!("usage: [-h] ...");
            std::process::exit(0);
        }
        if word.starts_with('-') && word.len() > 1 && !number {
            let Some(option) = options.iter().filter(mine).find(|option| option.2.contains(&flag.as_str())) else {
                python_usage(&format!("unrecognized arguments: {}", word))
            };
            if option.3 == "version" {
                std::process::exit(0);
            }
            let mut taken: Vec<String> = joined.into_iter().collect();
            let most = match option.3 { "none" | "no" => 0, "one" | "?" => 1, "*" | "+" => usize::MAX, count => count.parse().unwrap_or(1) };
            while taken.len() < most && words.front().is_some_and(|next| !next.starts_with('-') || next[1..].parse::<f64>().is_ok()) {
                taken.extend(words.pop_front());
            }
            if taken.is_empty() && (option.3 == "one" || option.3 == "+") {
                python_usage(&format!("argument {}: expected one argument", flag));
            }
            if !option.5.is_empty() && taken.iter().any(|one| !option.5.contains(&one.as_str())) {
                python_usage(&format!("argument {}: invalid choice", flag));
            }
            values.insert(option.1.to_string(), taken);
            continue;
        }
        let open = options.iter().filter(mine).find(|option| option.2.is_empty() && !filled.contains(&option.1));
        match open {
            Some(option) => {
                if !option.5.is_empty() && !option.5.contains(&word.as_str()) {
                    python_usage(&format!("argument {}: invalid choice: '{}'", option.1, word));
                }
                let held = values.entry(option.1.to_string()).or_default();
                held.push(word);
                let most = match option.3 { "*" | "+" => usize::MAX, count => count.parse().unwrap_or(1) };
                if held.len() >= most {
                    filled.push(option.1);
                }
            }
            None if command.is_none() && commands.contains(&word.as_str()) => command = Some(word),
            None => python_usage(&format!("unrecognized arguments: {}", word)),
        }
    }
    if needed && command.is_none() {
        python_usage("the following arguments are required: command");
    }
    let mine = |option: &&PythonOption| option.0.is_empty() || command.as_deref() == Some(option.0);
    if let Some(missing) = options.iter().filter(mine).find(|option| option.4 && !values.contains_key(option.1)) {
        python_usage(&format!("the following arguments are required: {}", missing.1));
    }
    command
}
