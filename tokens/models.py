"""Access tokens: of a person in an organization, or of the organization itself."""

import uuid
from typing import ClassVar, Self, cast

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_display_name
from audit.services import Actor
from orgs.models import Membership, OfOrganization, Organization
from orgs.policy import GRANTS, Permission, Role
from tokens.scopes import FOR_PEOPLE_ONLY, INCLUDED


class TokenKind(models.TextChoices):
    PERSONAL = "personal", _("personal access token")
    ORGANIZATION = "organization", _("access token of the organization")


class AccessTokenQuerySet(OfOrganization["AccessToken"]):
    def live(self) -> "AccessTokenQuerySet":
        """Those that still open something: a person whose account was shut acts by none."""
        usable = Q(membership=None) | Q(membership__user__is_active=True)
        return self.filter(usable, expires_at__gt=timezone.now())

    def of_kind(self, membership: Membership | None) -> "AccessTokenQuerySet":
        """Those of that person; None: those of the organization."""
        return self.filter(membership=membership)


class AccessToken(models.Model):
    """What a program shows to act. A token that is revoked is deleted; the audit log remembers it.

    ``membership``: of a personal token, whose. It ends with it. ``digest``: of the secret; ``start``: the
    part of that which is shown. ``scopes``: codes of permissions. ``maker_name``: who made it.
    ``last_used_at``: to the minute. ``counted``: requests that were taken from the limit in
    ``counted_minute``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="access_tokens")
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, null=True, blank=True, related_name="access_tokens"
    )
    name = models.CharField(_("name"), max_length=80, validators=[validate_display_name])
    digest = models.CharField(max_length=64, unique=True, editable=False)
    start = models.CharField(_("begins with"), max_length=8, editable=False)
    scopes = models.JSONField(default=list)
    maker_name = models.CharField(_("made by"), max_length=254)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    counted_minute = models.DateTimeField(null=True, editable=False)
    counted = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[AccessTokenQuerySet] = AccessTokenQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="accesstoken_org_created"),
            models.Index(fields=["expires_at"], name="accesstoken_expires"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> TokenKind:
        return TokenKind.ORGANIZATION if self.membership_id is None else TokenKind.PERSONAL

    @property
    def permitted(self) -> frozenset[Permission]:
        """The scopes that the policy still knows, and what is included in them."""
        chosen = frozenset(Permission(code) for code in self.scopes if code in Permission)
        return chosen | {INCLUDED[scope] for scope in chosen & INCLUDED.keys()}

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
        if self.kind is TokenKind.PERSONAL or self.organization.is_closing:
            return frozenset()
        return self.permitted & (GRANTS[Role.ADMIN] - FOR_PEOPLE_ONLY)

    @property
    def actor(self) -> Actor:
        return Actor.of_token(self)

    def read_anew(self, organization: Organization) -> Self:
        """As it is now. Raises AccessToken.DoesNotExist when it has ended."""
        found = cast("Self", AccessToken.objects.live().get(pk=self.pk))
        found.organization = organization
        return found
