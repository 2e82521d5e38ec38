"""Settings, read from the environment. The README lists what a deployment sets."""

from pathlib import Path

import django_stubs_ext
import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import get_language_info
from kombu import Queue

from billing_portal.logging import configure_structlog, log_config

# Lets admin classes and forms name their model in brackets, for the type checker.
django_stubs_ext.monkeypatch()

env = environ.Env()  # type: ignore[no-untyped-call]  # the library has no types
BASE_DIR = Path(__file__).resolve().parent.parent
RUN_DIR = Path(env.str("RUN_DIR", default=str(BASE_DIR / ".run")))

DEBUG = env.bool("DEBUG", default=False)
# The mailbox, the style guide, static files from their sources. Apart from DEBUG, so that the demo and the
# tests show the error pages that customers get, and none of Django's, which tell a stranger what there is.
DEVELOPMENT = env.bool("DEVELOPMENT", default=DEBUG)
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SITE_URL = env.str("SITE_URL").rstrip("/")
PRODUCT_NAME = env.str("PRODUCT_NAME", default="Billing Portal")
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", default="support@portal.test")
# Who invoices, as invoices say it. Without a name, the one that the account has at Stripe.
ISSUER_NAME = env.str("ISSUER_NAME", default="")
ISSUER_ADDRESS = [line.strip() for line in env.str("ISSUER_ADDRESS", default="").split("|") if line.strip()]
ISSUER_TAX_ID = env.str("ISSUER_TAX_ID", default="")
# Pages of the company's own; the foot of every page links those that there are, and else the portal's help.
HELP_URL = env.str("HELP_URL", default="")
TERMS_URL = env.str("TERMS_URL", default="")
PRIVACY_URL = env.str("PRIVACY_URL", default="")
# Where security reports go: an address as /.well-known/security.txt has to name it (RFC 9116, 2.5.3).
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default=f"mailto:{SUPPORT_EMAIL}")
if not SECURITY_CONTACT.startswith(("mailto:", "https://", "tel:")):
    raise ImproperlyConfigured("SECURITY_CONTACT begins with mailto:, https:// or tel:.")

# The first key signs, all verify: a key is retired by moving it back, then out.
INVITATION_SIGNING_KEYS = env.list("INVITATION_SIGNING_KEYS")
if not INVITATION_SIGNING_KEYS or SECRET_KEY in INVITATION_SIGNING_KEYS:
    raise ImproperlyConfigured("INVITATION_SIGNING_KEYS needs keys of its own, none of them SECRET_KEY.")

site = env.url("SITE_URL")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[site.hostname, *(["localhost"] if DEVELOPMENT else [])])
CSRF_TRUSTED_ORIGINS = [SITE_URL] if site.scheme == "https" else []

INSTALLED_APPS = [
    "billing_portal",
    "hooks",
    "billing",
    "credits",
    "usage",
    "invitations",
    "api",
    "programs",
    "tokens",
    "teams",
    "orgs",
    "accounts",
    "audit",
    "outbox",
    "support.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "anymail",
    "csp",
    "django_htmx",
    "django_structlog",
    "pgtrigger",
    # Last: it registers some of the libraries' models anew.
    "support.apps.SupportConfig",
]

MIDDLEWARE = [
    # These two come first, so that redirects to https, files and refused hosts carry their headers as well.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "billing_portal.middleware.PrivateResponseMiddleware",
    "api.problems.ProblemsMiddleware",
    "billing_portal.middleware.RequestLimitsMiddleware",
    "billing_portal.middleware.ProbesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.LastUseMiddleware",
    "accounts.preferences.PreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "billing_portal.middleware.WindowRedirectMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "billing_portal.middleware.AtOnceMiddleware",
    # Last, so that nothing but the page itself is in the transaction that can only read.
    "support.view_only.ViewOnlyMiddleware",
]

