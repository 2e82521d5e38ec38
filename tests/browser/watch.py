"""What no page may do, whatever a test is about."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Against the policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# Pages that refuse answer with such a status; their parts must not, see `_answered`.
STATUS = "Failed to load resource: the server responded with a status of"
PAGES = {"document", "xhr", "fetch"}


class Watch:
    """Notes breaches of the content security policy, script errors, missing parts and foreign requests."""

    def __init__(self, *own_sites: str) -> None:
        self.own_hosts = {urlsplit(site).netloc for site in own_sites}
        self.faults: list[str] = []
        self.expected: tuple[str, ...] = ()

    def expect_logs(self, *beginnings: str) -> None:
        """What this test makes pages log: no fault."""
        self.expected = beginnings

    def follow(self, context: BrowserContext) -> None:
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", self._asked)
        context.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith((STATUS, *self.expected)):
            page = message.page.url if message.page else "a page"
            self.faults.append(f"{page} logs: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.faults.append(f"A script fails: {error.error}")

    def _asked(self, request: Request) -> None:
        target = urlsplit(request.url)
        if target.scheme in {"http", "https", "ws", "wss"} and target.netloc not in self.own_hosts:
            self.faults.append(f"A page asks another host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type not in PAGES:
            self.faults.append(f"A part of a page is missing: {response.url}")
