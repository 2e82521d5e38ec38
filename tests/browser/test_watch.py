"""The tests' own eyes: were they blind, no test of a page could fail."""

import pytest
from playwright.sync_api import Browser

from tests.browser.inspection import PHONE, faults_of
from tests.browser.portal import Portal
from tests.browser.watch import Watch

BREAK_RULES = """() => {
  const box = document.createElement("div");
  box.setAttribute("style", "color: red");
  const foreign = new Image();
  foreign.src = "https://foreign.test/pixel.png";
  const missing = new Image();
  missing.src = "/static/missing.png";
  document.body.append(box, foreign, missing);
  setTimeout(() => { throw new Error("broken on purpose"); });
  return new Promise((resolve) => { missing.onerror = resolve; });
}"""
BE_INACCESSIBLE = """() => {
  document.body.append(Object.assign(document.createElement("input"), { type: "text" }));
  const wide = document.createElement("div");
  wide.textContent = "wide";
  wide.style.inlineSize = "1000px";
  document.body.append(wide);
}"""


def test_the_watch_notices_every_kind_of_breach(chromium: Browser, portal: Portal) -> None:
    watch = Watch(portal.url)
    context = chromium.new_context(base_url=portal.url)
    watch.follow(context)
    page = context.new_page()
    page.goto("/accounts/login/")
    assert watch.faults == []
    page.evaluate(BREAK_RULES)
    context.close()
    noticed = "\n".join(watch.faults)
    for breach in (
        "Against the policy: style-src-attr",
        "Against the policy: img-src",
        "asks another host: https://foreign.test/pixel.png",
        "part of a page is missing",
        "broken on purpose",
    ):
        assert breach in noticed


def test_the_watch_needs_no_script_of_the_page(chromium: Browser, portal: Portal) -> None:
    watch = Watch(portal.url)
    context = chromium.new_context(base_url=portal.url, java_script_enabled=False)
    watch.follow(context)
    page = context.new_page()
    page.route(
        "**/accounts/login/",
        lambda route: route.fulfill(response=route.fetch(), body="<p style='color: red'>"),
    )
    page.goto("/accounts/login/")
    context.close()
    assert any("Content Security Policy" in fault for fault in watch.faults)


@pytest.mark.slow
def test_the_inspection_finds_faults(chromium: Browser, portal: Portal) -> None:
    page = chromium.new_context(base_url=portal.url).new_page()
    page.goto("/accounts/login/")
    page.evaluate(BE_INACCESSIBLE)
    faults = "\n".join(faults_of(page, widths=(PHONE,)))
    page.context.close()
    assert "label: " in faults
    assert "scrolls sideways" in faults
