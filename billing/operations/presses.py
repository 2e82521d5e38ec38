"""A press for which Stripe is asked while the person waits: what they read where it can't be."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing import gateway
from orgs.errors import Refused


@contextmanager
def asking_stripe(*, nothing: Promise) -> Iterator[None]:
    """Raises Refused where Stripe can't be asked now, doesn't answer, or its key may not do what is asked.

    ``nothing``: the sentence that says what has not happened. It must be true wherever the block ends so.
    """
    try:
        with gateway.person_waits():
            yield
    except gateway.GatewayBusy:
        raise Refused(
            _("Other people wait for Stripe right now. %(nothing)s Try again in a moment.")
            % {"nothing": nothing}
        ) from None
    except gateway.GatewayUnavailable:
        raise Refused(
            _("Stripe does not answer right now. %(nothing)s Try again in a minute.") % {"nothing": nothing}
        ) from None
    except gateway.GatewayForbidden:
        raise Refused(
            _(
                "The portal lacks a permission at Stripe, and only support can add it: write to %(address)s. "
                "%(nothing)s"
            )
            % {"address": settings.SUPPORT_EMAIL, "nothing": nothing}
        ) from None
