"""The portal behind an HTTP server of this process, with static files as a deployment serves them."""

import re
import threading
from dataclasses import dataclass

from django.core import mail
from django.core.handlers.wsgi import WSGIHandler
from django.core.mail import EmailMessage
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from billing.tasks import sweep
from outbox.delivery import deliver_due
from tests.billing.world import StripeWorld


class Server:
    """Answers on a free port until ``stop``. Another host than Stripe's, so that their cookies stay apart."""

    def __init__(self) -> None:
        self._server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
        self._server.set_app(WSGIHandler())
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(frozen=True)
class Portal:
    """A running portal, its Stripe, and its workers: they work when a test says so."""

    url: str
    stripe: StripeWorld

    def let_workers_work(self) -> None:
        """Bring Stripe's events in, work off what is due, and send the mails."""
        assert self.stripe.control.wait_for_webhooks(10)
        sweep()
        deliver_due()

    def mail_to(self, address: str) -> EmailMessage:
        """The newest mail to an address."""
        self.let_workers_work()
        return next(message for message in reversed(mail.outbox) if address in message.to)

    def link_mailed_to(self, address: str) -> str:
        """The address that the newest mail asks its reader to open."""
        found = re.search(rf"{re.escape(self.url)}\S+", str(self.mail_to(address).body))
        assert found, "the mail holds no link"
        return found[0]
