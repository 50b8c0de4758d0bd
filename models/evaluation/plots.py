"""Plots as inline SVG: text that a page holds by itself, sharp at any size, coloured by the page's own style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from models.evaluation.metrics import BINS

WIDTH, HEIGHT = 640, 280
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 30  # room for the axes
Point = tuple[float, float]


def lines(series: Mapping[str, Sequence[Point]], label: str, marks: Sequence[float] = ()) -> str:
    """Return curves over a common axis, y from 0 to 1, with ``marks`` on x; the class of the n-th is ``line-n``."""
    points = [point for one in series.values() for point in one]
    last = max((x for x, _ in points), default=0) or 1
    drawn = [_line(place, name, points, last) for place, (name, points) in enumerate(series.items())]
    drawn += [
        f'<line class="ideal" x1="{_x(x / last):.1f}" y1="{_y(0)}" x2="{_x(x / last):.1f}" y2="{_y(1)}"/>'
        for x in marks
    ]
    return _figure(_grid([(share / 4, f"{last * share / 4:,.0f}") for share in range(5)]) + "".join(drawn), label)


def _line(place: int, name: str, points: Sequence[Point], last: float) -> str:
    path = " ".join(f"{_x(x / last):.1f},{_y(y):.1f}" for x, y in points)
    return f'<polyline class="line-{place}" points="{path}"><title>{escape(name)}</title></polyline>'


def reliability(bins: Sequence[Sequence[float] | None], label: str) -> str:
    """Return a reliability diagram: accuracy of each bin of confidence beside the diagonal, and how many it holds.

    A bin is its size, mean confidence and accuracy; a dot's area says the size.
    """
    sizes = [one[0] for one in bins if one]
    most = max(sizes, default=1)
    marks = [_bin(place, one, most) for place, one in enumerate(bins) if one]
    diagonal = f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    return _figure(_grid([(share / 4, f"{share / 4:.2f}") for share in range(5)]) + "".join(marks) + diagonal, label)


def _bin(place: int, found: Sequence[float], most: float) -> str:
    size, confidence, accuracy = found
    left, width = _x(place / BINS) + 1, _x(1 / BINS) - _x(0) - 2
    told = f"<title>{size:,.0f} predictions, confidence {confidence:.3f}, right {accuracy:.3f}</title>"
    bar = f'<rect class="bar" x="{left:.1f}" y="{_y(accuracy):.1f}" width="{width:.1f}" height="{_down(accuracy):.1f}">'
    dot = (
        f'<circle class="dot" cx="{_x(confidence):.1f}" cy="{_y(accuracy):.1f}" r="{2 + 6 * (size / most) ** 0.5:.1f}"'
    )
    return f"{bar}{told}</rect>{dot}>{told}</circle>"


def bars(values: Mapping[str, float], label: str) -> str:
    """Return a horizontal bar for each value from 0 to 1, the first one in the class ``own``."""
    height, drawn = 26, []
    for place, (name, value) in enumerate(values.items()):
        y = place * height
        style = "own" if place == 0 else "rival"
        wide = max(0.0, min(1.0, value)) * (WIDTH - 220)
        drawn += [
            f'<text x="0" y="{y + 17}">{escape(name)}</text>',
            f'<rect class="{style}" x="120" y="{y + 4}" width="{wide:.1f}" height="{height - 9}" rx="3"/>',
            f'<text class="value" x="{128 + wide:.1f}" y="{y + 17}">{value:.4f}</text>',
        ]
    return _svg("".join(drawn), height * len(values) or 1, label)


def _grid(ticks: Sequence[tuple[float, str]]) -> str:
    drawn = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        drawn.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        drawn.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.2f}</text>')
    for share, text in ticks:
        anchor = "end" if share == 1 else "middle"
        x = _x(share)
        drawn.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(text)}</text>')
    return "".join(drawn)


def _figure(content: str, label: str) -> str:
    return _svg(content, HEIGHT, label)


def _svg(content: str, height: int, label: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{content}</svg>'


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - _down(share)


def _down(share: float) -> float:
    return share * (HEIGHT - TOP - BOTTOM)
