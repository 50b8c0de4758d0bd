"""Everything that is watched on one partition: the mix of categories and the rates, overall and by project."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from models.drift.alarm import MAX_CONTRIBUTIONS, MAX_EXAMPLES, Alarm, Quantity
from models.drift.mix import BUDGET
from models.drift.saved import checked
from models.drift.scope import OF_PROJECTS, Scope, Seen, means

MAX_PROJECTS = 16  # watched by themselves, some 10 kB each in a checkpoint; the others count overall
IDLE = 500  # builds of others after which a project gives its place to another
PROJECT_BASELINE = 1_000  # votes
PROJECT_BUCKET = 16  # votes: half as quick as overall, and half the cost
RECENT = 300  # builds among which examples are looked for

__all__ = ["DriftMonitor", "Seen"]


class DriftMonitor:
    """Detectors over every quantity of ``alarm.Quantity``, overall and for ``max_projects`` active projects.

    Of projects the mix of categories and ``OF_PROJECTS`` are watched: the rest is the model's, which all share. An
    alarm is raised once: the detector that raised it is silent until ``rebaseline``. Projects share one budget.

    Examples
    --------
    >>> monitor = DriftMonitor(baseline=200)
    >>> for number in range(400):
    ...     raised = monitor.update(Seen("me/app", f"build {number}", ["TypeErrors", "TraitBounds"][number % 2 :]))
    >>> raised, monitor.view()["overall"]["categories"]["alarmed"]
    ([], False)
    >>> while not raised:
    ...     number += 1
    ...     raised = monitor.update(Seen("me/app", f"build {number}", ["MacroExpansion"]))
    >>> raised[0].quantity, raised[0].first_build, [*raised[0].contributions][0]
    ('categories', 'build 400', 'MacroExpansion')
    """

    def __init__(
        self, baseline: int = 2_000, budget: float = BUDGET, max_projects: int = MAX_PROJECTS, *, enabled: bool = True
    ) -> None:
        if not 0 <= max_projects <= 64:
            raise ValueError(f"max_projects {max_projects}: 0 to 64")
        self.baseline, self.budget, self.max_projects, self.enabled = baseline, budget, max_projects, enabled
        self.builds = 0
        self.overall = Scope(baseline, budget)
        self.projects: OrderedDict[str, Scope] = OrderedDict()  # the longest silent first
        self.recent: deque[tuple[str, str, tuple[str, ...], bool]] = deque(maxlen=RECENT)

    def update(self, seen: Seen) -> list[Alarm]:
        """Take in one build and return the alarms that it raises, the overall ones first."""
        if not self.enabled:
            return []
        self.builds += 1
        shown = means(seen)
        labels = tuple(dict.fromkeys(seen.labels))
        self.recent.append((seen.project, seen.build, labels, False in seen.correct))
        alarms = [self._alarm(None, self.overall, one) for one in self.overall.update(seen, shown)]
        scope = self._scope(seen.project)
        if scope is not None:
            scope.last = self.builds
            raised = scope.update(seen, [one for one in shown if one[0] in OF_PROJECTS])
            alarms += [self._alarm(seen.project, scope, one) for one in raised]
        return alarms

    def _scope(self, project: str) -> Scope | None:
        """Return what watches this project, which may take the place of one that is silent; ``None`` for none."""
        scope = self.projects.get(project)
        if scope is not None:
            self.projects.move_to_end(project)
            return scope
        if len(self.projects) >= self.max_projects:
            oldest = next(iter(self.projects), None)
            if oldest is None or self.builds - self.projects[oldest].last < IDLE:
                return None
            del self.projects[oldest]
        scope = self.projects[project] = self._empty()
        return scope

    def _empty(self) -> Scope:
        return Scope(min(PROJECT_BASELINE, self.baseline), self.budget * max(1, self.max_projects), PROJECT_BUCKET)

    def _alarm(self, project: str | None, scope: Scope, quantity: Quantity) -> Alarm:
        if quantity != "categories":
            rate = scope.rates[quantity]
            examples = self._examples(project, rate.first_build, None, wrong=quantity == "errors")
            return Alarm(
                quantity, project, rate.statistic, rate.threshold, None, {}, rate.first_build or None, examples,
                scope.builds,
            )  # fmt: skip
        mix = scope.mix
        moved = mix.mixture(changed=True)
        risen = {label for label, amount in moved.contributions.items() if amount > 0.0}
        first = mix.first_build
        return Alarm(
            quantity,
            project,
            mix.statistic,
            mix.threshold,
            moved.divergence,
            dict(islice(moved.contributions.items(), MAX_CONTRIBUTIONS)),
            first,
            self._examples(project, first, [mix.cause] if mix.cause in risen else list(risen)),
            scope.builds,
        )

    def _examples(
        self, project: str | None, first: str | None, labels: Collection[str] | None, *, wrong: bool = False
    ) -> tuple[str, ...]:
        """Return builds since ``first`` that have one of the labels, or a wrong prediction where ``wrong``."""
        held = [one for one in self.recent if project in {None, one[0]}]
        begin = next((place for place, one in enumerate(held) if one[1] == first), 0)
        found = [
            build
            for _, build, has, mistaken in held[begin:]
            if (labels is None or any(label in has for label in labels)) and (mistaken or not wrong)
        ]
        return tuple(found[:MAX_EXAMPLES])

    def rebaseline(self, project: str | None = None) -> None:
        """Take what comes from now on for normal: of one project, or with ``None`` of all and of everything."""
        if project is None:
            self.overall.rebaseline()
            for scope in self.projects.values():
                scope.rebaseline()
        elif project in self.projects:
            self.projects[project].rebaseline()

    def view(self) -> dict[str, Any]:
        """Return how every detector stands, as JSON-able data.

        ``{"builds": n, "overall": {quantity: state}, "projects": {project: {quantity: state}}}``; a state has
        ``statistic``, ``threshold`` (``None`` while the baseline is being taken), ``divergence`` (nats, or ``None``),
        ``contributions`` (label → nats), ``window`` and ``baseline`` (label → share, or ``{"": mean}`` for a rate),
        ``builds``, ``alarmed``, ``version`` (of the baseline).
        """
        projects = {project: scope.view() for project, scope in self.projects.items()}
        return {"builds": self.builds, "overall": self.overall.view(), "projects": projects}

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "builds": self.builds,
            "overall": self.overall.dump(),
            "projects": [[project, scope.dump()] for project, scope in self.projects.items()],
            "recent": [[project, build, list(labels), wrong] for project, build, labels, wrong in self.recent],
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace everything by what ``dump`` returned; ``ValueError`` (then nothing has changed) for other data."""
        found = checked(data)
        overall = Scope(self.baseline, self.budget)
        projects: OrderedDict[str, Scope] = OrderedDict()
        try:
            overall.load(found["overall"])
            for project, one in found["projects"][-self.max_projects or len(found["projects"]) :]:
                projects[project] = self._empty()
                projects[project].load(one)
        except (IndexError, KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"drift: a saved monitor that no stream leads to ({error})") from error
        self.builds, self.overall, self.projects = found["builds"], overall, projects
        self.recent = deque([(a, b, tuple(labels), wrong) for a, b, labels, wrong in found["recent"]], maxlen=RECENT)
