"""What may light the lamp: one table of conditions, with what each means and what a person does about it.

``docs/operations/andon.md`` is rendered from it (``python -m models.andon.page``). *Jidoka* is the machine that stops
itself when something is wrong (Ohno, "Toyota Production System", 1988): a ``halt`` stops learning, never answering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["warning", "halt"]
NoticedBy = Literal["step", "metrics"]

PAGE = "docs/operations/andon.md"
WINDOW = 500  # builds, or records, that a share is of
REJECTED, DIVERSE = 0.95, 0.1


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and how its lamp behaves.

    Parameters
    ----------
    noticed_by
        ``step``: by the partition that steps the records; part of its checkpoint, and each transition is an event.
        ``metrics``: by Prometheus, from clocks and offsets, which no replay could bring back; ``alert`` is the rule.
    raise_at, clear_at
        Of a level: it counts where the reading has reached the first, it is over where the reading is back at the
        second; ``falling`` says that low readings are the bad ones. Without levels somebody else decides (a detector
        with a budget of false alarms), and it is not over by itself.
    readings
        In a row that a level needs to be raised, and to be cleared (debounce).
    latched
        It stays until a person resumes, whatever the readings say: all that have no ``clear_at``.
    """

    name: str
    severity: Severity
    noticed_by: NoticedBy
    meaning: str
    action: str
    recommendation: str
    raise_at: float | None = None
    clear_at: float | None = None
    falling: bool = False
    readings: int = 1
    latched: bool = True
    alert: str | None = None

    @property
    def runbook(self) -> str:
        """Return where its section is, from the root of the repository."""
        return f"{PAGE}#{self.name.lower()}"

    def beyond(self, reading: float) -> bool:
        """Return whether a reading counts for raising it."""
        return self.raise_at is not None and (reading < self.raise_at if self.falling else reading > self.raise_at)

    def over(self, reading: float) -> bool:
        """Return whether a reading counts for clearing it; one between the two levels counts for neither."""
        return self.clear_at is not None and (reading >= self.clear_at if self.falling else reading <= self.clear_at)


_ALL = (
    Condition(
        "ModelDegradation",
        "halt",
        "step",
        "The model errs more than it did, by a sequential test, or no longer beats a trivial baseline (majority, last "
        "label) by a tested margin. Learning has stopped, answers go on. The newest checkpoint from before it began "
        "predicts in shadow, and answers as soon as it is measurably better.",
        "Look at the examples: wrong labels, or code that changed? `jidoka models list` shows how the last good model "
        "stands; `jidoka models rollback` goes back at once. Mend the labels (`jidoka label`), then `jidoka andon "
        "resume --rebaseline`.",
        "Roll back",
    ),
    Condition(
        "TrainingFailure",
        "halt",
        "step",
        "What the model computes is no finite number any more, or a training run ended without a model. Learning has "
        "stopped before the next checkpoint is worth less than the last.",
        "`jidoka models rollback`, then `jidoka andon resume`. Keep the example that the event names and report it: "
        "no input should do this. After a failed training run: its log, then run it again.",
        "Roll back",
    ),
    Condition(
        "HighRejectionRate",
        "halt",
        "step",
        f"More than {REJECTED:.0%} of the last {WINDOW} builds were answered `Unknown` throughout: no rule knows them "
        "and the model does not dare. Or, from a tool's gate: nearly every program that it made was refused.",
        "Another compiler, another language, or text that is no compiler's? `jidoka tail predictions` shows the "
        "messages. Send it elsewhere, or teach it: `jidoka label`. Then `jidoka andon resume`.",
        "Check the input",
        raise_at=REJECTED,
        readings=50,
    ),
    Condition(
        "DiversityCollapse",
        "halt",
        "step",
        f"Over the last {WINDOW} labelled builds the model's answers have less than {DIVERSE:.0%} of the variety of "
        "the labels: it says nearly the same of everything. Or, from a tool's gate: what it makes is all alike.",
        "A flood of one kind of build? `jidoka status` shows weights and categories. `jidoka models rollback`, then "
        "`jidoka andon resume`. A generator: another seed, other weights of its strategies.",
        "Roll back",
        raise_at=DIVERSE,
        falling=True,
        readings=5,
    ),
    Condition(
        "ConceptDrift",
        "warning",
        "step",
        "What comes in is not what it was: the mix of categories, new kinds of messages, the model's confidence, or "
        "another quantity named by the event, in one project or in all. The line goes on and learns on.",
        "The event names what moved, since which build, with examples: a toolchain, a dependency, a new project? If it "
        "is the new normal, `jidoka andon resume --rebaseline`; train anew from the archive if accuracy suffers.",
        "Retrain",
    ),
    Condition(
        "DeadLetterSurge",
        "warning",
        "step",
        f"More than a tenth of the last {WINDOW} records of the partition were refused and are dead letters.",
        "`jidoka dead-letters list` shows why and whose: mostly a producer of another version. Mend it, then `jidoka "
        "dead-letters redrive --all`. The lamp goes out by itself.",
        "Mend the producer",
        raise_at=0.1,
        clear_at=0.01,
        readings=10,
        latched=False,
    ),
    Condition(
        "StalledWorker",
        "halt",
        "metrics",
        "Work was due in a worker and nothing moved although the broker answers: it has ended itself, its partitions "
        "wait or move to another worker.",
        "Nothing the first time: it is started again. If it comes back, keep the log, which has every thread's stack.",
        "Look at the worker",
        latched=False,
        alert="JidokaWorkerStalled",
    ),
    Condition(
        "LagGrowing",
        "warning",
        "metrics",
        "More than 1,000 records wait at a worker, more every minute, for ten minutes.",
        "More workers, up to one per partition: `jidoka up --workers N`. `jidoka status` shows whether one project's "
        "partition is hot.",
        "Add workers",
        latched=False,
        alert="JidokaLagGrowing",
    ),
)

CONDITIONS: dict[str, Condition] = {one.name: one for one in _ALL}
