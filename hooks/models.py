"""Endpoints of organizations, and what is delivered to them."""

import uuid
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hooks.addresses import Unfit
from hooks.sending import ANSWER_LENGTH, NoAnswer
from orgs.models import OfOrganization, Organization
from work.models import PARKED, Waits, Work, WorkQuerySet

# As long as an old secret signs beside the new one.
SECRETS_OVERLAP = timedelta(days=1)
# One that has failed for so long is switched off; as long is one delivery tried.
FAILING_FOR = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
# A dead server costs the workers one try a minute, however many webhooks wait for it, or are written.
HELD_BACK_FOR = timedelta(minutes=1)
PING = "webhook.ping"


class OffBecause(models.TextChoices):
    PERSON = "person", _("Switched off by a person")
    FAILING = "failing", _("Switched off after failing for 3 days")
    GONE = "gone", _("Switched off, since its server answered 410: gone for good")


class EndpointQuerySet(OfOrganization["Endpoint"]):
    def kept(self) -> "EndpointQuerySet":
        return self.filter(removed_at=None)


class Endpoint(models.Model):
    """An address of an organization's that gets webhooks. A removed one stays while its deliveries are kept.

    ``events``: codes of actions. ``secret``, ``old_secret``: sealed, see ``hooks.secret``; the old one signs
    too, until ``old_secret_until``. ``failing_since``: the first of the failures since the last success.
    ``off_because``: empty while it is on. ``version``: goes up with each change that a person makes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(_("events"), default=list)
    secret = models.TextField(editable=False)
    old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    off_because = models.CharField(_("off because"), max_length=10, choices=OffBecause.choices, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[EndpointQuerySet] = EndpointQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(off_because__in=["", *OffBecause.values]), name="endpoint_off_because_known"
            ),
            models.CheckConstraint(
                condition=Q(old_secret="") | Q(old_secret_until__isnull=False),
                name="endpoint_old_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.host

    @property
    def host(self) -> str:
        """What logs and mails say: a path may hold a secret of the receiver's."""
        return urlsplit(self.url).hostname or ""

    @property
    def first_try_at(self) -> Combinable:
        """When a webhook that is written now is tried: where others fail, with those that wait."""
        return Now() if self.failing_since is None else Now() + HELD_BACK_FOR

    @property
    def is_on(self) -> bool:
        return not self.off_because

    def listens_to(self, event: str) -> bool:
        """Whether it gets webhooks about that event now."""
        return self.is_on and event in self.events

    @property
    def sealed_secrets(self) -> list[str]:
        """Those that sign now, the newest first."""
        ends = self.old_secret_until
        old_signs = ends is not None and ends > timezone.now()
        return [self.secret, self.old_secret] if old_signs else [self.secret]


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = PARKED, _("Failed")


class Failure(models.TextChoices):
    """Why a try came to nothing, beside what addresses and servers are to blame for."""

    ANSWERED = "answered", _("It answered with an error.")
    REDIRECTED = "redirected", _("It answered with a redirect, which is not followed.")
    OFF = "off", _("The webhook was off.")


FAILURES = {member.value: member.label for kind in (Failure, NoAnswer, Unfit) for member in kind}


class DeliveryQuerySet(WorkQuerySet["Delivery"]):
    def for_org(self, organization: Organization | uuid.UUID) -> "DeliveryQuerySet":
        return self.filter(endpoint__organization=organization)

    def older_than(self, delivery: "Delivery") -> "DeliveryQuerySet":
        """What comes after that one in a list, newest first."""
        same_time = Q(created_at=delivery.created_at, pk__lt=delivery.pk)
        return self.filter(Q(created_at__lt=delivery.created_at) | same_time)

    def old(self) -> "DeliveryQuerySet":
        """What came to its end so long ago that nobody needs it any more."""
        return self.filter(created_at__lt=Now() - KEPT_FOR).exclude(self.model.unfinished)


class Delivery(Work):
    """One webhook for one endpoint. ``body``: exactly what is sent and signed: codes and ids, no names.

    ``failure``: a code of FAILURES, why the last try failed. ``answer_status``, ``answer``: what the server
    said to the last try, the beginning of it; the status is empty where it said nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(_("event"), max_length=60)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.WAITING)
    failure = models.CharField(max_length=20, blank=True, db_default="")
    answer_status = models.PositiveSmallIntegerField(_("status of the answer"), null=True)
    answer = models.CharField(max_length=ANSWER_LENGTH, blank=True, db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    tried_at = models.DateTimeField(_("last try"), null=True)

    unfinished = Q(state=State.WAITING)
    # Longer than a try can take.
    LEASE = timedelta(seconds=60)
    WAITS = Waits(first=timedelta(seconds=30), longest=timedelta(hours=8))
    # 19 tries take a little longer than FAILING_FOR.
    MAX_ATTEMPTS = 19

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="delivery_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="delivery_unfinished", condition=Q(state=State.WAITING)
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"

    @property
    def message_id(self) -> str:
        """The header ``webhook-id``: the same in each try and replay, so that receivers tell copies."""
        return f"msg_{self.pk.hex}"

    @property
    def is_ping(self) -> bool:
        return self.event == PING

    @property
    def failed_because(self) -> str:
        return str(FAILURES.get(self.failure, ""))
