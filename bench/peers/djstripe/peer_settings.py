"""A small project around dj-stripe, as its documentation sets one up. Connections are kept, as ours are."""

import os
from urllib.parse import urlsplit

import stripe

database = urlsplit(os.environ["DATABASE_URL"])

SECRET_KEY = "of-a-measurement"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "djstripe"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "peer_urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.path.removeprefix("/"),
        "USER": database.username,
        "PASSWORD": database.password,
        "HOST": database.hostname,
        "PORT": database.port,
        "CONN_MAX_AGE": 600,
    }
}
# Of its long history only the end is wanted.
MIGRATION_MODULES = dict.fromkeys(("contenttypes", "auth", "djstripe"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SILENCED_SYSTEM_CHECKS = ["djstripe.W001", "djstripe.W004"]

STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = os.environ["STRIPE_SECRET_KEY"]
STRIPE_API_HOST = os.environ["STRIPE_API_BASE"]
STRIPE_API_VERSION = os.environ["STRIPE_API_VERSION"]
# Some of dj-stripe's calls leave it to the library.
stripe.api_version = STRIPE_API_VERSION
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
