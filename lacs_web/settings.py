"""Every setting of LACS, read from the environment once; `.env.example` explains each variable."""

from __future__ import annotations

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from lacs_web import env

VERSION = "0.1.0"  # stored with every run; pyproject.toml says the same
BASE_DIR = Path(__file__).resolve().parent.parent
read = environ.Env()
read.ENVIRON = {name: value for name, value in os.environ.items() if value}  # empty: the default

# Where things are
DATA_DIR = Path(read.str("LACS_DATA", default=str(BASE_DIR / "var"))).resolve()
PUBLIC_URL = read.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_host, _origin = env.origin(PUBLIC_URL)
DEBUG = read.bool("DEBUG", default=False)
SECRET_KEY = read.str("SECRET_KEY")
ALLOWED_HOSTS = [_host, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [_origin]
_tls = PUBLIC_URL.startswith("https://")

# The single store, and the doorbell
DATABASES = {"default": env.database(read.str("DATABASE_URL", default=""))}
DATABASES["default"]["CONN_MAX_AGE"] = read.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
REDIS_URL = read.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Picture bytes lie under their SHA-256; nothing under MEDIA_ROOT is ever served by address:
# detection/renditions.py is the only door. Overwriting is harmless, for the name is the content.
MEDIA_ROOT = DATA_DIR / "media"
DEMO_CARD = DATA_DIR / "demo-card"  # there while the demo lake is being loaded
STORAGES = {
    "default": env.storage(
        bucket=read.str("LACS_S3_BUCKET", default=""),
        endpoint=read.str("LACS_S3_ENDPOINT", default=""),
        region=read.str("LACS_S3_REGION", default=""),
        folder=read.str("LACS_S3_FOLDER", default=""),
    ),
    "staticfiles": {"BACKEND": "lacs_web.static.HashedStaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [
    ("bootstrap", BASE_DIR / "node_modules/bootstrap/dist/css"),
    ("leaflet", BASE_DIR / "node_modules/leaflet/dist"),
    ("htmx", BASE_DIR / "node_modules/htmx.org/dist"),
    ("plotly", BASE_DIR / "node_modules/plotly.js-basic-dist-min"),
]

INSTALLED_APPS = [
    "lacs_web",
    "detection",
    "annotation",
    "dashboards",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "lacs_web.static.StaticFiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "lacs_web.middleware.PreferredLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lacs_web.tokens.Tokens",
    "lacs_web.second.Required",
    # Everything is behind a login unless a view says otherwise with @login_not_required.
    "lacs_web.middleware.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "lacs_web.urls"
WSGI_APPLICATION = "lacs_web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# What Prometheus shows to read /metrics; "": only officers who are signed in read them
METRICS_TOKEN = read.str("LACS_METRICS_TOKEN", default="")

# Accounts
AUTH_USER_MODEL = "lacs_web.User"
LOGIN_URL = "signin"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "signin"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Whether officers and administrators must set up a code from an app (lacs_web/second.py)
REQUIRE_CODE = read.bool("LACS_REQUIRE_CODE", default=_tls)
PASSWORD_RESET_TIMEOUT = 24 * 3600  # also the life of a one-time sign-in link, in seconds

# Languages: French first
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("it", _("Italian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["lacs_web.formats"]
TIME_ZONE = "Europe/Paris"  # default of a lake; every instant is stored in UTC
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

# The browser is told to run nothing that we did not serve
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _tls
SESSION_ENGINE = "lacs_web.sessions"
SESSION_COOKIE_AGE = 30 * 24 * 3600  # seconds; a volunteer comes back next week
SECURE_SSL_REDIRECT = False  # the reverse proxy in front redirects; /healthz stays plain
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _tls else 0
# How many proxies of ours add to X-Forwarded-For, whose word on a visitor's address is taken.
PROXIES = read.int("LACS_PROXIES", default=1 if _tls else 0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _tls else None

# Messages between processes. Redis may be flushed at any moment: rows hold what is owed.
CELERY_BROKER_URL = env.celery_broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    # Who rings does not wait for a bell that is away: the sweep rings again.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_ROUTES = {
    f"detection.tasks.{task}": {"queue": "inference"}
    for task in ("detect", "probe", "shadow", "try_out")
}
SWEEP_SECONDS = read.int("LACS_SWEEP_SECONDS", default=30)
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "detection.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "kwargs": {"by_clock": True},
    },
    "purge": {
        "task": "annotation.tasks.purge",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "calibrate": {
        "task": "annotation.tasks.calibrate",
        "schedule": 3600,
        "options": {"expires": 3600},
    },
    "keep_figures": {
        "task": "dashboards.tasks.keep_figures",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "plan": {
        "task": "dashboards.tasks.plan",
        "schedule": 2 * SWEEP_SECONDS,
        "options": {"expires": 2 * SWEEP_SECONDS},
    },
    "sweep_exports": {
        "task": "dashboards.tasks.sweep_exports",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "tidy_exports": {
        "task": "dashboards.tasks.tidy_exports",
        "schedule": 900,
        "options": {"expires": 900},
    },
}

# What a card may hold
CARD_MAX_FILES = read.int("LACS_CARD_MAX_FILES", default=50_000)
FILE_MAX_BYTES = read.int("LACS_FILE_MAX_MB", default=64) * 1024 * 1024
# With less room than this on the disk of MEDIA_ROOT no file is taken in.
DISK_RESERVE_BYTES = read.int("LACS_RESERVE_MB", default=200) * 1024 * 1024
PICTURE_MAX_PIXELS = read.int("LACS_PICTURE_MAX_MEGAPIXELS", default=80) * 1_000_000
# Our own, for a machine where nobody named another.
SHIPPED_DETECTOR = BASE_DIR / "detection/weights/lacs-starter-4.onnx"
DETECTOR_MAX_BYTES = read.int("LACS_DETECTOR_MAX_MB", default=512) * 1024 * 1024
# The largest file of detections made elsewhere; a season of 134,000 pictures takes some 50.
IMPORT_MAX_BYTES = read.int("LACS_IMPORT_MAX_MB", default=200) * 1024 * 1024
# Hours for which a file that a worker made is kept for who asked for it.
EXPORT_KEPT_HOURS = read.int("LACS_EXPORT_KEPT_HOURS", default=72)
FILE_UPLOAD_HANDLERS = ["lacs_web.uploads.LimitedFile"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024  # a manifest of 50,000 paths fits

# Work per claim, and how long a claim holds before another worker may take it back (seconds)
LEASE_SECONDS = read.int("LACS_LEASE_SECONDS", default=60)
MAX_ATTEMPTS = 3
INGEST_THREADS = read.int("LACS_INGEST_THREADS", default=2)  # of one ingest process
INFERENCE_THREADS = read.int("LACS_INFERENCE_THREADS", default=0) or None  # None: one a core
INFERENCE_PROVIDERS = read.list("LACS_INFERENCE_PROVIDERS", default=["CPUExecutionProvider"])
# Persons of this score or more are masked; far below what is counted. A network's .1 is .05 where
# nothing changed (DetectorSettings.weighed).
MASK_SCORE = 0.049
LIFTED_SECONDS = 3600  # for which somebody who lifted the mask of a frame sees it
REVIEW_LEASE_SECONDS = read.int("LACS_REVIEW_LEASE_SECONDS", default=600)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["lacs_web.api.Session"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["lacs_web.api.SmallJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "lacs_web.api.OneKind",
    "EXCEPTION_HANDLER": "lacs_web.problems.handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LACS",
    "DESCRIPTION": "Lake attendance from camera surveys",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",  # in which a token has scopes
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["lacs_web.public_api.only_public"],
    "ENUM_NAME_OVERRIDES": {"KeptKindEnum": "dashboards.kept.KINDS"},
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        }
    },
}

_log_format = env.one_of("LOG_FORMAT", read.str("LOG_FORMAT", default="line"), "line json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "lacs_web.logs.JsonLines"},
    },
    "filters": {"route_only": {"()": "lacs_web.logs.RouteOnly"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": _log_format,
            "filters": ["route_only"],
        },
    },
    # Whatever writes by itself writes through the console too.
    "loggers": {
        name: {"propagate": True} for name in ("django", "django.server", "gunicorn.error")
    },
    "root": {"handlers": ["console"], "level": read.str("LOG_LEVEL", default="INFO")},
}
