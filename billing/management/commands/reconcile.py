"""Bring the mirror of Stripe up to date, for one organization or for all."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.gateway import GatewayError
from billing.mirror.reconciliation import reconcile
from orgs.models import Organization


class Command(BaseCommand):
    help = "Compare the mirror with Stripe, heal it, and say how much was missing or wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="the organization; all when left out")

    def handle(self, *_args: Any, slug: str | None = None, **_options: Any) -> None:
        organizations = Organization.objects.filter(billing_account__stripe_customer_id__isnull=False)
        if slug:
            organizations = organizations.filter(slug=slug)
            if not organizations:
                raise CommandError(f"No organization {slug} with a Stripe customer.")
        failed = 0
        for organization in organizations.order_by("slug"):
            try:
                drift = reconcile(organization)
            except GatewayError as error:
                failed += 1
                self.stderr.write(f"{organization.slug}: {error}")
            else:
                self.stdout.write(
                    f"{organization.slug}: {drift.total} wrong (customer {drift.customers}, "
                    f"subscriptions {drift.subscriptions}, invoices {drift.invoices})"
                )
        if failed:
            raise CommandError(f"{failed} organizations could not be reconciled.")
