"""A finance tool, and the browser of who lets it read billing: the way there and back, past the CSP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from orgs.policy import Role
from tests.browser.conftest import NewPage
from tests.browser.person import Person
from tests.browser.portal import Portal
from tests.browser.watch import Watch
from tests.factories import MembershipFactory
from tests.programs.factories import ProgramFactory
from tests.programs.tool import Tool, program, told


class Back(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><html lang='en'><title>Tool</title><h1>Back at the tool</h1>")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def tool_server(watch: Watch) -> Iterator[str]:
    """The tool's own address, on another host than the portal's: a browser may go there by *Allow*."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Back)
    watch.own_hosts.add(f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/back"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_person_comes_back_to_the_tool(portal: Portal, new_page: NewPage, tool_server: str) -> None:
    manager = MembershipFactory(role=Role.BILLING_MANAGER, organization__name="Acme Robotics")
    tool = Tool(ProgramFactory(redirect_uris=tool_server))
    page = new_page()
    ada = Person(page, portal)
    page.goto(tool.address(redirect_uri=tool_server))
    ada.fill_in_sign_in(manager.user.email)
    expect(ada.heading).to_have_text("Let Ledger Tool read billing?")
    expect(page.get_by_label("Acme Robotics")).to_be_checked()
    ada.press("Allow program")
    expect(ada.heading).to_have_text("Back at the tool")
    code = page.evaluate("new URLSearchParams(location.search).get('code')")
    tokens = told(tool.redeem(code, redirect_uri=tool_server))
    told(program(tokens, manager).get("billing"))
    page.goto("/accounts/programs/")
    expect(ada.row("Ledger Tool")).to_contain_text("Acme Robotics")
