"""Looking at a page as it stands: what axe finds wrong in it, and whether it is too wide."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PHONE, DESKTOP = 390, 1280
NARROWEST = 320
HEIGHT = 800
# Higher than any page, so that none has a reason to scroll.
TALLEST = 12_000

RUN_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.failureSummary.replaceAll("\\n", " ")} ${node.html}`));
}"""
EXCESS_WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults_of(
    page: Page, *, widths: tuple[int, ...] = (PHONE, DESKTOP), schemes: tuple[Scheme, ...] = SCHEMES
) -> list[str]:
    """What is wrong with the page in each scheme of colors at each width, with how it was looked at."""
    page.evaluate(AXE_SCRIPT)
    faults = []
    for width, scheme in product(widths, schemes):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        faults += [f"{page.url} {scheme} {width}: {fault}" for fault in _faults_now(page, width)]
    return faults


def _faults_now(page: Page, width: int) -> Iterator[str]:
    yield from page.evaluate(RUN_AXE)
    excess = page.evaluate(EXCESS_WIDTH)
    if excess > 0:
        yield f"scrolls sideways by {excess} px"


# What is written must stay in its panel and in the window, and what is cut must say so.
# Left out: what only screen readers meet, and regions that scroll by themselves.
MISPLACED = """() => {
  const unseen = ".visually-hidden, .skip, .scroll, template";
  const clipped = (element) => element !== null && getComputedStyle(element).clipPath !== "none";
  const hidden = (element) =>
    !element.checkVisibility() || element.closest(unseen) || clipped(element.closest("thead"));
  const faults = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || hidden(element)) continue;
    const text = element.textContent.trim().replace(/\\s+/g, " ").slice(0, 60);
    const box = element.getBoundingClientRect();
    const frame = element.closest(".panel, .card, .facts, dialog")?.getBoundingClientRect();
    const [left, right] = frame ? [frame.left, frame.right] : [0, document.documentElement.clientWidth];
    if (box.left < left - 0.5 || box.right > right + 0.5) faults.push(`sticks out: ${text}`);
    const style = getComputedStyle(element);
    const cut = style.textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth;
    if (cut && !element.title) faults.push(`is cut and has no title: ${text}`);
  }
  return faults;
}"""


def layout_faults_of(page: Page, *, widths: tuple[int, ...] = (NARROWEST, PHONE, DESKTOP)) -> list[str]:
    """Where the page is too wide or scrolls without need, and which texts leave their place or are cut."""
    faults = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": TALLEST})
        found = page.evaluate(MISPLACED)
        for direction, side in (("sideways", "Width"), ("down", "Height")):
            root = "document.documentElement"
            excess = page.evaluate(f"{root}.scroll{side} - {root}.client{side}")
            if excess > 0:
                found.append(f"scrolls {direction} by {excess} px")
        faults += [f"{page.url} {width}: {fault}" for fault in found]
    return faults
