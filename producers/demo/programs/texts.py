"""Parsing and formatting text with and without regular expressions."""

import re
import textwrap

LOG_LINE = re.compile(r"^(\S+) \[(\w+)\] (.*)$")


def parse_log(line: str) -> tuple[str, str, str] | None:
    match = LOG_LINE.match(line)
    if match is None:
        return None
    host, level, message = match.groups()
    return host, level, message


def find_dates(text: str) -> list[str]:
    return re.findall(r"\d{4}-\d{2}-\d{2}", text)


def mask_numbers(text: str) -> str:
    return re.sub(r"\d+", lambda m: "#" * len(m.group()), text)


def slugify(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def is_email(text: str) -> bool:
    return bool(re.fullmatch(r"[\w.+-]+@[\w-]+\.[\w.]+", text))


def named_groups(line: str) -> dict[str, str]:
    match = re.search(r"(?P<key>\w+)=(?P<value>\w+)", line)
    return match.groupdict() if match else {}


def tokenize(source: str) -> list[tuple[str, str]]:
    pattern = r"(?P<number>\d+)|(?P<name>[a-z]+)|(?P<op>[-+*/()])|(?P<space>\s+)"
    return [(m.lastgroup, m.group()) for m in re.finditer(pattern, source) if m.lastgroup != "space"]


def parse_query(query: str) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for pair in query.lstrip("?").split("&"):
        key, _, value = pair.partition("=")
        out.setdefault(key, []).append(value)
    return out


def parse_ini(text: str) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    current = "default"
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        if line[0] == "[" and line[-1] == "]":
            current = line[1:-1]
            sections[current] = {}
        else:
            key, value = line.split("=", maxsplit=1)
            sections.setdefault(current, {})[key.strip()] = value.strip()
    return sections


def table(rows: list[tuple[str, float]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}} | {value:8.3f}" for name, value in rows)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for row in rows:
        lines.append("| {} |".format(" | ".join(row)))
    return "\n".join(lines)


def human_size(size: float) -> str:
    for unit in ["B", "KB", "MB", "GB"]:
        if size < 1024:
            return "%.1f %s" % (size, unit)
        size /= 1024
    return f"{size:.1f} TB"


def dedent_block(text: str, indent: str = "    ") -> str:
    return textwrap.indent(textwrap.dedent(text), indent)


def reverse_words(text: str) -> str:
    return " ".join(text.split()[::-1])


def middle(text: str) -> str:
    return text[len(text) // 4 : -(len(text) // 4) or None : 2]


def snake_case(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() and i > 0 else c.lower() for i, c in enumerate(name))


def camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def balanced(text: str) -> bool:
    closing = {")": "(", "]": "[", "}": "{"}
    stack = []
    for c in text:
        if c in closing.values():
            stack.append(c)
        elif c in closing and (not stack or stack.pop() != closing[c]):
            return False
    return not stack


def translate(text: str) -> str:
    return text.translate(str.maketrans("abc", "xyz", "!?"))


def columns(line: str, widths: list[int]) -> list[str]:
    out, position = [], 0
    for width in widths:
        out.append(line[position : position + width].strip())
        position += width
    return out


def roman(n: int) -> str:
    out = ""
    for value, letters in [(10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]:
        while n >= value:
            out += letters
            n -= value
    return out
