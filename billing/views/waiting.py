"""What a person reads whose act Stripe has not answered, or that the portal's key may not do."""

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

GOES_ON = _(
    "Stripe does not answer right now. The portal goes on trying, and this page shows when it is done."
)
FORBIDDEN = format_lazy(
    _(
        "The portal lacks a permission at Stripe, and only support can add it: write to {address}. "
        "Nothing was changed."
    ),
    address=settings.SUPPORT_EMAIL,
)
