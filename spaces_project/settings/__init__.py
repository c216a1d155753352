"""Settings of Spaces: variables of the environment, each read here once. docs/operating/settings.md has the table."""

from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _
from redis.connection import parse_url

from spaces_project import env, logs, storages
from spaces_project.machine import embedded
from spaces_project.settings.media import *
from spaces_project.settings.people import *
from spaces_project.settings.site import *

django_stubs_ext.monkeypatch()  # so that `ModelForm[Space]` is a class at run time too

# PostgreSQL and Redis: embedded unless named
DATABASE_URL = env.url(
    "DATABASE_URL",
    ("postgres", "postgresql"),
    "PostgreSQL, e.g. postgres://user:pass@host/spaces; empty: embedded.",
    dj_database_url.parse,
    from_file=True,
)
DATABASE_POOL = env.integer("DATABASE_POOL", 12, "Connections to PostgreSQL per process, at most.", least=2)
EMBEDDED_POSTGRES = not DATABASE_URL
REDIS_URL = env.url(
    "REDIS_URL",
    ("redis", "rediss", "unix"),
    "Redis, e.g. redis://host:6379/0; empty: embedded.",
    parse_url,
    from_file=True,
)
EMBEDDED_REDIS = not REDIS_URL
REDIS_URL = REDIS_URL or embedded.redis_url(VAR_DIR)
_database: dict[str, Any] = dict(dj_database_url.parse(DATABASE_URL)) if DATABASE_URL else embedded.database(VAR_DIR)
_pool = {"min_size": 0, "max_size": DATABASE_POOL, "timeout": 8}
DATABASES = {
    "default": _database
    | {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": _database.get("OPTIONS", {}) | {"pool": _pool}}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Published messages ignore database numbers. The prefix keeps two sites in one Redis apart.
REDIS_NUMBER = parse_url(REDIS_URL).get("db", 0)
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"spaces:layer:{REDIS_NUMBER}"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# Celery
CELERY_BROKER_URL = f"redis+socket://{REDIS_URL.removeprefix('unix://')}" if REDIS_URL.startswith("unix") else REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 4 * 3600
}  # longer than the longest task, which would run twice otherwise
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 3 * 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.integer("WORKER_PROCESSES", 2, "Jobs that one worker does at a time.", least=1)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# A mix may take hours, and a mail server may be silent. The sweeps must not wait.
CELERY_TASK_ROUTES = {"recordings.tasks.mix": {"queue": "mixing"}, "accounts.mail.tasks.deliver": {"queue": "mail"}}
CELERY_BEAT_SCHEDULE = {
    "canary": {"task": "spaces_project.tasks.canary", "schedule": 10.0},
    "presence": {"task": "rooms.tasks.sweep_presence", "schedule": 5.0},
    "peers": {"task": "rooms.tasks.sweep_peers", "schedule": 5.0},
    "hls": {"task": "rooms.tasks.sweep_hls", "schedule": 10.0},
    "standings": {"task": "rooms.tasks.rewrite_standings", "schedule": 30.0},
    "recordings": {"task": "recordings.tasks.sweep", "schedule": 10.0},
    "purge": {"task": "recordings.tasks.purge", "schedule": crontab(minute="*/5")},
    "exports": {"task": "accounts.exporting.tasks.sweep", "schedule": 10.0},
    "metadata": {"task": "moderation.leaving.tasks.purge_metadata", "schedule": crontab(minute=11, hour=4)},
    "texts": {"task": "moderation.leaving.tasks.forget_texts", "schedule": crontab(minute=21, hour=4)},
    "leaving": {"task": "accounts.leaving.tasks.erase_due", "schedule": crontab(minute=41, hour=3)},
    "listeners": {"task": "rooms.tasks.prove_listeners", "schedule": 60.0},
    "sessions": {"task": "spaces_project.tasks.clear_sessions", "schedule": crontab(minute=23, hour=4)},
}

# Storage of sound and pictures
RECORDINGS_DIR = env.path("RECORDINGS_DIR", VAR_DIR / "recordings", "Folder of the recordings.", "var/recordings")
MEDIA_ROOT = VAR_DIR / "uploads"
MEDIA_URL = "/uploads/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_URL = "/static/"
RECORDINGS_BUCKET = env.text("RECORDINGS_BUCKET", "", "S3 bucket of the recordings; empty: RECORDINGS_DIR.")
S3_ENDPOINT_URL = env.url("S3_ENDPOINT_URL", ("https", "http"), "Address of an S3 service other than Amazon's.")
S3_REGION = env.text("S3_REGION", "", "Region of the bucket.")
S3_ACCESS_KEY = env.text(
    "S3_ACCESS_KEY", "", "Key of the bucket; empty: what the machine itself is allowed.", from_file=True
)
S3_SECRET_KEY = env.text("S3_SECRET_KEY", "", "Secret that belongs to S3_ACCESS_KEY.", from_file=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "recordings": storages.bucket(RECORDINGS_BUCKET, S3_ENDPOINT_URL, S3_REGION, S3_ACCESS_KEY, S3_SECRET_KEY)
    if RECORDINGS_BUCKET
    else storages.folder(RECORDINGS_DIR),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Django
INSTALLED_APPS = [
    "daphne",
    "spaces_project.staff.apps.StaffConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "rooms",
    "recordings",
    "moderation",
    "spaces_project",
]
MIDDLEWARE = [
    "spaces_project.metrics.middleware",
    "spaces_project.web.api.middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "spaces_project.web.private.Private",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.sessions.seen.Seen",
    "django_htmx.middleware.HtmxMiddleware",
    "spaces_project.web.doors.Budgets",
    "csp.middleware.CSPMiddleware",
    "moderation.notices.middleware",
]
ROOT_URLCONF = "spaces_project.urls"
ASGI_APPLICATION = "spaces_project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "rooms.fleet.context",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "allauth"]
TIME_ZONE = "UTC"
USE_TZ = True

# Safety of pages
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PUBLIC_URL.startswith("https://")
# Over HTTPS the names say that no other host and no plain HTTP has set these cookies (RFC 6265bis, 4.1.3.2).
_cookie_prefix = "__Host-" if SESSION_COOKIE_SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_cookie_prefix}sessionid", f"{_cookie_prefix}csrftoken"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in their text
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = SESSION_COOKIE_SECURE, True, "Lax"
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^metrics$"]  # the machine itself asks for them, without TLS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_SSL_REDIRECT else 0
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # about sub-domains, which may belong to other sites
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
_hls_host = [urlsplit(HLS_URL)._replace(path="").geturl()] if urlsplit(HLS_URL).netloc else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],  # the nonce is only for the import map
        "connect-src": [SELF, *_hls_host],
        "img-src": [SELF],
        "media-src": [SELF, "blob:", *_hls_host],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# API
