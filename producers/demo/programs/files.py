"""Files, folders, paths and environment."""

import csv
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path


def read_lines(name: str) -> list[str]:
    with open(name, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def count_lines(names: list[str]) -> dict[str, int]:
    return {name: sum(1 for _ in open(name)) for name in names if os.path.exists(name)}


def append_log(name: str, message: str) -> None:
    with open(name, "a") as file:
        file.write(message + "\n")


def copy_upper(source: str, target: str) -> int:
    written = 0
    with open(source) as infile, open(target, "w") as outfile:
        for line in infile:
            written += outfile.write(line.upper())
    return written


def find_files(root: str, suffix: str) -> list[Path]:
    return sorted(p for p in Path(root).rglob("*" + suffix) if p.is_file())


def disk_usage(root: str) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            total += os.path.getsize(os.path.join(folder, name))
    return total


def swap_suffix(name: str, suffix: str) -> str:
    stem, _ = os.path.splitext(os.path.basename(name))
    return os.path.join(os.path.dirname(name), stem + suffix)


def load_config(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return json.loads(path.read_text())


def save_scores(path: str, scores: dict[str, int]) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "score"])
        for name, score in sorted(scores.items(), key=lambda pair: -pair[1]):
            writer.writerow([name, score])


def read_scores(path: str) -> dict[str, int]:
    with open(path, newline="") as file:
        return {row["name"]: int(row["score"]) for row in csv.DictReader(file)}


def home_config() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(base) / "tool" / "config.json"


def ensure_folder(name: str) -> str:
    os.makedirs(name, exist_ok=True)
    return os.path.abspath(name)


def newest(folder: Path) -> Path | None:
    files = [p for p in folder.iterdir() if p.suffix == ".log"]
    return max(files, key=lambda p: p.stat().st_mtime) if files else None


def backup(path: Path) -> Path:
    target = path.with_suffix(path.suffix + ".bak")
    shutil.copy(path, target)
    return target


def tail(name: str, n: int = 10) -> str:
    with open(name, "rb") as file:
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 4096))
        return b"\n".join(file.read().splitlines()[-n:]).decode()


def filter_stdin(needle: str) -> int:
    found = 0
    for line in sys.stdin:
        if needle in line:
            sys.stdout.write(line)
            found += 1
    return found


def scratch(text: str) -> int:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write(text)
    size = os.stat(file.name).st_size
    os.remove(file.name)
    return size
