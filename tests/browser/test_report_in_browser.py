"""The report in a browser: quiet, within the screen, light and dark, and by keyboard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command import succeed

Open = Callable[..., Any]

# Words whose contrast to what lies behind them is below 4.5 (WCAG 2, AA).
CONTRAST = """() => {
  const curve = (share) => share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  const linear = (value) => curve(value / 255);
  const light = (rgb) => 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  const words = "h1, h2, p, a, th, td, dt, dd, caption span, figcaption, summary, svg text:not(.on):not(.small)";
  for (const element of document.querySelectorAll(words)) {
    const style = getComputedStyle(element);
    if (!element.textContent.trim()) continue;
    const one = light(numbers(element instanceof SVGElement ? style.fill : style.color));
    const other = light(ground(element));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push([element.tagName, element.textContent.slice(0, 30), ratio]);
  }
  return low;
}"""


@pytest.fixture(scope="module")
def report(painted: Path) -> Path:
    succeed("report", "-w", painted)
    return painted / "report.html"


def test_a_laptop_shows_it_quietly_with_all_pictures(report: Path, open_page: Open) -> None:
    opened = open_page(report)
    opened.check()
    widths = opened.page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
    assert widths
    assert all(width > 300 for width in widths)
    assert opened.page.locator("svg[role=img]").count() >= 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(report: Path, open_page: Open, scheme: str) -> None:
    assert open_page(report, color_scheme=scheme).page.evaluate(CONTRAST) == []


def test_dark_is_dark_and_light_is_light(report: Path, open_page: Open) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        page = open_page(report, color_scheme=scheme).page
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        line = page.evaluate("getComputedStyle(document.querySelector('svg .line')).stroke")
        grounds[scheme] = (sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(","))), line)
    assert grounds["light"][0] > 3 * 200
    assert grounds["dark"][0] < 3 * 60
    assert grounds["light"][1] != grounds["dark"][1]


def test_a_phone_scrolls_tables_and_never_the_page(report: Path, open_page: Open) -> None:
    page = open_page(report, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True).page
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide == screen == 360


def test_the_keyboard_reaches_links_tables_and_details(report: Path, open_page: Open) -> None:
    page = open_page(report).page
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
        name, outline = page.evaluate(focus)
        seen.add(name)
        assert outline != "none" or name == "BODY", name
    assert {"A", "DIV", "SUMMARY"} <= seen


def test_names_run_no_script(hostile: Path, open_page: Open) -> None:
    succeed("report", "-w", hostile)
    opened = open_page(hostile / "report.html")
    opened.page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    opened.check()
    assert opened.page.locator("script").count() == 0