ROOT_URLCONF = "billing_portal.urls"
WSGI_APPLICATION = "billing_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["billing_portal.compact.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "billing_portal.navigation.organization_context",
            ],
            "builtins": ["django.templatetags.i18n", "billing_portal.templatetags.elements"],
        },
    }
]

# A prepared statement is planned once for each connection. Some poolers can't keep it: see the README.
PREPARES = env.bool("DATABASE_PREPARE", default=True)


def database_at(variable: str, **limits: object) -> dict[str, object]:
    """``limits``: of its connections, beside those that all have."""
    database = env.db(variable)
    return {
        **database,
        "ENGINE": "django.db.backends.postgresql",
        # Atomic blocks are drawn by the services: a request-wide one would stay open during calls to Stripe.
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
        # A pooler that can't keep statements keeps no cursors either.
        "DISABLE_SERVER_SIDE_CURSORS": not PREPARES,
        # What the URL says, such as sslmode, holds beside these limits.
        "OPTIONS": {
            "options": "-c statement_timeout=15000 -c lock_timeout=5000",
            "server_side_binding": PREPARES,
            "prepare_threshold": 3 if PREPARES else None,
            **limits,
            **database.get("OPTIONS", {}),
        },
    }


DATABASES = {"default": database_at("DATABASE_URL")}
# Where reports are read (orgs/replica.py), and by how much it may lag.
REPORTS_DATABASE = "default"
if env.str("DATABASE_REPLICA_URL", default=""):
    REPORTS_DATABASE = "replica"
    # Nobody waits long for one that doesn't answer.
    DATABASES["replica"] = database_at("DATABASE_REPLICA_URL", connect_timeout=2, tcp_user_timeout=5000)
REPLICA_MOST_LAG_SECONDS = env.int("DATABASE_REPLICA_MOST_LAG", default=60)

FORM_RENDERER = "billing_portal.forms.Renderer"

# Rate limits rest on this cache, so it must work while Redis doesn't: it lies in Postgres, like the sessions.
# When it is full, Django throws out counts that still hold: it must take many more than guessers can make.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # What each process may forget at any time: which sessions it has noted as used a short while ago.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "process",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = None if DEVELOPMENT else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEVELOPMENT
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Spelled as in the US, with days first: neither en-US nor en-GB.
# An installation that adds translations names their languages, its own first, as in LANGUAGES=de,en.
LANGUAGES = [(code, get_language_info(code)["name_local"]) for code in env.list("LANGUAGES", default=["en"])]
LANGUAGE_CODE = LANGUAGES[0][0]
FORMAT_MODULE_PATH = "billing_portal.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- Sign-in -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["billing_portal.sign_in.AuthenticationBackend"]
PASSWORD_LENGTH = 10
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_LENGTH},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = reverse_lazy("home")
ACCOUNT_ADAPTER = "billing_portal.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "signup": "billing_portal.sign_in.SignupForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.forms.PasswordAgainForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
# Per address (ip) there is room for an office; what protects an account is counted for the account (key).
ACCOUNT_RATE_LIMITS = {
    "login_failed": "5/5m/key",
    "login_failed_from_address": "100/5m/ip",
    "login": "300/m/ip",
    "signup": "60/m/ip",
    # As allauth limits the mail that confirms an address.
    "account_already_exists": "1/3m/key",
    "reset_password": "20/m/ip,5/10m/key",
    "reset_password_from_key": "60/m/ip",
    "payment_link": "60/m/ip",
    "invitation_ask": "20/m/ip",
    # A finance tool asks for all its customers from one address, for each four times an hour.
    "program_endpoint": "300/m/ip",
    "device_begin": "30/m/ip",
    "device_user_code": "10/5m/user,30/m/ip",
}
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_USER_DISPLAY = "accounts.models.display_name"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = site.scheme
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_ADAPTER = "accounts.second_factor.MFAAdapter"
MFA_FORMS = {
    "authenticate": "accounts.forms.AuthenticateForm",
    "reauthenticate": "accounts.forms.CodeAgainForm",
    "activate_totp": "accounts.forms.ActivateTOTPForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = PRODUCT_NAME
HIJACK_PERMISSION_CHECK = "support.viewing.may_be_viewed"

# --- Security headers and cookies ----------------------------------------------------------------------

secure = site.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = secure
SESSION_COOKIE_NAME = "__Host-sessionid" if secure else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if secure else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = secure
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = secure
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- Stripe --------------------------------------------------------------------------------------------

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET")
if not (STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET):
    # Under an empty webhook secret anybody could sign events.
    raise ImproperlyConfigured("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET must not be empty.")
# Only the development stack sets this; unset, the gateway talks to Stripe.
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")
STRIPE_HOSTS = (
    [STRIPE_API_BASE] if STRIPE_API_BASE else ["https://checkout.stripe.com", "https://invoice.stripe.com"]
)
# Where the PDF of an invoice may lie, and lead to.
# Whether Stripe Tax works out the taxes of what is sold: https://docs.stripe.com/tax/checkout
STRIPE_AUTOMATIC_TAX = env.bool("STRIPE_AUTOMATIC_TAX", default=False)
STRIPE_FILE_HOSTS = env.list(
    "STRIPE_FILE_HOSTS", default=["pay.stripe.com", "invoice.stripe.com", "files.stripe.com"]
)

# A form that answers with a redirect to Stripe's hosted pages is checked against form-action too.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, *STRIPE_HOSTS],
        "img-src": [SELF, "data:"],
    }
}

