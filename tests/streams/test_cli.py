"""The command line without a line: help, exit status, mistakes told in one paragraph, the model in the hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer.main

from models.taxonomy import CATEGORIES, LABELS
from streams.cli import app
from tests.command import Done, Jidoka

OUTPUT = Path(__file__).parent.parent / "producers" / "data"
E0308 = "error[E0308]: mismatched types"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in an empty folder, with an empty data folder and no settings from outside."""
    for name in [name for name in os.environ if name.startswith("JIDOKA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("JIDOKA_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def commands() -> list[tuple[str, Any]]:
    """Return every command with its full name."""
    found = []

    def collect(name: str, command: Any) -> None:
        for word, child in getattr(command, "commands", {}).items():
            collect(f"{name} {word}".strip(), child)
        if not hasattr(command, "commands"):
            found.append((name, command))

    collect("", typer.main.get_command(app))
    return found


COMMANDS = commands()
each_command = pytest.mark.parametrize("name", [name for name, _ in COMMANDS])


def in_one_paragraph(done: Done) -> bool:
    """Return whether a mistake was told as it should be: on stderr, without a stack trace, in one paragraph."""
    return "Traceback" not in done.err + done.out and "\n\n" not in done.err.strip() and done.err.strip() != ""


class TestHelp:
    def test_the_commands_are_those_of_the_design(self) -> None:
        """Everything that operates the line has its command."""
        names = {name for name, _ in COMMANDS}
        assert names >= {"up", "demo", "push", "tail", "classify", "label", "replay", "status", "doctor", "topics"}
        assert names >= {"dead-letters list", "dead-letters redrive", "worker", "web"}

    @each_command
    def test_every_command_explains_itself(self, name: str) -> None:
        """A command says what it does, and what each of its arguments and options is for."""
        command = dict(COMMANDS)[name]
        assert len(command.help or "") > 30
        silent = [one.name for one in command.params if not (getattr(one, "help", "") or "").strip()]
        assert silent == []

    @each_command
    def test_help_is_shown(self, name: str, jidoka: Jidoka) -> None:
        """``--help`` prints the help with every visible option, and ends with 0."""
        done = jidoka(*name.split(), "--help")
        assert (done.status, done.err) == (0, "")
        plain = "".join(done.out.split())
        for one in dict(COMMANDS)[name].params:
            if one.param_type_name == "option" and not one.hidden:
                assert one.opts[0] in plain

    @pytest.mark.parametrize("flag", ["--help", "-h"])
    def test_the_top_lists_the_commands(self, flag: str, jidoka: Jidoka) -> None:
        """``jidoka --help`` names every command."""
        done = jidoka(flag)
        assert done.status == 0
        assert all(name.split()[0] in done.out for name, _ in COMMANDS)

    def test_help_is_light(self) -> None:
        """``jidoka --help`` loads neither the learner nor Kafka's clients: it comes at once."""
        script = (
            "import sys, atexit\n"
            "heavy = ('river', 'faust', 'numpy', 'aiokafka', 'pyarrow', 'pydantic')\n"
            "atexit.register(lambda: print([name for name in heavy if name in sys.modules], file=sys.stderr))\n"
            "from streams.cli import main\n"
            "sys.argv = ['jidoka', '--help']\n"
            "main()\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stderr.strip() == "[]"

    def test_runs_as_a_module(self) -> None:
        """``python -m streams.cli`` is the same program, and without arguments it shows the help."""
        done = subprocess.run([sys.executable, "-m", "streams.cli"], capture_output=True, text=True, check=False)
        assert done.returncode in {0, 2}
        assert "classify" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


class TestMistakes:
    """Each ends with status 2 and one paragraph on stderr that says what is allowed or what to do next."""

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("status",), "jidoka up"),
            (("topics",), "jidoka up"),
            (("tail", "predictions"), "JIDOKA_BROKER"),
            (("label", "f1", "0", "ApiMisuse"), "jidoka up"),
            (("dead-letters", "list"), "jidoka up"),
            (("dead-letters", "redrive", "--all"), "jidoka up"),
            (("dead-letters", "redrive"), "--all"),
            (("worker",), "jidoka up"),
            (("web",), "jidoka up"),
            (("replay", "missing.jsonl"), "missing.jsonl"),
            (("push", "missing.json", "--project", "p"), "missing.json"),
            (("push", ".", "--project", "p"), "director"),
            (("push", "-"), "--project"),
            (("push", "-", "--project", "p", "--format", "xml"), "parquet"),
            (("replay", ".", "--order", "file"), "director"),
            (("replay", "x", "--task", "root"), "category"),
            (("replay", "x", "--labels", "some"), "main, all"),
            (("replay", "x", "--order", "random"), "shuffled, file, time"),
            (("replay", "x", "--classifier", "oracle"), "river-naive-bayes"),
            (("topics", "destroy"), "list and create"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
    )
    def test_is_told(self, arguments: tuple[str, ...], told: str, jidoka: Jidoka) -> None:
        """A mistake of the user is told in one paragraph that names the way out, with status 2."""
        done = jidoka(*arguments)
        assert (done.status, done.out) == (2, "")
        assert in_one_paragraph(done)
        assert told in done.err.replace("\n", " ")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PARTITIONS", "many"),
            ("PARTITIONS", "0"),
            ("HTTP_PORT", "99999"),
            ("SECURITY_PROTOCOL", "TELNET"),
            ("APP_ID", "No Spaces!"),
            ("BROKER", "kafka://"),
            ("COMMIT_INTERVAL_S", "-1"),
            ("WARM_START", "perhaps"),
        ],
    )
    def test_a_bad_setting_is_named(
        self, name: str, value: str, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A variable of the environment that cannot be used is named, whatever the command."""
        monkeypatch.setenv(f"JIDOKA_{name}", value)
        for command in (("status",), ("doctor",), ("up",)):
            done = jidoka(*command)
            assert done.status == 2
            assert in_one_paragraph(done)
            assert f"JIDOKA_{name}" in done.err

    @pytest.mark.parametrize(
        "text", ["partitions: [1, 2", "no_such_setting: 1", "partitions: many", "- a\n- list", "\x00"]
    )
    def test_a_bad_settings_file_is_told(self, text: str, jidoka: Jidoka) -> None:
        """A ``jidoka.yaml`` that cannot be used is a mistake like any other."""
        Path("jidoka.yaml").write_text(text)
        done = jidoka("status")
        assert done.status == 2
        assert in_one_paragraph(done)

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("SASL_USERNAME", "me", "JIDOKA_SECURITY_PROTOCOL"),
            ("SECURITY_PROTOCOL", "SASL_SSL", "JIDOKA_SASL_PASSWORD"),
            ("SSL_CAFILE", "ca.pem", "JIDOKA_SECURITY_PROTOCOL"),
        ],
    )
    def test_security_settings_that_do_not_fit_are_told(
        self, name: str, value: str, told: str, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A login or a certificate beside a protocol that does not take it is refused by every command alike."""
        monkeypatch.setenv("JIDOKA_BROKER", "kafka://127.0.0.1:1")
        monkeypatch.setenv(f"JIDOKA_{name}", value)
        for command in (("status",), ("tail", "predictions"), ("up",), ("push", OUTPUT / "cargo.json")):
            done = jidoka(*command, *(("--project", "p") if command[0] == "push" else ()))
            assert (done.status, in_one_paragraph(done)) == (2, True), (command, done)
            assert told in done.err.replace("\n", " ")

    def test_a_broker_that_is_not_there_is_told(self, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch) -> None:
        """When nobody listens at ``JIDOKA_BROKER`` each command that needs it says so, without a stack trace."""
        monkeypatch.setenv("JIDOKA_BROKER", "kafka://127.0.0.1:1")
        for command in (
            ("status",),
            ("topics",),
            ("topics", "create"),
            ("tail", "predictions", "--no-follow"),
            ("dead-letters", "list"),
            ("label", "f", "0", "ApiMisuse", "--project", "p"),
            ("up",),
        ):
            done = jidoka(*command)
            assert (done.status, in_one_paragraph(done)) == (2, True), (command, done)
            assert "127.0.0.1:1" in done.err or "doctor" in done.err

    def test_a_worker_without_a_broker_is_told(self) -> None:
        """A worker that finds no broker ends with 2 and one paragraph, which is then the end of its log."""
        environment = os.environ | {"JIDOKA_BROKER": "kafka://127.0.0.1:1"}
        command = [sys.executable, "-m", "streams.cli", "worker"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "127.0.0.1" in done.stderr.splitlines()[-1]

    def test_push_without_a_broker_is_told(self, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch) -> None:
        """A push that cannot reach Kafka sends nothing and ends with 2."""
        monkeypatch.setenv("JIDOKA_BROKER", "kafka://127.0.0.1:1")
        done = jidoka("push", OUTPUT / "cargo.json", "--project", "p")
        assert (done.status, done.out) == (2, "")
        assert in_one_paragraph(done)

    @pytest.mark.parametrize(
        "arguments",
        [("no-such-command",), ("tail",), ("tail", "predictions", "--limit", "0"), ("label", "f", "100", "ApiMisuse")],
        ids=" ".join,
    )
    def test_wrong_usage_shows_the_usage(self, arguments: tuple[str, ...], jidoka: Jidoka) -> None:
        """A command, argument or option that is not there ends with 2 and shows the usage."""
        done = jidoka(*arguments)
        assert done.status == 2
        assert "Usage" in done.err
        assert "Traceback" not in done.err

    def test_a_bad_category_names_the_nearest(self, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch) -> None:
        """A category that is none is refused before anything is sent, with the nearest name and all allowed ones."""
        monkeypatch.setenv("JIDOKA_BROKER", "kafka://127.0.0.1:1")
        done = jidoka("label", "f1", "0", "OwnershipBorow")
        assert done.status == 2
        assert in_one_paragraph(done)
        assert "did you mean OwnershipBorrow?" in done.err.replace("\n", " ")
        assert all(label in done.err.replace("\n", "") for label in LABELS)

    def test_an_unknown_topic_lists_those_there_are(self, jidoka: Jidoka, monkeypatch: pytest.MonkeyPatch) -> None:
        """``tail`` of a topic that is none of the line names those that are."""
        monkeypatch.setenv("JIDOKA_BROKER", "kafka://127.0.0.1:1")
        done = jidoka("tail", "prediction")
        assert done.status == 2
        assert in_one_paragraph(done)
        assert "predictions" in done.err
        assert "andon-events" in done.err.replace("\n", "")

    def test_untrusted_text_does_not_reach_the_terminal(self, jidoka: Jidoka) -> None:
        """Control characters and markup in what the user gives are shown, not obeyed."""
        done = jidoka("replay", "x", "--task", "\x1b[31m[bold]red")
        assert done.status == 2
        assert "\x1b" not in done.err
        assert "[bold]" in done.err


class TestClassify:
    def test_a_message(self, jidoka: Jidoka) -> None:
        """A message on the command line is classified with confidence and reason."""
        done = jidoka("classify", E0308)
        assert (done.status, done.err) == (0, "")
        assert "TypeErrors" in done.out
        assert "E0308" in done.out
        assert "because" in done.out

    def test_explains_and_tells_what_is_new(self, jidoka: Jidoka) -> None:
        """What the model saw is told in words, and whether an earlier build of the input had the same kind of error."""
        builds = [
            {
                "id": name,
                "time": "2026-05-01T00:00:00Z",
                "project": "p",
                "diagnostics": [{"level": "error", "message": text}],
            }
            for name, text in (("one", "mismatched types"), ("two", "mismatched types"), ("three", "cyclic import"))
        ]
        done = jidoka("classify", stdin="\n".join(map(json.dumps, builds)).encode())
        assert "the message says “mismatched types”" in done.out
        kinds = [line.split(maxsplit=1)[1] for line in done.out.splitlines() if line.startswith("  kind")]
        assert kinds == ["new in this input", "seen 1 time, first on 2026-05-01", "new in this input"]

    def test_as_json(self, jidoka: Jidoka) -> None:
        """``--json`` prints a prediction record."""
        done = jidoka("classify", E0308, "--json")
        (answer,) = json.loads(done.out)["classifications"]
        assert (done.status, answer["category"], answer["source"]) == (0, "TypeErrors", "rule")
        assert 0.5 < answer["confidence"] <= 1
        assert len(answer["top"]) <= 3

    def test_a_file(self, jidoka: Jidoka) -> None:
        """A file of compiler output is classified build by build, whatever its format."""
        for name in ("rustc.json", "rustc.txt", "rustc-colour.txt"):
            done = jidoka("classify", OUTPUT / name, "--json")
            answers = json.loads(done.out)["classifications"]
            assert done.status == 0
            assert [one["code"] for one in answers][:4] == ["E0106", "E0425", "E0308", "E0308"]
            assert {one["category"] for one in answers} <= set(CATEGORIES) | {"Unknown"}

    def test_standard_input(self, jidoka: Jidoka) -> None:
        """What is piped in is classified: rendered text, or cargo's JSON lines."""
        assert "TypeErrors" in jidoka("classify", stdin=E0308.encode()).out
        done = jidoka("classify", "-", "--json", stdin=(OUTPUT / "cargo.json").read_bytes())
        assert [len(json.loads(line)["classifications"]) for line in done.out.splitlines()]

    def test_a_bare_message(self, jidoka: Jidoka) -> None:
        """A message without a code or a format, copied from somewhere, is classified by its words."""
        done = jidoka("classify", "cannot borrow `x` as mutable more than once at a time", "--json")
        (answer,) = json.loads(done.out)["classifications"]
        assert (done.status, answer["category"]) == (0, "OwnershipBorrow")

    @pytest.mark.parametrize("data", [b"", b"  \n ", b"\n\n"])
    def test_nothing_is_status_one(self, data: bytes, jidoka: Jidoka) -> None:
        """An empty input is told, with status 1."""
        done = jidoka("classify", stdin=data)
        assert (done.status, done.out) == (1, "")
        assert done.err

    @pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\xff\xfe\x00", b"PAR1 not really", b"[" * 50_000])
    def test_hostile_input_is_survived(self, data: bytes, jidoka: Jidoka) -> None:
        """Binary and deeply nested input ends with an answer or a message, never with a stack trace."""
        done = jidoka("classify", stdin=data)
        assert done.status in {0, 1, 2}
        assert "Traceback" not in done.err
        assert "\x1b" not in done.out

    def test_a_folder_is_refused(self, jidoka: Jidoka) -> None:
        """A folder is not a text to classify."""
        done = jidoka("classify", OUTPUT)
        assert (done.status, done.out) == (2, "")
        assert in_one_paragraph(done)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Return a small file of recorded failures in jidoka's JSON lines."""
    kinds = [("E0308", "mismatched types"), ("E0425", "cannot find value `x`"), ("E0502", "cannot borrow `y`")]
    lines = [
        {"id": f"f{number}", "diagnostics": [{"level": "error", "code": code, "message": f"{text} {number % 5}"}]}
        for number in range(60)
        for code, text in [kinds[number % 3]]
    ]
    path = tmp_path / "history.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return path


class TestReplay:
    def test_json_has_the_agreed_keys(self, history: Path, jidoka: Jidoka) -> None:
        """``--json`` prints the scores beside those of the trivial baselines."""
        done = jidoka("replay", history, "--json")
        result = json.loads(done.out)
        assert done.status == 0
        assert result.keys() >= {"task", "n", "accuracy", "macro_f1", "baselines", "seconds"}
        assert (result["task"], result["n"]) == ("category", 60)
        assert result["baselines"].keys() == {"majority", "last_label", "lookup"}
        assert result["baselines"]["majority"] < 0.6 < result["accuracy"] <= 1
        assert 0 < result["seconds"] < 60

    def test_the_seed_settles_the_order(self, history: Path, jidoka: Jidoka) -> None:
        """The same seed gives the same scores, bit for bit."""
        first, again = (json.loads(jidoka("replay", history, "--json", "--seed", 7).out) for _ in range(2))
        measured = {"seconds": 0, "latency": 0}
        assert {**first, **measured} == {**again, **measured}

    @pytest.mark.parametrize("classifier", ["river-logistic", "river-naive-bayes"])
    def test_rivals_run_too(self, classifier: str, history: Path, jidoka: Jidoka) -> None:
        """River's own classifiers can be put in the place of ours."""
        done = jidoka("replay", history, "--classifier", classifier, "--json")
        assert (done.status, json.loads(done.out)["n"]) == (0, 60)

    def test_options_narrow_the_stream(self, history: Path, jidoka: Jidoka) -> None:
        """``--limit`` takes the first records, ``--dedupe`` drops equal ones, ``--order file`` keeps the builds."""
        assert json.loads(jidoka("replay", history, "--limit", 10, "--json").out)["n"] == 10
        assert json.loads(jidoka("replay", history, "--dedupe", "--json").out)["n"] == 15
        assert json.loads(jidoka("replay", history, "--order", "file", "--labels", "all", "--json").out)["n"] == 60

    def test_as_text(self, history: Path, jidoka: Jidoka) -> None:
        """Without ``--json`` the same is printed for people."""
        done = jidoka("replay", history)
        assert done.status == 0
        assert "accuracy" in done.out
        assert "majority" in done.out

    def test_a_bad_line_is_told_and_the_rest_counts(self, history: Path, jidoka: Jidoka) -> None:
        """A line that cannot be read is named on stderr; the others are replayed."""
        with history.open("a") as file:
            file.write("{broken\n")
        done = jidoka("replay", history, "--json")
        assert json.loads(done.out)["n"] == 60
        assert "61" in done.err

    def test_nothing_with_a_label_is_a_mistake(self, tmp_path: Path, jidoka: Jidoka) -> None:
        """A file in which no diagnostic has a label is told, with status 2."""
        path = tmp_path / "odd.jsonl"
        path.write_text(json.dumps({"id": "f", "diagnostics": [{"level": "error", "message": "frobnication"}]}) + "\n")
        done = jidoka("replay", path)
        assert done.status == 2
        assert in_one_paragraph(done)


class TestDoctor:
    def test_json_has_a_list_of_checks(self, jidoka: Jidoka) -> None:
        """``doctor --json`` prints each check with its name, status, detail and what to do; status 1 if one failed."""
        done = jidoka("doctor", "--json")
        checks: list[dict[str, Any]] = json.loads(done.out)
        assert len(checks) > 2
        assert all(one.keys() == {"name", "status", "detail", "fix"} for one in checks)
        failed = [one for one in checks if one["status"] == "fail"]
        assert done.status == (1 if failed else 0)
        assert all(one["fix"] for one in failed)


def test_version(jidoka: Jidoka) -> None:
    """``--version`` prints the installed version, for whoever reports a fault."""
    assert jidoka("--version").out == f"jidoka {metadata.version('jidoka')}\n"


def test_up_refuses_an_open_interface_before_it_starts_anything(
    jidoka: Jidoka, monkeypatch: Any, tmp_path: Path
) -> None:
    """An address that others reach without a token is refused at once; no broker was started for it."""
    monkeypatch.setenv("JIDOKA_HTTP_HOST", "0.0.0.0")  # noqa: S104 - that is the point
    done = jidoka("up")
    assert (done.status, done.out) == (2, "")
    assert "set JIDOKA_TOKEN" in done.err
    assert not (tmp_path / "data" / "kafka").exists()
