"""OAuth 2.0 as this portal speaks it: oauthlib's endpoints over django-allauth's rows, cut to what we offer.

Codes with PKCE, refresh tokens that rotate, devices (RFC 6749, 7636, 8628, 7009). Each answer that goes back
through a browser names us (RFC 9207), so that a program of many servers takes none for another's. By itself
django-allauth's provider keeps codes readable in the cache, lets two requests at once use up one code, ends
tokens of other clients, takes ``plain`` challenges and addresses with more in their query, and knows no
organizations.
"""

# ruff: noqa: ARG002 - the validator has the arguments that oauthlib gives it

from datetime import timedelta
from typing import Any

from allauth.idp.oidc.internal.oauthlib.request_validator import OAuthLibRequestValidator
from allauth.idp.oidc.models import Client, Token
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from oauthlib.common import Request, add_params_to_uri
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError, OAuth2Error
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant, RefreshTokenGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.oauth2.rfc8628.endpoints import DeviceAuthorizationEndpoint
from oauthlib.oauth2.rfc8628.grant_types import DeviceCodeGrant

from programs.credentials import (
    ACCESS_LIFE,
    SCOPE,
    end_family_of,
    kept_with,
    locked_credential,
    new_family,
    save_credential,
)
from programs.devices import new_user_code
from programs.models import DEVICE_LIFE, POLL_INTERVAL, SLOWER_BY, Connection, DeviceRequest
from programs.selectors import usable_connection
from tokens.secret import OF_PROGRAM, OF_PROGRAM_REFRESH, digest_of, new_secret

# How a code goes back to the program: OAuth 2.0 Multiple Response Type Encoding Practices, 2.1.
RESPONSE_MODES = ("query", "fragment")


def address_of(request: HttpRequest) -> str:
    """With its query written anew: oauthlib raises a ValueError for one that is not well formed."""
    query = request.GET.urlencode()
    return request.build_absolute_uri(request.path + (f"?{query}" if query else ""))


def address_with(error: OAuth2Error, redirect_uri: str) -> str:
    """The program's address, to which its person goes back with an error: RFC 6749, 4.1.2.1."""
    address: str = add_params_to_uri(
        error.in_uri(redirect_uri), [("iss", settings.SITE_URL)], error.response_mode == "fragment"
    )
    return address


