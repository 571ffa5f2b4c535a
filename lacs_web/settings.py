"""Every setting of LACS, read from the environment once; `.env.example` explains each variable."""

from __future__ import annotations

from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from lacs_web import env

VERSION = "0.1.0"  # stored with every run; pyproject.toml says the same
BASE_DIR = Path(__file__).resolve().parent.parent
read = environ.Env()

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
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "lacs_web.static.HashedStaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [
    ("bootstrap", BASE_DIR / "node_modules/bootstrap/dist/css"),
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
    # Everything is behind a login unless a view says otherwise with @login_not_required.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
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
PASSWORD_RESET_TIMEOUT = 24 * 3600  # also the life of a one-time sign-in link, in seconds

# Languages: French first
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("it", _("Italian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
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
SESSION_COOKIE_AGE = 30 * 24 * 3600  # seconds; a volunteer comes back next week
SECURE_SSL_REDIRECT = False  # the reverse proxy in front redirects; /healthz stays plain
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _tls else 0
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
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 3, "socket_timeout": 10}
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_ROUTES = {"detection.tasks.detect": {"queue": "inference"}}
SWEEP_SECONDS = read.int("LACS_SWEEP_SECONDS", default=30)
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "detection.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
}

# What a card may hold
CARD_MAX_FILES = read.int("LACS_CARD_MAX_FILES", default=50_000)
FILE_MAX_BYTES = read.int("LACS_FILE_MAX_MB", default=64) * 1024 * 1024
PICTURE_MAX_PIXELS = read.int("LACS_PICTURE_MAX_MEGAPIXELS", default=80) * 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024  # a manifest of 50,000 paths fits

# Work per claim, and how long a claim holds before another worker may take it back (seconds)
LEASE_SECONDS = read.int("LACS_LEASE_SECONDS", default=60)
MAX_ATTEMPTS = 3
INFERENCE_THREADS = read.int("LACS_INFERENCE_THREADS", default=0) or None  # None: one a core
INFERENCE_PROVIDERS = read.list("LACS_INFERENCE_PROVIDERS", default=["CPUExecutionProvider"])
REVIEW_LEASE_SECONDS = read.int("LACS_REVIEW_LEASE_SECONDS", default=600)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LACS",
    "DESCRIPTION": "Lake attendance from camera surveys",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": read.str("LOG_LEVEL", default="INFO")},
}