API_MEMBER_PER_MINUTE = env.integer(
    "API_MEMBER_PER_MINUTE", 120, "Requests to the API that one member may make within a minute.", least=1
)
API_ADDRESS_PER_MINUTE = env.integer(
    "API_ADDRESS_PER_MINUTE",
    600,
    "Requests to the API that may come from one address within a minute; an IPv6 network of 64 bits is one address.",
    least=1,
)
API_PERMISSIONS = ["rest_framework.permissions.IsAuthenticated", "accounts.tokens.permissions.HasScope"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": API_PERMISSIONS,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "accounts.shared.pagination.Pages",
    "DEFAULT_THROTTLE_CLASSES": [
        "accounts.shared.throttles.MemberThrottle",
        "accounts.shared.throttles.AddressThrottle",
        "accounts.shared.throttles.BudgetThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"member": f"{API_MEMBER_PER_MINUTE}/min", "address": f"{API_ADDRESS_PER_MINUTE}/min"},
    "NUM_PROXIES": 0,  # TrustedProxies has read X-Forwarded-For already
    "EXCEPTION_HANDLER": "accounts.shared.answers.refused",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Spaces",
    "DESCRIPTION": "Live audio rooms.",
    "VERSION": SPACES_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": API_PERMISSIONS,
    "DEFAULT_GENERATOR_CLASS": "spaces_project.web.schema.OnceGenerator",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.shared.answers.documented",
    ],
}

# Logs and metrics
METRICS_TOKEN = env.text(
    "METRICS_TOKEN",
    "",
    "Bearer token with which Prometheus reads /metrics; empty: /metrics is not there.",
    from_file=True,
)
LOG_LEVEL = env.text("LOG_LEVEL", "INFO", "Lowest level that is logged: DEBUG, INFO, WARNING, ERROR.")
LOGGING = logs.configure(LOG_LEVEL, as_json=not (DEMO or DEBUG))
