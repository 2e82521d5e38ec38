"""Makes the peer's tables, and what dj-stripe knows of an account before the first webhook comes."""

import os

import django
from django.core.management import call_command

django.setup()

# Models can be imported only now.
from djstripe.models import Account, APIKey, WebhookEndpoint  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
account = Account.objects.create(id="acct_bench", livemode=False)
APIKey.objects.create(
    secret=os.environ["STRIPE_SECRET_KEY"], type="secret", livemode=False, djstripe_owner_account=account
)
WebhookEndpoint.objects.create(
    id="we_bench",
    livemode=False,
    enabled_events=["*"],
    status="enabled",
    secret=os.environ["STRIPE_WEBHOOK_SECRET"],
    url="http://127.0.0.1/stripe/webhook/",
    djstripe_uuid=os.environ["ENDPOINT"],
    djstripe_owner_account=account,
)
