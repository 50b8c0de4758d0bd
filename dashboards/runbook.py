"""The runbook in Grafana: ``RUNBOOK.md``, a panel for each of its sections."""

from __future__ import annotations

import re
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.builders.text import Panel as Text
from grafana_foundation_sdk.models.text import TextMode

from dashboards.panels import dashboard

FILE = Path(__file__).parent / "RUNBOOK.md"
LINE_CHARS = 95  # that fit beside each other in half of a screen
LINE_HIGH = 0.75  # grid units


def build() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("runbook", "runbook", "What to do about each alert")
    first, *rest = re.split(r"^## (.+)$", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    made.with_panel(_section("About", first.partition("\n")[2], wide=24))
    for title, text in zip(rest[::2], rest[1::2], strict=True):
        made.with_panel(_section(title, text, wide=12))
    return made


def _section(title: str, text: str, wide: int) -> Text:
    text = text.strip()
    longest = LINE_CHARS * wide // 12
    shown = sum(1 + len(line) // longest for line in text.splitlines())
    return Text().title(title).mode(TextMode.MARKDOWN).content(text).span(wide).height(3 + int(LINE_HIGH * shown))
