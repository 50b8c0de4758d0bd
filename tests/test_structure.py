"""The shape of the code: imports point one way, modules and functions stay small, nothing dangerous is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("models", "producers", "streams")
MODULE_LINES = 300
FUNCTION_LINES = 40

DATA = ROOT / "producers" / "demo" / "programs"  # input for a transpiler, nothing that runs here

MODULES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if not path.is_relative_to(DATA)
)
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef

each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
each_test_module = pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports, anywhere in it, relative ones made absolute."""
    package = path.relative_to(ROOT).parent.parts
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*above, *([node.module] if node.module else [])])
            names |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    return names


def roots(path: Path) -> set[str]:
    """Return the top-level packages that a module imports."""
    return {name.partition(".")[0] for name in imports(path)}


def inside(path: Path, *folders: str) -> bool:
    """Return whether a module lies in one of these folders, or is the module of that name."""
    place = path.relative_to(ROOT).with_suffix("").as_posix()
    return any(place == folder or place.startswith(f"{folder}/") for folder in folders)


def functions(module: ast.Module) -> Iterator[Function]:
    """Yield every function of a module, methods and inner ones too."""
    yield from (node for node in ast.walk(module) if isinstance(node, Function))


def length(function: Function) -> int:
    """Return the lines of a function from ``def`` to its end, its docstring left out."""
    first = function.body[0]
    documented = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` of a name or attribute, ``""`` of anything else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(module: ast.Module) -> Iterator[str]:
    """Yield what in a module runs text as code, or data as objects, with its line."""
    called = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        shell = any(word.arg == "shell" and not _is_false(word.value) for word in node.keywords)
        if name in called or name.endswith("create_subprocess_shell") or shell:
            yield f"line {node.lineno}: {name}{'(shell=…)' if shell else ''}"


def _sleeps(call: ast.Call) -> bool:
    yields = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
    return dotted(call.func) in {"time.sleep", "asyncio.sleep", "sleep"} and not yields


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


class TestImports:
    @each_module
    def test_point_one_way(self, path: Path) -> None:
        """``producers`` and ``streams`` import ``models``, never the reverse and never each other, but for the CLI."""
        forbidden = {
            "models": {"producers", "streams"},
            "producers": {"streams"},
            "streams": set() if inside(path, "streams/cli") else {"producers"},
        }[path.relative_to(ROOT).parts[0]]
        assert not roots(path) & forbidden

    @each_module
    def test_models_are_pure(self, path: Path) -> None:
        """``models`` knows no Kafka, no HTTP, no metrics and no logger."""
        if inside(path, "models"):
            assert not roots(path) & {"faust", "mode", "aiokafka", "aiohttp", "prometheus_client", "logging"}

    @each_module
    def test_torch_stays_in_batch(self, path: Path) -> None:
        """Only ``models.sparse`` imports torch: everything else installs without it."""
        assert inside(path, "models/batch") or "torch" not in roots(path)

    @each_module
    def test_cli_is_imported_by_nobody(self, path: Path) -> None:
        """The command line imports the others, nobody imports it."""
        assert inside(path, "streams/cli") or not any(name.startswith("streams.cli") for name in imports(path))


class TestSize:
    @each_module
    def test_modules(self, path: Path) -> None:
        """A module has at most 300 lines."""
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES

    @each_module
    def test_functions(self, path: Path) -> None:
        """A function has at most 40 lines beside its docstring."""
        long = {one.name: length(one) for one in functions(tree(path)) if length(one) > FUNCTION_LINES}
        assert not long


class TestDangers:
    @each_module
    def test_no_pickle(self, path: Path) -> None:
        """Nothing is unpickled: a topic and a file are untrusted."""
        assert not roots(path) & {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}

    @each_module
    def test_no_code_from_text(self, path: Path) -> None:
        """No text becomes code or a shell command, no YAML becomes objects."""
        assert list(dangers(tree(path))) == []

    @each_module
    def test_no_autodiscover(self, path: Path) -> None:
        """Agents are imported plainly: Faust's autodiscover turns a module that fails to import into a warning."""
        words = {word.arg for node in ast.walk(tree(path)) if isinstance(node, ast.Call) for word in node.keywords}
        assert "autodiscover" not in words

    @pytest.mark.parametrize(
        "source",
        ["eval('1')", "import os\nos.system(x)", "run(x, shell=True)", "run(x, shell=y)", "yaml.load(x)", "exec(x)"],
    )
    def test_dangers_are_seen(self, source: str) -> None:
        """The check itself finds each of the things it forbids."""
        assert list(dangers(ast.parse(source)))

    def test_harmless_calls_pass(self) -> None:
        """Methods that merely carry such a name pass."""
        assert not list(dangers(ast.parse("re.compile(x); run(x, shell=False); yaml.safe_load(x); model.eval()")))


class TestTests:
    @each_test_module
    def test_every_test_makes_a_promise(self, path: Path) -> None:
        """Every test has a docstring that says what is promised."""
        silent = [
            one.name for one in functions(tree(path)) if one.name.startswith("test_") and not ast.get_docstring(one)
        ]
        assert silent == []

    @each_test_module
    def test_no_sleeps(self, path: Path) -> None:
        """No test waits for a fixed time: a sleep stands only in a loop that polls."""
        module = tree(path)
        loops = [node for node in ast.walk(module) if isinstance(node, ast.While | ast.For | ast.AsyncFor)]
        polling = {line for loop in loops for line in range(loop.lineno, (loop.end_lineno or loop.lineno) + 1)}
        calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _sleeps(node)]
        assert {node.lineno for node in calls} <= polling

    def test_names_are_unique(self) -> None:
        """No two test modules share a name: in importlib mode they would be told apart only by their path."""
        names = [path.name for path in TESTS]
        assert sorted(set(names)) == sorted(names)

    def test_folders_are_no_packages(self) -> None:
        """No folder of tests is a package: ``tests/models/__init__.py`` would hide the real ``models``."""
        assert not list((ROOT / "tests").rglob("__init__.py"))
