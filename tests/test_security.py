"""Security: what the code never does, what settings refuse, what is never told, and where each limit lies."""

from __future__ import annotations

import ast
import asyncio
import hmac
import importlib.util
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from pydantic import SecretStr

from models import records
from models.records import MAX_DIAGNOSTICS, MAX_RECORD_BYTES, CompilerErrors, Feedback, RecordError, parse
from producers.http import body
from producers.http.problems import Refusal
from streams.broker import ports
from streams.kafka import CLIENT_LOGGERS, quiet_loggers
from streams.settings import Settings
from streams.supervisor import Supervisor

ROOT = Path(__file__).parent.parent
DATA = ROOT / "producers" / "demo" / "programs"  # input for a transpiler, nothing that runs here
MODULES = sorted(
    path
    for package in ("models", "producers", "streams")
    for path in (ROOT / package).rglob("*.py")
    if not path.is_relative_to(DATA)
)
LOG = Path(__file__).parent / "producers" / "data" / "cargo.json"
TOKEN, PASSWORD = "canary-token-5f1c", "canary-password-9e2a"

FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "telnetlib"}
FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "tempfile.mktemp"),
    *("numpy.load", "np.load", "pandas.read_pickle", "ssl._create_unverified_context"),
}
YAML_LOADERS = {"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}
SAFE_ELSEWHERE = {"json", "orjson", "tomllib"}  # their ``load`` makes data only
WEAK_KEYWORDS = {"shell": True, "verify": False, "check_hostname": False, "allow_pickle": True, "ssl": False}


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` of a name or attribute, ``""`` of anything else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(source: str) -> list[str]:
    """Return what in a module runs text as code, builds objects from data, or trusts an unverified peer."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            found += [f"import {name}" for name in names if name.partition(".")[0] in FORBIDDEN_MODULES]
            members = [one.name for one in node.names] if isinstance(node, ast.ImportFrom) else []
            found += [f"from {names[0]} import {one}" for one in members if f"{names[0]}.{one}" in FORBIDDEN_CALLS]
            found += [f"from yaml import {one}" for one in members if names[0] == "yaml" and one in YAML_LOADERS]
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in FORBIDDEN_CALLS or name.endswith("create_subprocess_shell"):
                found.append(name)
            if name.startswith(("yaml.", "YAML.")) and name.partition(".")[2] in YAML_LOADERS:
                found.append(name)
            for word in node.keywords:
                if word.arg in WEAK_KEYWORDS and _may_be(word.value, WEAK_KEYWORDS[word.arg]):
                    found.append(f"{name}({word.arg}=…)")
        elif isinstance(node, ast.Assign) and dotted(node.targets[0]).endswith((".check_hostname", ".verify_mode")):
            found.append(dotted(node.targets[0]))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "!!python" in node.value:
            found.append("!!python")
    return found


def _may_be(node: ast.expr, weak: bool) -> bool:
    return not (isinstance(node, ast.Constant) and node.value is not weak)


PLANTED = (
    "import pickle",
    "from marshal import loads",
    "import shelve",
    "eval(x)",
    "exec(x)",
    "import yaml\nyaml.load(x)",
    "import yaml\nyaml.full_load(x)",
    "from yaml import unsafe_load",
    "x = '!!python/object:os.system'",
    "run(x, shell=True)",
    "run(x, shell=maybe)",
    "os.system(x)",
    "from os import system",
    "asyncio.create_subprocess_shell(x)",
    "tempfile.mktemp()",
    "from tempfile import mktemp",
    "get(x, verify=False)",
    "session.get(x, ssl=False)",
    "context.check_hostname = False",
    "context.verify_mode = ssl.CERT_NONE",
    "ssl._create_unverified_context()",
    "np.load(x, allow_pickle=True)",
)


class TestCode:
    @pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_nothing_dangerous_is_called(self, path: Path) -> None:
        """Nothing is unpickled, evaluated, run by a shell, built from YAML tags or fetched without verification."""
        assert dangers(path.read_text(encoding="utf-8")) == []

    @pytest.mark.parametrize("source", PLANTED)
    def test_a_planted_danger_is_found(self, source: str) -> None:
        """The check finds each thing that it forbids."""
        assert dangers(source)

    def test_harmless_code_passes(self) -> None:
        """Safe loaders, ordinary calls and words that merely look alike pass."""
        source = "yaml.safe_load(x); json.load(x); re.compile(x); run(x, shell=False); get(x, verify=True); m.eval()"
        assert dangers(source) == []


class TestSettingsFile:
    @pytest.mark.parametrize(
        "text",
        [
            "broker: !!python/object/apply:os.system ['touch made-by-yaml']",
            "broker: !!python/name:os.system",
            f"token: !{TOKEN}",
            f"token: *{TOKEN}",
            f"token: [{TOKEN}",
            f"token: %{TOKEN}",
            f"token: {TOKEN}: {TOKEN}",
        ],
    )
    def test_tags_and_broken_yaml_are_refused(self, text: str, tmp_path: Path) -> None:
        """A tag builds nothing; what is no plain YAML is refused by its line: its text may be a password."""
        (tmp_path / "jidoka.yaml").write_text(f"partitions: 4\n{text}\n")
        done = jidoka(tmp_path, "status")
        assert done.returncode == 2
        assert "jidoka.yaml" in done.stderr
        assert "line" in done.stderr
        assert "Traceback" not in done.stderr
        assert TOKEN not in done.stderr + done.stdout
        assert not (tmp_path / "made-by-yaml").exists()


class TestToken:
    def answer(self, token: str, header: str | None) -> int:
        request = make_mocked_request("POST", "/", headers={} if header is None else {"Authorization": header})
        try:
            body.authorise(request, SecretStr(token))
        except Refusal as refusal:
            return refusal.status
        return 202

    def test_is_compared_in_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each token given, of any length, goes through ``hmac.compare_digest`` and nothing else decides."""
        compared: list[tuple[Any, Any]] = []
        real = hmac.compare_digest

        def compare(first: Any, second: Any) -> bool:
            compared.append((first, second))
            return real(first, second)

        monkeypatch.setattr(body.hmac, "compare_digest", compare)
        given = ["Bearer wrong", f"Bearer {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Basic x", None]
        assert [self.answer(TOKEN, one) for one in given] == [401, 202, 401, 401, 401, 401]
        assert len(compared) == len(given)

    def test_no_secret_is_compared_by_equality(self) -> None:
        """No module compares a setting or header that is secret with ``==``, ``!=`` or ``in``."""
        secret = re.compile(r"secret|password|settings\.token|authorization", re.IGNORECASE)
        for path in MODULES:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
                    sides = [dotted(side) for side in (node.left, *node.comparators)]
                    assert not [one for one in sides if secret.search(one)], (path, sides)


def environment(folder: Path, **more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JIDOKA_")}
    return plain | {"JIDOKA_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)} | more


LOGIN = {"JIDOKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "JIDOKA_SASL_USERNAME": "ada", "JIDOKA_SASL_PASSWORD": PASSWORD}
# The command line as it is, but for a root logger that takes everything.
DEBUG = "import logging; logging.basicConfig(level=logging.DEBUG); from streams.cli import main; main()"


def jidoka(folder: Path, *arguments: str, debug: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
    start = ["-c", DEBUG] if debug else ["-m", "streams.cli"]
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_untold(text: str) -> None:
    assert TOKEN not in text
    assert PASSWORD not in text


class TestSecrets:
    """A canary as token and as password: wherever it turns up, it has been told."""

    @pytest.mark.parametrize(
        "arguments",
        [
            ("worker",),
            ("status",),
            ("doctor", "--json"),
            ("topics", "create"),
            ("push", str(LOG), "--project", "p"),
            ("tail", "predictions", "--no-follow"),
            ("dead-letters", "list"),
            ("up",),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_failing_commands_do_not_tell(self, arguments: tuple[str, ...], tmp_path: Path) -> None:
        """A command that finds no broker tells neither password nor token, not even to a logger that takes all."""
        address = f"127.0.0.1:{ports.any_free()}"
        done = jidoka(tmp_path, *arguments, debug=True, JIDOKA_BROKER=address, JIDOKA_TOKEN=TOKEN, **LOGIN)
        assert done.returncode in (1, 2)
        assert "SASL" in done.stdout + done.stderr or address.split(":")[1] in done.stdout + done.stderr
        assert_untold(done.stdout + done.stderr)

    def test_a_leftover_password_is_not_repeated(self, tmp_path: Path) -> None:
        """A password without the protocol that needs it is refused by the setting's name only."""
        done = jidoka(tmp_path, "status", JIDOKA_SASL_PASSWORD=PASSWORD, JIDOKA_BROKER="127.0.0.1:1")
        assert done.returncode == 2
        assert "JIDOKA_SECURITY_PROTOCOL" in done.stderr
        assert_untold(done.stdout + done.stderr)

    def test_kafka_clients_stay_quiet(self) -> None:
        """Kafka's clients, which show whole requests to a debugging logger, logins among them, are held at warnings."""
        root = logging.getLogger()
        before = root.level
        root.setLevel(logging.DEBUG)
        try:
            quiet_loggers()
            for name in (*CLIENT_LOGGERS, "aiokafka.conn"):
                assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        finally:
            root.setLevel(before)

    @pytest.mark.parametrize("status", [401, 302, 500])
    def test_push_does_not_tell_its_token(self, status: int, tmp_path: Path) -> None:
        """Neither a refusal, nor a redirect to another host, nor an error page that repeats the token gets it told."""
        log, seen = asyncio.run(pushed(status, tmp_path))
        assert seen[0] == ("127.0.0.1", f"Bearer {TOKEN}")
        assert all(given is None for host, given in seen if host != "127.0.0.1")
        assert_untold(log)


async def pushed(status: int, folder: Path) -> tuple[str, list[tuple[str, str | None]]]:
    """Push to a server that answers with ``status``; return what was printed, and each request's host and token."""
    seen: list[tuple[str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.host.partition(":")[0], request.headers.get("Authorization")))
        elsewhere = str(request.url.with_host("localhost"))
        return web.Response(status=status, headers={"Location": elsewhere} if status == 302 else {}, text="refused")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with TestClient(TestServer(app)) as client:
        url = str(client.make_url("")).rstrip("/")
        arguments = ("push", str(LOG), "--project", "p", "--url", url)
        done = await asyncio.to_thread(jidoka, folder, *arguments, JIDOKA_TOKEN=TOKEN, debug=True)
    assert done.returncode == 2
    return done.stdout + done.stderr, seen


@contextmanager
def line_with_token(broker: str, folder: Path) -> Iterator[Settings]:
    settings = Settings(
        broker=broker, data_dir=folder / "data", http_port=0, token=SecretStr(TOKEN), app_id="jidoka-canary"
    )
    with Supervisor(settings, 1, lambda _: None) as line:
        yield line.settings


class TestRunningLine:
    @pytest.mark.usefixtures("fresh_line")  # topics
    def test_tells_no_token(self, broker: str, tmp_path: Path) -> None:
        """A whole line with a token tells it in no argument, log, run file, metric or answer."""
        with line_with_token(broker, tmp_path) as settings:
            run = json.loads((settings.data_dir / "run.json").read_bytes())
            told = [json.dumps(run), process_list()]
            push = ("push", str(LOG), "--project", "p", "--url", run["web"])
            told += [
                shown(jidoka(tmp_path, *push, JIDOKA_TOKEN=TOKEN)),
                shown(jidoka(tmp_path, *push, JIDOKA_TOKEN=TOKEN[:-1])),
            ]
            told += [shown(jidoka(tmp_path, command, "--json", JIDOKA_TOKEN=TOKEN)) for command in ("status", "doctor")]
            told += asyncio.run(pages(run))
        files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
        assert {"worker-1.log", "web.log"} <= {path.name for path in files}
        for text in [*told, *(path.read_text(errors="replace") for path in files)]:
            assert_untold(text)


def shown(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout + done.stderr


def process_list() -> str:
    """Return what everybody on this machine sees of its processes."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


async def pages(run: dict[str, Any]) -> list[str]:
    """Return what the web interface and the worker answer everybody, headers and all."""
    import aiohttp

    worker = run["workers"][0]["url"]
    urls = [f"{run['web']}{path}" for path in ("/", "/v1/status", "/v1/predictions", "/metrics", "/healthz", "/readyz")]
    urls += [f"{worker}{path}" for path in ("/v1/state", "/metrics", "/healthz", "/readyz", "/nothing")]
    found = []
    async with aiohttp.ClientSession() as session:
        for url in urls:
            async with session.get(url) as response:
                found.append(f"{response.headers} {await response.text()}")
        for given in ("Bearer wrong", f"Bearer {TOKEN}"):
            async with session.post(
                f"{run['web']}/v1/feedback", headers={"Authorization": given}, data=b"{"
            ) as response:
                found.append(f"{response.headers} {await response.text()}")
    return found


def golden(kind: type[records.Record]) -> dict[str, Any]:
    path = Path(__file__).parent / "golden" / "records" / f"{kind.topic}.v{kind.version}.json"
    document: dict[str, Any] = orjson.loads(path.read_bytes())
    return document


def diagnostic(**fields: Any) -> dict[str, Any]:
    return {"level": "error", "message": "m", **fields}


SPAN = {"file": "a.rs", "line_start": 1, "line_end": 1}
EDIT = {"message": "m", "replacement": "r", "span": SPAN}
TEXT, SHORT = 16_384, 256

# (what, a function from a size to the fields of a failure, the largest size)
LIMITS: tuple[tuple[str, Callable[[int], dict[str, Any]], int], ...] = (
    ("id", lambda n: {"id": "i" * n}, 128),
    ("project", lambda n: {"project": "p" * n}, 128),
    ("run", lambda n: {"run": "r" * n}, SHORT),
    ("toolchain", lambda n: {"toolchain": "é" * n}, SHORT),
    ("diagnostics", lambda n: {"diagnostics": [diagnostic()] * n}, MAX_DIAGNOSTICS),
    ("code", lambda n: {"diagnostics": [diagnostic(code="c" * n)]}, SHORT),
    ("message", lambda n: {"diagnostics": [diagnostic(message="😀" * n)]}, TEXT),
    ("file", lambda n: {"diagnostics": [diagnostic(file="f" * n)]}, SHORT),
    ("spans", lambda n: {"diagnostics": [diagnostic(spans=[SPAN] * n)]}, 32),
    ("span.text", lambda n: {"diagnostics": [diagnostic(spans=[SPAN | {"text": ["t"] * n}])]}, 20),
    ("span.line", lambda n: {"diagnostics": [diagnostic(spans=[SPAN | {"text": ["t" * n]}])]}, TEXT),
    ("span.label", lambda n: {"diagnostics": [diagnostic(spans=[SPAN | {"label": "l" * n}])]}, TEXT),
    ("notes", lambda n: {"diagnostics": [diagnostic(notes=[{"level": "help", "message": "m"}] * n)]}, 32),
    ("note", lambda n: {"diagnostics": [diagnostic(notes=[{"level": "help", "message": "m" * n}])]}, TEXT),
    ("suggestions", lambda n: {"diagnostics": [diagnostic(suggestions=[EDIT] * n)]}, 32),
    ("replacement", lambda n: {"diagnostics": [diagnostic(suggestions=[EDIT | {"replacement": "r" * n}])]}, TEXT),
    ("line_start", lambda n: {"diagnostics": [diagnostic(spans=[SPAN | {"line_start": n}])]}, (1 << 63) - 1),
    ("part", lambda n: {"part": n}, (1 << 31) - 1),
)


class TestLimits:
    @pytest.mark.parametrize(("fields", "limit"), [(one[1], one[2]) for one in LIMITS], ids=[one[0] for one in LIMITS])
    def test_at_the_limit_and_one_beyond(self, fields: Callable[[int], dict[str, Any]], limit: int) -> None:
        """As much as the limit is taken, one more is refused."""
        parse(CompilerErrors, orjson.dumps(golden(CompilerErrors) | fields(limit)))
        with pytest.raises(RecordError):
            parse(CompilerErrors, orjson.dumps(golden(CompilerErrors) | fields(limit + 1)))

    @pytest.mark.parametrize(("name", "limit"), [("comment", TEXT), ("author", SHORT), ("failure_id", 128)])
    def test_feedback(self, name: str, limit: int) -> None:
        """The texts of feedback end at their limits."""
        parse(Feedback, orjson.dumps(golden(Feedback) | {name: "x" * limit}))
        with pytest.raises(RecordError, match=name):
            parse(Feedback, orjson.dumps(golden(Feedback) | {name: "x" * (limit + 1)}))

    def test_message(self) -> None:
        """A message of the largest size is read, one byte more is refused unread."""
        value = orjson.dumps(golden(CompilerErrors))
        parse(CompilerErrors, value + b" " * (MAX_RECORD_BYTES - len(value)))
        with pytest.raises(RecordError, match="at most"):
            parse(CompilerErrors, value + b" " * (MAX_RECORD_BYTES - len(value) + 1))


@pytest.fixture(scope="module")
def audit() -> Any:
    """Give ``.ci/audit`` as a module."""
    loader = SourceFileLoader("ci_audit", str(ROOT / ".ci" / "audit"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


TODAY = date(2026, 6, 1)
HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": ["CVE-2026-1"], "description": "bad"}
SAFE, HOLED = ({"name": name, "version": "1.0", "vulns": holes} for name, holes in (("a", []), ("b", [HOLE])))
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (1.0)"}


class TestAudit:
    """What CI makes of pip-audit's report."""

    @pytest.mark.parametrize(
        ("packages", "accepted", "status", "told"),
        [
            ([SAFE], "", 0, "1 packages, no advisory"),
            ([SAFE, HOLED], "", 1, "b 1.0: PYSEC-2026-1, fixed in 2.0"),
            ([HOLED], "PYSEC-2026-1 2026-06-01 not reachable here", 0, "no advisory that is not accepted"),
            ([HOLED], "# why\n\nCVE-2026-1 2026-06-01 known by its other name", 0, "no advisory"),
            ([HOLED], "PYSEC-2026-1 2026-05-31 not reachable here", 1, "which is over"),
            ([HOLED], "PYSEC-2026-1 2026-06-01", 1, "without a reason"),
            ([HOLED], "PYSEC-2026-1 soon why", 1, "is no day"),
            ([SAFE], "PYSEC-2026-1 2026-06-01 why", 0, "take it off"),
            ([SAFE, SKIPPED], "", 0, "NOT AUDITED: of 2 packages, the advisories on 1 could not be had (c)"),
            ([HOLED, SKIPPED], "", 1, "NOT AUDITED"),
            ([], "", 0, "NOT AUDITED"),
        ],
    )
    def test_verdict(self, packages: list[Any], accepted: str, status: int, told: str, audit: Any) -> None:
        """A hole fails unless it is accepted with a day and a reason; what could not be asked is told in capitals."""
        found, lines = audit.judge(json.dumps({"dependencies": packages, "fixes": []}), accepted, TODAY)
        assert (found, told in "\n".join(lines)) == (status, True), lines

    @pytest.mark.parametrize("report", ["", "Traceback", "[]", "{}"])
    def test_no_report_is_told(self, report: str, audit: Any) -> None:
        """A report that is missing fails nothing, and cannot be overlooked."""
        status, lines = audit.judge(report, "", TODAY)
        assert (status, "NOT AUDITED" in "\n".join(lines)) == (0, True)

    def test_the_list_is_in_order(self, audit: Any) -> None:
        """Each accepted advisory has a day and a reason."""
        faults = audit.accepted((ROOT / ".ci" / "advisories").read_text(), date.min)[1]
        assert faults == []
