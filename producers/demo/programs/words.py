"""Counting, grouping and searching words."""

import string
from collections import Counter, defaultdict

STOP_WORDS = {"the", "a", "an", "of", "and", "to"}


def count_words(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for raw in text.lower().split():
        word = raw.strip(".,;:!?")
        if word:
            counts[word] = counts.get(word, 0) + 1
    return counts


def most_common(text: str, n: int = 3) -> list[tuple[str, int]]:
    return Counter(text.split()).most_common(n)


def group_by_length(words: list[str]) -> dict[int, list[str]]:
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for word in words:
        groups[len(word)].append(word)
    return {length: sorted(group) for length, group in groups.items()}


def longest(lines: list[str]) -> str:
    best = lines[0]
    for line in lines:
        if len(line) > len(best):
            best = line
    return best


def keywords(text: str) -> set[str]:
    return {word for word in text.split() if word not in STOP_WORDS and len(word) > 3}


def anagrams(words):
    table = {}
    for word in words:
        key = "".join(sorted(word))
        table.setdefault(key, []).append(word)
    return [group for group in table.values() if len(group) > 1]


def is_palindrome(text: str) -> bool:
    letters = [c.lower() for c in text if c.isalpha()]
    return letters == letters[::-1]


def caesar(text: str, shift: int) -> str:
    out = ""
    for c in text:
        if c in string.ascii_lowercase:
            out += chr((ord(c) - ord("a") + shift) % 26 + ord("a"))
        elif c.isupper():
            out += chr((ord(c) - 65 + shift) % 26 + 65)
        else:
            out += c
    return out


def run_length(text: str) -> str:
    if not text:
        return ""
    out, previous, count = [], text[0], 1
    for c in text[1:]:
        if c == previous:
            count += 1
        else:
            out.append(f"{previous}{count}")
            previous, count = c, 1
    out.append(previous + str(count))
    return "".join(out)


def initials(name: str) -> str:
    return ".".join(part[0].upper() for part in name.split()) + "."


def wrap(text: str, width: int = 20) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) + 1 > width and line:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines


def common_prefix(words: list[str]) -> str:
    prefix = words[0]
    for word in words[1:]:
        while not word.startswith(prefix):
            prefix = prefix[:-1]
    return prefix


def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def title_case(text: str) -> str:
    return " ".join(w.capitalize() if i == 0 or w not in STOP_WORDS else w for i, w in enumerate(text.split()))


def vowels(text: str) -> dict[str, int]:
    return {v: text.count(v) for v in "aeiou" if v in text}
