"""Settings of Spaces: variables of the environment, each read here once. docs/operating/settings.md has the table."""

import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.connection import parse_url

from rooms.media.contract import addresses, turn
from spaces_project import env, logs, storages
from spaces_project.machine import embedded, running
from spaces_project.proxies import check_network
from spaces_project.version import __version__

django_stubs_ext.monkeypatch()  # so that `ModelForm[Space]` is a class at run time too

BASE_DIR = Path(__file__).resolve().parent.parent
SPACES_VERSION = __version__

# The machine
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var", "Folder for everything that is written: data, sound, sockets.", "var")
DEMO_FILE = VAR_DIR / "demo.env"  # written by `runspaces --demo`: secrets of this one machine
DEMO_READY_FILE = VAR_DIR / "demo.ready"  # exists as soon as a demo member speaks
if os.environ.get("SPACES_DEMO") != "0":  # `runspaces` without --demo sets 0 and reads nothing from there
    env.load_file(DEMO_FILE)
running.load(VAR_DIR)  # ports of the `runspaces` that other commands of this folder belong to
DEMO = env.flag("SPACES_DEMO", False, "Demonstration on one machine; set by `runspaces --demo`. HTTP on loopback only.")
DEMO_PASSWORD = env.text(
    "SPACES_DEMO_PASSWORD", "", "Password of the demonstration's members; `runspaces --demo` makes it."
)
DEMO_LINK_SECRET = env.text(
    "SPACES_DEMO_LINK_SECRET", "", "Signs the links of a demonstration that log in; `runspaces --demo` makes it."
)
DEBUG = env.flag("DEBUG", False, "Django's debug pages. Never on a machine that others can reach.")
SECRET_KEY = env.text("SECRET_KEY", "", "Signs sessions and links; 50 random characters. Required.", from_file=True)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], "Host names that the site answers to.")
PUBLIC_URL = env.url(
    "PUBLIC_URL", ("https", "http"), "Address that members use, e.g. https://spaces.example.org; empty: this machine."
)
SPACES_SOURCE_URL = env.url(
    "SPACES_SOURCE_URL",
    ("https", "http"),
    "Address of the source of this version, linked at the foot of the pages (AGPL section 13).",
)
TRUSTED_PROXIES = env.names(
    "TRUSTED_PROXIES", [], "Addresses whose X-Forwarded-* headers are believed.", check=check_network
)
WEB_HOST = env.text("WEB_HOST", "127.0.0.1", "Address on which daphne listens.")
WEB_PORT = env.port("WEB_PORT", 8000, "Port on which daphne listens.")

# Rules that an operator may set
SPACES_MIN_FOLLOWERS = env.integer("SPACES_MIN_FOLLOWERS", 600, "Followers that a member needs to host a Space.")
SPACES_MAX_SPEAKERS = env.integer(
    "SPACES_MAX_SPEAKERS", 11, "Speakers at the microphone besides the host; at most 11.", most=11
)  # the media node mixes twelve voices (rooms/media/contract/standing.py)
SPACES_HOST_GRACE_SECONDS = env.integer("SPACES_HOST_GRACE_SECONDS", 60, "Seconds a Space goes on without its host.")
SPACES_AWAY_SECONDS = env.integer("SPACES_AWAY_SECONDS", 20, "Seconds a lost speaker or listener keeps their place.")
RECORDING_RETENTION_DAYS = env.integer(
    "RECORDING_RETENTION_DAYS", 30, "Days that the sound is kept for safety review; then it is purged.", least=1
)

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
    "sessions": {"task": "spaces_project.tasks.clear_sessions", "schedule": crontab(minute=23, hour=4)},
}

