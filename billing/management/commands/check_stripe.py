"""Ask Stripe's account what this deployment rests on. Changes nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.account_check import findings
from billing.gateway import GatewayError


class Command(BaseCommand):
    help = "Say what Stripe's account lacks: scopes of the key, the webhook endpoint and its events, prices."

    def handle(self, *_args: Any, **_options: Any) -> None:
        missing = 0
        try:
            for finding in findings():
                missing += finding.missing
                self.stdout.write(f"{'missing' if finding.missing else 'ok':8}{finding.text}")
        except GatewayError as error:
            raise CommandError(f"Stripe did not answer: {error}") from error
        if missing:
            raise CommandError(f"Stripe's account lacks {missing} of what the portal needs.")
