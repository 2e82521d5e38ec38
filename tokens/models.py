"""Access tokens: of a person in an organization, of the organization itself, or of the product."""

import uuid
from dataclasses import dataclass
from typing import ClassVar, Self, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_display_name
from audit.services import Actor
from orgs.models import Membership, OfOrganization, Organization
from orgs.policy import HOST_GRANTS, Permission, permissions_by_token, permissions_of_organization
from tokens.scopes import FOR_PEOPLE_ONLY, INCLUDED


class TokenKind(models.TextChoices):
    PERSONAL = "personal", _("personal access token")
    ORGANIZATION = "organization", _("access token of the organization")


class Ending(models.TextChoices):
    """Why the portal ended a token, after its person's name and a colon."""

    ROLE = "role", _("their role may have none")
    MEMBERSHIP = "membership", _("they no longer belong to the organization")
    CLOSED = "closed", _("the organization was closed")
    PASSWORD = "password", _("their password was changed")


class CountedUse(models.Model):
    """What programs use the API by, whose requests are counted: see ``tokens.limits``.

    ``last_used_at``: to the minute. ``counted``: requests that were taken from the limit in
    ``counted_minute``.
    """

    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    counted_minute = models.DateTimeField(null=True, editable=False)
    counted = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True


class Token(CountedUse):
    """What a program shows to act. A token that is revoked is deleted; the audit log remembers it.

    ``digest``: of the secret; ``start``: the part of that which is shown. ``scopes``: codes of permissions.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=80, validators=[validate_display_name])
    digest = models.CharField(max_length=64, unique=True, editable=False)
    start = models.CharField(_("begins with"), max_length=8, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))

    objects: ClassVar[models.Manager[Self]]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def permitted(self) -> frozenset[Permission]:
        """The scopes that the policy still knows, and what is included in them."""
        chosen = frozenset(Permission(code) for code in self.scopes if code in Permission)
        return chosen | {INCLUDED[scope] for scope in chosen & INCLUDED.keys()}


class AccessTokenQuerySet(OfOrganization["AccessToken"]):
    def live(self) -> "AccessTokenQuerySet":
        """Those that still open something: a person whose account was shut acts by none."""
        usable = Q(membership=None) | Q(membership__user__is_active=True)
        return self.filter(usable, expires_at__gt=timezone.now())

    def of_kind(self, membership: Membership | None) -> "AccessTokenQuerySet":
        """Those of that person; None: those of the organization."""
        return self.filter(membership=membership)


class AccessToken(Token):
    """A token in one organization.

    ``membership``: of a personal token, whose. It ends with it, and with the person's password.
    ``maker_name``: who made it.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="access_tokens")
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, null=True, blank=True, related_name="access_tokens"
    )
    maker_name = models.CharField(_("made by"), max_length=254)

    objects: ClassVar[AccessTokenQuerySet] = AccessTokenQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="accesstoken_org_created"),
            models.Index(fields=["expires_at"], name="accesstoken_expires"),
            models.Index(fields=["start"], name="accesstoken_start"),
        ]

    @property
    def kind(self) -> TokenKind:
        return TokenKind.ORGANIZATION if self.membership_id is None else TokenKind.PERSONAL

    def restrict(self, granted: frozenset[Permission]) -> frozenset[Permission]:
        """What its person may do by it; ``granted``: what they may do themselves."""
        return permissions_by_token(granted, self.permitted)

    @property
    def principal(self) -> "Membership | AccessToken":
        """Who acts by it: its person, or the token itself where it is the organization's."""
        membership = self.membership
        if membership is None:
            return self
        membership.organization, membership.token = self.organization, self
        return membership

    @property
    def permissions(self) -> frozenset[Permission]:
        """Of the token itself: by a personal one its person acts."""
        if self.kind is TokenKind.PERSONAL:
            return frozenset()
        granted = permissions_of_organization(closing=self.organization.is_closing)
        return self.permitted & (granted - FOR_PEOPLE_ONLY)

    @property
    def actor(self) -> Actor:
        return Actor.of_token(self)

    def read_anew(self, organization: Organization) -> Self:
        """As it is now. Raises AccessToken.DoesNotExist when it has ended."""
        found = cast("Self", AccessToken.objects.live().get(pk=self.pk))
        found.organization = organization
        return found


class ServiceTokenQuerySet(models.QuerySet["ServiceToken"]):
    def live(self) -> "ServiceTokenQuerySet":
        return self.filter(expires_at__gt=timezone.now())


class ServiceToken(Token):
    """By which the product beside the portal acts, in every organization: see ``docs/api.md``."""

    objects: ClassVar[ServiceTokenQuerySet] = ServiceTokenQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("service token")
        verbose_name_plural = _("service tokens")
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["name"], name="servicetoken_name")]

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.permitted & HOST_GRANTS

    @property
    def actor(self) -> Actor:
        return Actor.host(settings.PRODUCT_NAME, self)

    def within(self, organization: Organization) -> "Host":
        return Host(self, organization)


@dataclass(frozen=True)
class Host:
    """The product beside the portal, as it acts in one organization: a principal."""

    token: ServiceToken
    organization: Organization

    @property
    def pk(self) -> uuid.UUID:
        return self.token.pk

    @property
    def organization_id(self) -> uuid.UUID:
        return self.organization.pk

    @property
    def permissions(self) -> frozenset[Permission]:
        """None where the organization closes: what it leaves is for its people."""
        return frozenset() if self.organization.is_closing else self.token.permissions

    @property
    def actor(self) -> Actor:
        return self.token.actor

    def read_anew(self, organization: Organization) -> "Host":
        """As it is now. Raises ServiceToken.DoesNotExist when its token has ended."""
        return Host(ServiceToken.objects.live().get(pk=self.token.pk), organization)
