"""What people let programs do, and the sign-ins of devices that wait for an answer.

The programs themselves, and their codes and tokens, are django-allauth's rows (``allauth.idp.oidc.models``).
A code or token is worth nothing without the connection that it names.
"""

import uuid
from datetime import timedelta
from typing import ClassVar, Self

from allauth.idp.oidc.models import Client
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orgs.models import Membership, OfOrganization, Organization
from orgs.policy import Permission, permissions_by_program
from tokens.models import CountedUse

# How long a person has to type the code that a device shows.
DEVICE_LIFE = timedelta(minutes=10)
# How long a device waits before it asks again, in seconds: RFC 8628, 3.2 and 3.5.
POLL_INTERVAL = SLOWER_BY = 5


class Ending(models.TextChoices):
    """Why the portal ended a connection, after the program, its person's name and a colon."""

    RIGHT = "right", _("they may no longer see billing")
    PASSWORD = "password", _("their password was changed")
    UNUSED = "unused", _("it signed out, or was not used for 90 days")
    PROGRAM = "program", _("the program was removed from the portal")


class ConnectionQuerySet(OfOrganization["Connection"]):
    def for_org(self, organization: Organization | uuid.UUID) -> Self:
        return self.filter(membership__organization=organization)

    def of_person(self, user_id: uuid.UUID) -> "ConnectionQuerySet":
        return self.filter(membership__user=user_id).with_people()

    def with_people(self) -> "ConnectionQuerySet":
        """Each with its program, its organization and its person."""
        return self.select_related("client", "membership__organization", "membership__user")


class Connection(CountedUse):
    """A person lets a program read the billing of one organization, until they or an admin disconnect it.

    It ends with the membership, with the role that may see billing, and with the person's password.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(
        Client, on_delete=models.CASCADE, related_name="connections", verbose_name=_("program")
    )
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="connections")
    allowed_at = models.DateTimeField(_("allowed"), default=timezone.now, editable=False)

    objects: ClassVar[ConnectionQuerySet] = ConnectionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("connected program")
        verbose_name_plural = _("connected programs")
        ordering = ["-allowed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "membership"], name="connection_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.membership}"

    @property
    def name(self) -> str:
        return self.client.name

    @property
    def organization(self) -> Organization:
        return self.membership.organization

    @property
    def principal(self) -> Membership:
        """Who acts by it: the person, with no more than the program may."""
        self.membership.token = self
        return self.membership

    def restrict(self, granted: frozenset[Permission]) -> frozenset[Permission]:
        return permissions_by_program(granted)

    def read_anew(self, organization: Organization) -> "Connection":
        """As it is now. Raises Connection.DoesNotExist when it has ended."""
        return Connection.objects.for_org(organization).get(pk=self.pk)


class DeviceRequestQuerySet(models.QuerySet["DeviceRequest"]):
    def waiting(self) -> "DeviceRequestQuerySet":
        """Those that a person can still answer."""
        return self.filter(connection=None, denied=False, expires_at__gt=timezone.now())

    def old(self) -> "DeviceRequestQuerySet":
        """Those whose device has had time to learn that it was too late."""
        return self.filter(expires_at__lt=timezone.now() - DEVICE_LIFE)


class DeviceRequest(models.Model):
    """A program without a browser, such as a command line, waits until a person types its code: RFC 8628.

    ``digest``: of the code that the device holds; ``user_code_digest``: of the one that the person types.
    ``connection``: what the person allowed. ``interval``: how many seconds apart the device may ask.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="device_requests")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    user_code_digest = models.CharField(max_length=64, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, editable=False)
    denied = models.BooleanField(default=False, editable=False)
    interval = models.PositiveSmallIntegerField(default=POLL_INTERVAL, editable=False)
    polled_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"))

    objects: ClassVar[DeviceRequestQuerySet] = DeviceRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("waiting device")
        verbose_name_plural = _("waiting devices")
        ordering = ["-expires_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(connection=None) | Q(denied=False), name="devicerequest_one_answer"
            )
        ]

    def __str__(self) -> str:
        return self.client.name

    @property
    def is_waiting(self) -> bool:
        return self.connection_id is None and not self.denied and self.expires_at > timezone.now()
