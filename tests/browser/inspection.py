"""Looking at a page as it stands: what axe finds wrong in it, and whether it is too wide."""

from collections.abc import Iterator
from itertools import product

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SCHEMES = ("light", "dark")
PHONE, DESKTOP = 390, 1280
HEIGHT = 800

RUN_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.failureSummary.replaceAll("\\n", " ")} ${node.html}`));
}"""
EXCESS_WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults_of(page: Page, *, widths: tuple[int, ...] = (PHONE, DESKTOP)) -> list[str]:
    """What is wrong with the page in light and dark at each width, each with how it was looked at."""
    page.evaluate(AXE_SCRIPT)
    faults = []
    for width, scheme in product(widths, SCHEMES):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        faults += [f"{page.url} {scheme} {width}: {fault}" for fault in _faults_now(page, width)]
    return faults


def _faults_now(page: Page, width: int) -> Iterator[str]:
    yield from page.evaluate(RUN_AXE)
    excess = page.evaluate(EXCESS_WIDTH)
    if excess > 0:
        yield f"scrolls sideways by {excess} px"