# Media node
MEDIA_SECRET = env.text(
    "MEDIA_SECRET",
    "",
    "Shared by web and media nodes: signs grants, opens the node's HTTP port. Required.",
    from_file=True,
)
MEDIA_NAME = env.text("MEDIA_NAME", "", "Name of this media node; empty: host name and UDP port.")
MEDIA_BIND = env.ip(
    "MEDIA_BIND",
    "0.0.0.0",  # noqa: S104
    "Address on which the media node receives sound; `::` is all, IPv4 and IPv6.",
)
MEDIA_NODES = env.integer(
    "MEDIA_NODES",
    1,
    "Media nodes that `runspaces` starts, on ports that follow one another; 0: one per core but one.",
    most=64,
)
MEDIA_PORT = env.port("MEDIA_PORT", 40000, "UDP port of the media node, or of the first one.")
MEDIA_HTTP_HOST = env.text("MEDIA_HTTP_HOST", "127.0.0.1", "Address of the node's HTTP port: loopback, or behind TLS.")
MEDIA_HTTP_PORT = env.port("MEDIA_HTTP_PORT", 40001, "HTTP port of the media node, or of the first one.")
MEDIA_ANNOUNCE = env.names(
    "MEDIA_ANNOUNCE",
    ["127.0.0.1"],
    "Addresses of this node that browsers can reach, best first;"
    " `ADDRESS:PORT` or `[IPv6]:PORT` if that port is not the node's own.",
    check_all=addresses.parse_all,
)
MEDIA_CAPACITY = env.integer("MEDIA_CAPACITY", 1000, "Peers that one media node takes before it refuses.", least=1)
MEDIA_MOST_LOAD = env.integer(
    "MEDIA_MOST_LOAD",
    70,
    "Load of a node, in percent of a core or of its tick, at which it refuses newcomers.",
    least=1,
)
MEDIA_LONG_PACKETS_ABOVE = env.integer(
    "MEDIA_LONG_PACKETS_ABOVE", 20, "Load of a node, in percent of a core, at which new listeners get 60 ms packets."
)
MEDIA_SPOOL = VAR_DIR / "spool"

# The sound as files (HLS), for large audiences
HLS = env.flag(
    "HLS", True, "Let listeners hear a Space as files: if media nodes are full, if no live sound arrives, or by choice."
)
HLS_DIR = env.path("HLS_DIR", VAR_DIR / "hls", "Folder of these files. Media nodes write it.", "var/hls")
HLS_URL = env.base("HLS_URL", "/hls/", "Their address for browsers: `/hls/` of this site, or `https://.../` of a CDN.")
if PUBLIC_URL.startswith("https:") and HLS_URL.startswith("http:"):
    raise ImproperlyConfigured("HLS_URL has to begin with https://, as PUBLIC_URL does: browsers fetch nothing else")
if urlsplit(HLS_URL).netloc == urlsplit(PUBLIC_URL).netloc != "":
    raise ImproperlyConfigured("HLS_URL is an address of this site itself, which is written as /hls/")
HLS_SECRET = env.secret(
    "HLS_SECRET", "Signs their addresses; their web server checks it. Empty: derived from SECRET_KEY."
)
HLS_SECRET = HLS_SECRET or hashlib.sha256(f"hls {SECRET_KEY}".encode()).hexdigest()

# TURN, for networks that block UDP
TURN_URLS = env.names(
    "TURN_URLS", [], "TURN servers for browsers, e.g. turn:turn.example.org?transport=udp; empty: none.", turn.parse
)
TURN_SECRET = env.text("TURN_SECRET", "", "Shared with the TURN servers: coturn's static-auth-secret.", from_file=True)
TURN_CREDENTIAL_SECONDS = env.integer(
    "TURN_CREDENTIAL_SECONDS",
    3600,
    "Seconds that credentials for TURN are valid; at most an hour.",
    least=60,
    most=3600,
)
if TURN_URLS and not TURN_SECRET:
    raise ImproperlyConfigured("TURN_URLS names servers, so TURN_SECRET has to be set to their static-auth-secret")

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
    "django.contrib.admin",
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
    "rest_framework.authtoken",
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
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("handle", "display_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "handle"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "accounts.forms.LoginForm", "signup": "accounts.forms.SignupForm"}
ACCOUNT_PRESERVE_USERNAME_CASING = False  # handles are lower case; members may log in with any case
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Spaces"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are not verified

# Mail: only to reset a forgotten password. Its links log in, so no log of a real site may show them.
EMAIL_HOST = env.text("EMAIL_HOST", "", "SMTP server; empty: no email is sent.")
EMAIL_PORT = env.port("EMAIL_PORT", 587, "Port of the SMTP server.")
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "", "User name at the SMTP server.")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "", "Password at the SMTP server.", from_file=True)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True, "STARTTLS at the SMTP server.")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "spaces@localhost", "Sender of email.")
EMAIL_TIMEOUT = 10  # seconds for each answer of the server
_without_host = f"django.core.mail.backends.{'console' if DEMO or DEBUG else 'dummy'}"
EMAIL_BACKEND = f"{'accounts.mail.backend' if EMAIL_HOST else _without_host}.EmailBackend"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""  # allauth would write the header Host there

# Safety of pages
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PUBLIC_URL.startswith("https://")
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
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
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
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
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