class Validator(OAuthLibRequestValidator):
    """What oauthlib asks about one request. Call it in a transaction: it locks what it uses up.

    ``connection``: on which the answer stands; ``code`` or ``refresh_token``: what was shown for it.
    """

    connection: Connection | None = None
    family: str = ""
    code: Token
    refresh_token: Token | None = None

    def _lookup_client(self, request: Request, client_id: str) -> Client | None:
        """Postgres stores no NUL, so no client has one in its id."""
        if client_id and "\0" in client_id:
            return None
        found: Client | None = super()._lookup_client(request, client_id)
        return found

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Letter by letter, as RFC 9700, 2.1, wants it."""
        return redirect_uri in request.client.get_redirect_uris()

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return True

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kwargs: Any
    ) -> None:
        save_credential(
            Token.Type.AUTHORIZATION_CODE,
            code["code"],
            connection=request.connection,
            family=new_family(),
            redirect_uri=request.redirect_uri,
            challenge=request.code_challenge,
        )

    def validate_code(
        self, client_id: str, code: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        found = locked_credential(client, Token.Type.AUTHORIZATION_CODE, code)
        if found is None or not self._stand_on(found, request):
            return False
        self.code = found
        return True

    def get_code_challenge(self, code: str, request: Request) -> str:
        return str(kept_with(self.code)["challenge"])

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Client, request: Request, *args: Any
    ) -> bool:
        if redirect_uri != kept_with(self.code)["redirect_uri"]:
            # As RFC 6749, 5.2, says it; oauthlib answers invalid_request.
            raise InvalidGrantError(request=request)
        return True

    def invalidate_authorization_code(self, *args: Any, **kwargs: Any) -> None:
        self.code.delete()

    def validate_refresh_token(
        self, refresh_token: str, client: Client, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        found = locked_credential(client, Token.Type.REFRESH_TOKEN, refresh_token)
        if found is None or not self._stand_on(found, request):
            return False
        self.refresh_token = found
        return True

    def get_original_scopes(self, *args: Any, **kwargs: Any) -> list[str]:
        return [SCOPE]

    def validate_device_code(self, client_id: str, device_code: str, request: Request) -> str | None:
        """The state of a sign-in on a device, which ends once the device has its tokens: RFC 8628, 3.5."""
        devices = DeviceRequest.objects.select_for_update(of=("self",)).filter(client=client_id)
        device = devices.filter(digest=digest_of(device_code)).first()
        if device is None:
            return None
        state = _polled(device)
        if state != DeviceCodeGrant.DEVICE_CODE_AUTHORIZED:
            return state
        self.connection, self.family = usable_connection(str(device.connection_id)), new_family()
        if self.connection is None:
            return str(DeviceCodeGrant.DEVICE_CODE_DENIED)
        request.user, request.scopes = self.connection.membership.user, [SCOPE]
        device.delete()
        return state

    def save_bearer_token(self, token: dict[str, str], request: Request, *args: Any, **kwargs: Any) -> None:
        assert self.connection is not None  # noqa: S101 - every grant that we offer has found one
        if self.refresh_token is not None:
            self.refresh_token.delete()
        for kind, name in (
            (Token.Type.ACCESS_TOKEN, "access_token"),
            (Token.Type.REFRESH_TOKEN, "refresh_token"),
        ):
            save_credential(kind, token[name], connection=self.connection, family=self.family)

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        end_family_of(request.client, token)

    def _stand_on(self, credential: Token, request: Request) -> bool:
        self.connection = usable_connection(kept_with(credential)["connection"])
        self.family = kept_with(credential)["family"]
        if self.connection is None:
            return False
        request.user, request.scopes = self.connection.membership.user, credential.get_scopes()
        return True


def _polled(device: DeviceRequest) -> str:
    """Note that the device asked, and answer the state. One that asks too soon has to ask more rarely."""
    now = timezone.now()
    soonest = device.polled_at and device.polled_at + timedelta(seconds=device.interval)
    device.polled_at = now
    state = _state(device)
    if soonest and now < soonest:
        device.interval += SLOWER_BY
        state = DeviceCodeGrant.DEVICE_CODE_SLOW_DOWN
    device.save(update_fields=["polled_at", "interval"])
    return str(state)


def _state(device: DeviceRequest) -> str:
    if device.denied:
        return str(DeviceCodeGrant.DEVICE_CODE_DENIED)
    if device.expires_at <= timezone.now():
        return str(DeviceCodeGrant.DEVICE_CODE_EXPIRED)
    if device.connection_id is None:
        return str(DeviceCodeGrant.DEVICE_CODE_PENDING)
    return str(DeviceCodeGrant.DEVICE_CODE_AUTHORIZED)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # the library has no types
    # ``plain`` would show the verifier to those who see the request (RFC 9700, 2.1.1).
    _code_challenge_methods = {"S256": AuthorizationCodeGrant._code_challenge_methods["S256"]}  # noqa: SLF001

    def __init__(self, validator: Validator) -> None:
        super().__init__(validator)
        self.register_code_modifier(lambda told, *_rest: {**told, "iss": settings.SITE_URL})

    def validate_authorization_request(self, request: Request) -> tuple[list[str], dict[str, Any]]:
        """oauthlib answers a ``response_mode`` that it doesn't know in another one than was asked for."""
        asked: tuple[list[str], dict[str, Any]] = super().validate_authorization_request(request)
        if request.response_mode not in {None, *RESPONSE_MODES}:
            raise InvalidRequestError("Unknown response_mode.", request=request)
        return asked


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):  # type: ignore[misc]  # as above
    """The grants that we offer, and no other: there is nothing to switch off."""

    def __init__(self) -> None:
        validator = Validator()
        bearer = BearerToken(
            validator,
            token_generator=lambda _request: new_secret(OF_PROGRAM),
            expires_in=int(ACCESS_LIFE.total_seconds()),
            refresh_token_generator=lambda _request: new_secret(OF_PROGRAM_REFRESH),
        )
        code_grant = CodeGrant(validator)
        AuthorizationEndpoint.__init__(
            self, default_response_type="code", response_types={"code": code_grant}, default_token_type=bearer
        )
        RevocationEndpoint.__init__(self, validator)
        TokenEndpoint.__init__(
            self,
            default_grant_type="authorization_code",
            grant_types={
                "authorization_code": code_grant,
                "refresh_token": RefreshTokenGrant(validator),
                Client.GrantType.DEVICE_CODE.value: DeviceCodeGrant(validator),
            },
            default_token_type=bearer,
        )


def device_server() -> DeviceAuthorizationEndpoint:
    """Begins sign-ins of devices. Their address has no code in it: the person types it (RFC 8628, 5.4)."""
    return DeviceAuthorizationEndpoint(
        Validator(),
        verification_uri=settings.SITE_URL + reverse("device"),
        interval=POLL_INTERVAL,
        expires_in=int(DEVICE_LIFE.total_seconds()),
        user_code_generator=new_user_code,
    )
