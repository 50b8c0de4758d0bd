"""Command-line programs."""

import argparse
import logging
import os
import subprocess
import sys

logger = logging.getLogger(__name__)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="resize images")
    parser.add_argument("files", nargs="+", help="images to resize")
    parser.add_argument("--width", type=int, default=800)
    parser.add_argument("--verbose", "-v", action="store_true")
    return parser


def greet_main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="world")
    parser.add_argument("--count", type=int, default=1)
    args = parser.parse_args()
    for _ in range(args.count):
        print(f"Hello, {args.name}!")


def sum_main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sum")
    parser.add_argument("numbers", nargs="*", type=float)
    parser.add_argument("--round", type=int)
    args = parser.parse_args(argv)
    total = sum(args.numbers)
    print(round(total, args.round) if args.round is not None else total)
    return 0


def tasks_main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add")
    add.add_argument("title")
    add.add_argument("--priority", choices=["low", "high"], default="low")
    args = parser.parse_args(argv)
    if args.command == "add":
        print(f"{args.priority}: {args.title}")
    return 0


def parse_arguments(argv: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    i = 0
    while i < len(argv):
        if argv[i].startswith("--"):
            options[argv[i][2:]] = argv[i + 1]
            i += 1
        i += 1
    return options


def usage(code: int) -> None:
    print("usage: tool FILE", file=sys.stderr)
    sys.exit(code)


def run_git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        logger.error("git failed: %s", result.stderr.strip())
        return ""
    return result.stdout


def branch_names() -> list[str]:
    return [line.strip("* ") for line in run_git("branch").splitlines() if line]


def setup_logging(level: str = "INFO") -> None:
    logging.basicConfig(level=getattr(logging, level), format="%(levelname)s %(message)s")
    logger.info("level %s, pid %d", level, os.getpid())


def environment_flag(name: str, default: bool = False) -> bool:
    value = os.getenv(name)
    if value is None:
        return default
    return value.lower() in ("1", "true", "yes")


def menu(choices: dict[str, str]) -> str:
    for key, label in choices.items():
        print(f"[{key}] {label}")
    while True:
        answer = input("> ").strip()
        if answer in choices:
            return choices[answer]
        print("unknown choice", repr(answer))


def progress(done: int, total: int, width: int = 30) -> str:
    filled = int(width * done / total)
    return f"[{'#' * filled}{'.' * (width - filled)}] {done / total:6.1%}"
