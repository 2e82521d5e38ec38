"""People: everybody who has an account."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.time_zones import zone_of
from accounts.validators import validate_display_name
from outbox.readers import Reader


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())

    def locked(self, user_id: uuid.UUID) -> "User":
        """Lock the person, after the organizations, to delete the account. A membership that is given
        meanwhile waits for that at its commit, and then the database refuses it.
        """
        return self.select_for_update().get(pk=user_id)

    def kept(self, user_id: uuid.UUID) -> "User":
        """Keep the account from being deleted until the transaction ends; locked as late as above.

        Raises User.DoesNotExist.
        """
        return self.select_for_update(no_key=True).get(pk=user_id)

    def reader_of(self, address: str) -> Reader | None:
        """How the person with that mail address reads; None: nobody has it."""
        own = self.filter(email=address.lower()).first()
        person = own or self.filter(emailaddress__email=address.lower()).first()
        return person.reader if person else None


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The mail address, in lower case, is the sign-in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(
        _("email address"),
        max_length=254,
        unique=True,
        error_messages={"unique": _("This email address is taken.")},
    )
    name = models.CharField(_("name"), max_length=80, validators=[validate_display_name])
    # A code of settings.LANGUAGES; blank: the browser's on pages, the site's in mails.
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    # A name of IANA's.
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    is_staff = models.BooleanField(_("support staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]
        # For support staff, who search by any part.
        indexes = [
            GinIndex(OpClass(Upper("email"), name="gin_trgm_ops"), name="user_email_parts"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="user_name_parts"),
        ]

    def __str__(self) -> str:
        return display_name(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    @property
    def reader(self) -> Reader:
        return Reader(self.language, zone_of(self.time_zone))


def display_name(user: User) -> str:
    """How pages and mails call a person."""
    return user.name or user.email


def addresses_of(user: User) -> set[str]:
    """All addresses of the account, verified or not, in lower case."""
    others = user.emailaddress_set.all()
    return {user.email, *(other.email.lower() for other in others)}
