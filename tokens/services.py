"""The verbs of access tokens, one transaction each. A verb comes in by ``acting``."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import display_name
from audit.services import Actor
from orgs.acting import Act, MembersAct, acting, acting_as
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, may
from outbox.registry import MailKind
from tokens import actions
from tokens.mails import TOKEN_EXPIRES_MAIL, TOKEN_MADE_MAIL, TOKEN_REVOKED_MAIL
from tokens.models import AccessToken, Ending
from tokens.scopes import scopes_for
from tokens.secret import OF_ORGANIZATION, OF_PERSON, SHOWN, digest_of, new_secret

LONGEST_LIFE = timedelta(days=366)
# Of one person, and of the organization itself.
MOST_TOKENS = 20
WARNED_AHEAD = timedelta(days=7)
EXPIRED_KEPT_FOR = timedelta(days=30)


def make_token(
    *,
    actor: Membership,
    key: uuid.UUID,
    name: str,
    scopes: Collection[Permission],
    expires_at: datetime,
    of_organization: bool,
) -> tuple[AccessToken, str]:
    """Make a token of the actor's own, or of the organization. Answers it with its secret, which nobody can
    learn again.

    ``key``: with the same key and person no second one is made. Raises Refused, and Denied for a scope that
    the actor can't give.
    """
    needed = Permission.ACCESS_TOKENS_MANAGE if of_organization else Permission.ACCESS_TOKENS_OWN
    with acting(actor, needed) as act:
        membership = None if of_organization else act.membership
        pk = uuid.uuid5(key, f"{act.membership.user_id} {act.organization.pk}")
        _ensure_can_be_made(act, pk, membership, scopes, expires_at)
        secret = new_secret(OF_ORGANIZATION if of_organization else OF_PERSON)
        token = AccessToken.objects.create(
            pk=pk,
            organization=act.organization,
            membership=membership,
            name=name,
            digest=digest_of(secret),
            start=secret[:SHOWN],
            scopes=[scope.value for scope in scopes],
            maker_name=display_name(act.membership.user),
            expires_at=expires_at,
        )
        act.record(
            actions.MADE,
            target=(token.pk, token.name),
            kind=token.kind.value,
            scopes=" ".join(token.scopes),
            expires=expires_at.date().isoformat(),
        )
        _mail(act, TOKEN_MADE_MAIL, token)
        return token, secret


def _ensure_can_be_made(
    act: MembersAct,
    pk: uuid.UUID,
    membership: Membership | None,
    scopes: Collection[Permission],
    expires_at: datetime,
) -> None:
    offered = scopes_for(act.membership, of_organization=membership is None)
    for scope in scopes:
        if scope not in offered:
            raise Denied(scope)
    tokens = AccessToken.objects.for_org(act.organization)
    if tokens.filter(pk=pk).exists():
        raise Refused(
            _(
                "This token was made already, and is shown only once. "
                "If you lost it, revoke it and make another."
            )
        )
    if not timezone.now() < expires_at <= timezone.now() + LONGEST_LIFE:
        raise Refused(_("Choose a day within the next year."))
    if tokens.of_kind(membership).live().count() >= MOST_TOKENS:
        raise Refused(
            _("There are %(limit)s tokens already, which is the limit. Revoke one that is not used any more.")
            % {"limit": MOST_TOKENS}
        )


def revoke_token(*, actor: Membership, token_id: uuid.UUID) -> None:
    """End a token at once: one's own, or any for those who manage all.

    Raises Denied, AccessToken.DoesNotExist and Membership.DoesNotExist.
    """
    with acting(actor, Permission.ACCESS_TOKENS_OWN) as act:
        tokens = AccessToken.objects.for_org(act.organization).select_related("membership__user")
        token = tokens.select_for_update(of=("self",)).get(pk=token_id)
        own = token.membership_id == act.membership.pk
        if not own:
            act.ensure(Permission.ACCESS_TOKENS_MANAGE)
        act.record(
            actions.REVOKED,
            target=(token.pk, token.name),
            kind=token.kind.value,
            owner=token.maker_name,
        )
        if token.membership is not None and not own:
            _mail(act, TOKEN_REVOKED_MAIL, token)
        token.delete()


def end_tokens_without_right(membership: Membership) -> None:
    """End the personal tokens of a person whose role may have none. Call it with the organization locked."""
    if not may(membership, Permission.ACCESS_TOKENS_OWN):
        end_tokens(membership, Ending.ROLE)


def end_tokens(membership: Membership, reason: Ending) -> None:
    """End a person's personal tokens, in the portal's name. Call it with the organization locked."""
    _end(membership.organization, membership, reason)


def end_tokens_of_closed(organization: Organization) -> None:
    """End those of the organization itself. Call it with the organization locked."""
    _end(organization, None, Ending.CLOSED)


def _end(organization: Organization, membership: Membership | None, reason: Ending) -> None:
    portal = Act(organization, Actor.system())
    for token in AccessToken.objects.for_org(organization).of_kind(membership):
        portal.record(
            actions.ENDED, target=(token.pk, token.name), owner=token.maker_name, reason=reason.value
        )
        token.delete()


def warn_of_expiring_tokens() -> None:
    """A mail once, a week ahead, about each token that was made to last for longer than two."""
    now = timezone.now()
    expiring = AccessToken.objects.live().filter(expires_at__lte=now + WARNED_AHEAD)
    for found in expiring:
        if found.expires_at - found.created_at > 2 * WARNED_AHEAD:
            with acting_as(Actor.system(), found.organization_id) as act:
                token = (
                    expiring.select_related("organization", "membership__user").filter(pk=found.pk).first()
                )
                if token is not None:
                    _mail(act, TOKEN_EXPIRES_MAIL, token)


def delete_old_tokens() -> None:
    """Those that expired a while ago: until then their people see why a program has stopped."""
    AccessToken.objects.filter(expires_at__lt=timezone.now() - EXPIRED_KEPT_FOR).delete()


def _mail(act: Act, kind: MailKind, token: AccessToken) -> None:
    """Tell the people of a token: its person, or all admins. Each kind of mail once for a token."""
    people: Iterable[Membership] = (
        [token.membership] if token.membership is not None else _admins(token.organization)
    )
    act.mail_each(
        kind,
        to={f"{kind.code}:{token.pk}:{person.user_id}": person.user.email for person in people},
        token_id=str(token.pk),
        token=token.name,
        token_kind=token.kind.value,
        expires=token.expires_at.isoformat(),
    )


def _admins(organization: Organization) -> Iterable[Membership]:
    return Membership.objects.for_org(organization).admins().select_related("user")