# --- Mail ----------------------------------------------------------------------------------------------

MAIL_DIR = env.str("MAIL_DIR", default="")
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default=f"{PRODUCT_NAME} <no-reply@{site.hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
if MAIL_DIR:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR
else:
    # e.g. MAIL_BACKEND=anymail.backends.postmark.EmailBackend with ANYMAIL_POSTMARK_SERVER_TOKEN,
    # or MAIL_URL=smtp+tls://user:password@host:587
    vars().update(env.email_url("MAIL_URL", default="smtp://localhost:25"))
    EMAIL_BACKEND = env.str("MAIL_BACKEND", default=vars()["EMAIL_BACKEND"])
ANYMAIL = {
    name.removeprefix("ANYMAIL_"): value for name, value in env.ENVIRON.items() if name.startswith("ANYMAIL_")
}
EMAIL_TIMEOUT = 10

# --- Celery --------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL")
# Redis is only the doorbell: what must happen lies in Postgres and is swept. So a lost message costs a
# delay, and results are kept nowhere.
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
# What waits for customers' servers, and what takes long each hour, has queues of its own, so that Stripe's
# news and mails never wait behind it. A worker that names no queue (--queues) takes all of them.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("celery", "hooks", "credits")]
CELERY_TASK_ROUTES = {
    "hooks.*": {"queue": "hooks"},
    "billing.settle_credits": {"queue": "credits"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_POOL = "billing_portal.worker:TaskPool"
CELERY_WORKER_CONSUMER = "billing_portal.worker:Consumer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "health_check_interval": 10,
}
# How many sweeps share the ledgers of credits, each a part: docs/scaling.md says how many it takes.
CREDITS_SWEEPS = env.int("CREDITS_SWEEPS", default=1)
CELERY_BEAT_SCHEDULE_FILENAME = str(RUN_DIR / "celerybeat-schedule")
# What is rare has a time of day (UTC): an interval would begin anew with every restart of beat.
CELERY_BEAT_SCHEDULE = {
    "outbox-sweep": {"task": "outbox.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "outbox-delete-old": {"task": "outbox.delete_old", "schedule": crontab(hour="3", minute="0")},
    "hooks-sweep": {"task": "hooks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "hooks-delete-old": {"task": "hooks.delete_old", "schedule": crontab(hour="3", minute="10")},
    "stripe-sweep": {"task": "billing.sweep", "schedule": 15.0, "options": {"expires": 15}},
    "stripe-delete-old": {"task": "billing.delete_old_events", "schedule": crontab(hour="3", minute="5")},
    "stripe-expiries": {
        "task": "billing.warn_of_expiring_methods",
        "schedule": crontab(hour="6", minute="15"),
    },
    "credits-expiries": {
        "task": "billing.warn_of_expiring_credits",
        "schedule": crontab(hour="6", minute="20"),
    },
    "stripe-reconcile": {"task": "billing.reconcile_due", "schedule": 60.0, "options": {"expires": 60}},
    "stripe-prices": {"task": "billing.fetch_prices", "schedule": crontab(minute="*/5")},
    **{
        f"credits-settle-{part}": {
            "task": "billing.settle_credits",
            "args": (part, CREDITS_SWEEPS),
            "schedule": 30.0,
            "options": {"expires": 30},
        }
        for part in range(CREDITS_SWEEPS)
    },
    "usage-partitions": {"task": "usage.prepare_partitions", "schedule": crontab(hour="3", minute="30")},
    "usage-drop-old": {"task": "usage.drop_old_partitions", "schedule": crontab(hour="3", minute="40")},
    "limits-clear": {"task": "accounts.clear_limits", "schedule": crontab(minute="40")},
    "last-days-end": {"task": "orgs.end_past_last_days", "schedule": crontab(minute="*/10")},
    "last-days-remind": {"task": "orgs.remind_of_last_days", "schedule": crontab(hour="6", minute="25")},
    "graces-end": {"task": "billing.end_graces", "schedule": crontab(minute="8-59/10")},
    "closings-remind": {"task": "orgs.remind_of_closing", "schedule": crontab(hour="6", minute="35")},
    "closings-end": {"task": "billing.close_organizations", "schedule": crontab(minute="5-59/10")},
    "support-jobs": {"task": "support.count_jobs", "schedule": crontab(hour="4", minute="0")},
    "support-forget-settled": {"task": "support.forget_settled", "schedule": crontab(minute="4-59/10")},
    "api-forget-answers": {"task": "api.forget_answers", "schedule": crontab(minute="50")},
    "programs-delete-old": {"task": "programs.delete_old", "schedule": crontab(minute="20")},
    "tokens-look-through": {"task": "tokens.look_through", "schedule": crontab(hour="6", minute="30")},
    "sessions-clear": {"task": "accounts.clear_sessions", "schedule": crontab(hour="3", minute="45")},
}
# How long a worker may take over one mail; longer than its mail server may take to answer.
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", default=60)

# --- Webhooks ------------------------------------------------------------------------------------------

# For trying them out: webhooks may go to addresses inside the network, to any port, and by plain http.
WEBHOOKS_MAY_STAY_INSIDE = env.bool("WEBHOOKS_MAY_STAY_INSIDE", default=False)

# --- Usage ---------------------------------------------------------------------------------------------

# Counts by stack and hour are kept for this month and so many before it; the sums of organizations for good.
USAGE_MONTHS_KEPT = env.int("USAGE_MONTHS_KEPT", default=13)

# --- Metrics -------------------------------------------------------------------------------------------

METRICS_TOKEN_LENGTH = 32


def metrics_token(token: str) -> str:
    """What Prometheus sends, unless there are no metrics for anybody. Raises ImproperlyConfigured."""
    if token and len(token) < METRICS_TOKEN_LENGTH:
        raise ImproperlyConfigured(f"METRICS_TOKEN has {METRICS_TOKEN_LENGTH} characters at least.")
    return token


METRICS_TOKEN = metrics_token(env.str("METRICS_TOKEN", default=""))

# --- Logs ----------------------------------------------------------------------------------------------

LOGGING = log_config(requests=not DEVELOPMENT)
configure_structlog()
