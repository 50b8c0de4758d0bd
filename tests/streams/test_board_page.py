"""The board's files as they are: contrast of every pair of colours, nothing inline or foreign, no markup from text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from streams.web.board_routes import STATIC, assets, version

CSS = (STATIC / "board.css").read_text(encoding="utf-8")
TEXT_RATIO, LARGE_RATIO = 4.5, 3.0  # WCAG 2.2, AA: 1.4.3 for text; 1.4.3 for large text, 1.4.11 for what is no text

TEXT = [
    *((text, back) for text in ("text", "quiet", "accent") for back in ("card", "page")),
    *((f"lamp-{colour}-text", f"lamp-{colour}") for colour in ("green", "amber", "red", "unknown")),
    *((f"{name}-text", name) for name in ("chip", "mark", "add", "drop")),
    ("text", "track"),  # a row under the pointer
    ("quiet", "track"),
    ("chip-text", "chip"),
    ("card", "accent"),  # a button that sends
    ("mark-text", "mark"),
]
SHAPES = [
    ("bar", "card"),
    ("bar", "track"),
    ("text", "bar"),  # the tick in a bar
    ("text", "track"),
    ("accent", "page"),  # focus
    *((f"lamp-{colour}", "page") for colour in ("green", "red", "unknown")),
]


def colours(css: str) -> dict[str, str]:
    """Return the custom properties that are colours."""
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours in the light and in the dark scheme."""
    light, dark = (
        re.search(r":root \{(.*?)\n\}", CSS, re.DOTALL),
        re.search(r"scheme: dark\) \{(.*?)\n\}", CSS, re.DOTALL),
    )
    assert light
    assert dark
    return {"light": colours(light[1]), "dark": colours(light[1]) | colours(dark[1])}


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class TestContrast:
    def test_is_computed_as_the_standard_does(self) -> None:
        """Black on white is 21; grey #767676 on white is just enough for text."""
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("text", "back"), TEXT)
    def test_of_text(self, scheme: str, text: str, back: str) -> None:
        """Every pair of text and background has the contrast that AA asks for."""
        found = schemes()[scheme]
        assert contrast(found[text], found[back]) >= TEXT_RATIO

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize(("shape", "back"), SHAPES)
    def test_of_shapes(self, scheme: str, shape: str, back: str) -> None:
        """Bars, ticks, focus and lamp stand out from what is around them, or hold a text or shape that does."""
        found = schemes()[scheme]
        ink = contrast(found.get(f"{shape}-text", found[shape]), found[shape])
        assert max(contrast(found[shape], found[back]), ink) >= LARGE_RATIO

    def test_no_colour_is_written_elsewhere(self) -> None:
        """Colours stand among the custom properties only, but for the shade behind a dialog: none escapes the test."""
        rules = re.sub(r"--[a-z-]+: #[0-9a-f]{6};", "", CSS)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*\})|\b(?:rgba?|hsla?)\([^)]*\)", rules) == ["rgb(10 16 24 / .6)"]


class Page(HTMLParser):
    """What a page has in it: elements with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


class TestFiles:
    def test_page_has_nothing_inline(self) -> None:
        """No script, style or handler stands in the page: the policy would forbid them."""
        page = Page()
        page.feed((STATIC / "board.html").read_text(encoding="utf-8"))
        for tag, attributes in page.found:
            assert tag != "style"
            assert tag != "script" or "src" in attributes
            assert not [name for name in attributes if name.startswith("on") or name == "style"]

    def test_nothing_is_loaded_from_elsewhere(self) -> None:
        """No file names another host, but for the names of formats: the board works without a network."""
        for asset in assets().values():
            hosts = re.findall(rb"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", asset.body)
            assert set(hosts) <= {b"http://www.w3.org"}

    def test_text_never_becomes_markup(self) -> None:
        """No script uses what parses HTML or runs text."""
        dangerous = rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|srcdoc"
        for asset in assets().values():
            assert re.findall(dangerous, asset.body) == []

    def test_token_is_kept_nowhere_else(self) -> None:
        """The token goes into the tab's own storage, not into one that outlives it, nor into an address."""
        for asset in assets().values():
            assert not re.findall(rb"localStorage|document\.cookie|indexedDB|token=", asset.body)

    def test_files_are_small(self) -> None:
        """Everything together is smaller than a photograph, and has a version to tell it by."""
        assert sum(len(asset.body) for asset in assets().values()) < 60_000
        assert re.fullmatch("[0-9a-f]{16}", version())
