"""The page of a replay: whole, exact, by itself, and safe whatever names the input holds."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import count
from typing import Any

import pytest

from models.evaluation import plots
from models.evaluation.replay import backtest
from models.evaluation.report import page
from models.evaluation.scorecard import Opinion
from models.evaluation.splits import Entry, Fold, Group, folds

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "line", "rect", "circle", "polyline"}


class Page(HTMLParser):
    """A page taken apart: its tags with their attributes, the texts of its cells, and whether all is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells[-1] += data


class Half:
    """A learner that says ``A``, with two thirds."""

    labels = ("A", EVIL)

    def take(self, item: str, *, learn: bool) -> list[Opinion]:  # noqa: ARG002 - a learner has it
        """Return one opinion."""
        return [Opinion(item, "A", [2.0, 1.0], "E0308")]


def result(parts: list[Fold[str]], **fields: Any) -> dict[str, Any]:
    """Return the scores of ``Half`` on these folds, as the command line completes them."""
    scores = backtest(parts, Half, clock=count(step=1_000).__next__, progress=lambda _: None)
    said = {"task": "category", "split": "none", "order": "shuffled", "seed": 42, "seconds": 1.25}
    return scores | said | fields


def entries(items: list[str]) -> list[Entry[str]]:
    """Return entries, the second half of which is from a second file."""
    return [Entry(item, 1, Group(source=place * 2 // len(items))) for place, item in enumerate(items)]


WHOLE = result(folds(entries(["A", "A", EVIL, "A"]), "none", 0))


class TestPage:
    def test_is_one_file(self) -> None:
        """The page asks for nothing from elsewhere and runs nothing."""
        text = page(WHOLE)
        found = Page(text)
        assert not {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe", "object", "use", "image"}
        assert not {name for _, attributes in found.tags for name in attributes if name.startswith("on")}
        assert not [word for word in ("http:", "https:", "url(", "@import", "src=") if word in text]

    def test_is_well_formed(self) -> None:
        """Every tag that is opened is closed, in order; the page begins as HTML does."""
        found = Page(page(WHOLE))
        assert found.open == []
        assert page(WHOLE).startswith("<!doctype html>")

    def test_names_are_escaped(self) -> None:
        """A label that looks like a tag is shown as the text that it is, wherever it stands."""
        text = page(result([Fold(EVIL, entries(["A", EVIL]), entries(["A", EVIL]))]), title=EVIL)
        assert "<script" not in text
        assert EVIL in Page(text).cells

    def test_numbers_are_those_of_the_result(self) -> None:
        """Scores stand in the page as they were computed, to the digits shown."""
        text = page(WHOLE)
        for shown in (f"{WHOLE['accuracy']:.4f}", f"{WHOLE['log_loss']:.4f}", f"{WHOLE['ece']:.4f}", "4 examples"):
            assert shown in text
        cells = Page(text).cells
        category = cells[cells.index("A") :][:7]
        assert category == ["A", "0.750", "1.000", "0.857", "3", "0.500", "0.750"]

    def test_confusion_is_a_table(self) -> None:
        """The confusion matrix has a row for each truth; the heat says which share of it went where."""
        text = page(WHOLE)
        assert '<td class="right" style="--h:0.80">3</td>' in text
        assert '<td class="wrong" style="--h:0.80">1</td>' in text

    def test_parts_come_when_there_is_something_to_say(self) -> None:
        """Folds, switches and importance have their tables only where they are given."""
        names = ("Learned, then scored", "From one file to the next", "Importance")
        frozen = result([Fold("x", entries(["A"]), entries(["A", EVIL]))])
        important = result(folds([Entry("A", 1, Group())], "none", 0), importance=[{"name": EVIL, "accuracy": 0.25}])
        shown = [[name in page(one) for name in names] for one in (WHOLE, frozen, important)]
        assert shown == [[False, True, False], [True, False, False], [False, False, True]]

    def test_nothing_scored(self) -> None:
        """Scores of nothing make a page, too."""
        assert "0 examples" in page(result([]))

    @pytest.mark.parametrize(
        ("order", "said"), [("shuffled", "shuffled with seed 42"), ("file", "order of the files"), ("time", "of time")]
    )
    def test_says_how(self, order: str, said: str) -> None:
        """The first line says in which order, and whether the model had stopped learning."""
        assert said in page(WHOLE | {"order": order})
        assert "predicted, then learned" in page(WHOLE)
        assert "had stopped learning" in page(result([Fold("x", entries(["A"]), entries(["A"]))]))


class TestPlots:
    def test_points_lie_where_they_should(self) -> None:
        """The largest y is at the top, the largest x at the right edge, and zero in the corner."""
        text = plots.lines({"a": [(0, 0.0), (10, 1.0)]}, "l")
        top, right = plots.TOP, plots.WIDTH - plots.RIGHT
        assert f'points="{plots.LEFT:.1f},{plots.HEIGHT - plots.BOTTOM:.1f} {right:.1f},{top:.1f}"' in text

    def test_marks_stand_on_the_axis(self) -> None:
        """A mark is an upright line at its place on x."""
        found = Page(plots.lines({"a": [(0, 0.0), (10, 1.0)]}, "l", marks=[5]))
        middle = f"{(plots.LEFT + plots.WIDTH - plots.RIGHT) / 2:.1f}"
        (mark,) = [attributes for tag, attributes in found.tags if attributes.get("class") == "ideal" and tag == "line"]
        assert (mark["x1"], mark["x2"]) == (middle, middle)

    def test_reliability_has_a_mark_for_each_bin_that_holds_something(self) -> None:
        """Empty bins have neither bar nor dot; the dot of the fullest is the largest."""
        found = Page(plots.reliability([None, (100, 0.1, 0.2), (1, 0.2, 0.0)], "r"))
        dots = [float(attributes["r"] or 0) for tag, attributes in found.tags if tag == "circle"]
        assert len(dots) == 2
        assert max(dots) == dots[0]

    def test_bars_are_bounded(self) -> None:
        """A value beyond 0 to 1 makes no bar beyond the figure."""
        found = Page(plots.bars({"a": 7.0, "b": -1.0}, "b"))
        widths = [float(attributes["width"] or 0) for tag, attributes in found.tags if tag == "rect"]
        assert widths[1] == 0 < widths[0] < plots.WIDTH
