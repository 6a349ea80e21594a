"""Django's settings, read from the environment. `openintent-server` sets the variables that its options stand for."""

from importlib.util import find_spec
from pathlib import Path

from console.theme import UNFOLD  # noqa: F401  A setting.
from core import env
from core.secret_key import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.debug()
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.ReporterFilter"
API_KEYS = env.api_keys()
# Set by openintent-server and runserver where they bind a loopback address and no keys are configured.
DEV_MODE = env.flag("OPENINTENT_DEV_MODE", False)

DATABASES = {"default": env.database()}
SECRET_KEY = secret_key(DATABASES["default"], dev_mode=DEV_MODE or DEBUG)
# The API's answers do not depend on the host name; the console's links are relative.
ALLOWED_HOSTS = env.words("OPENINTENT_ALLOWED_HOSTS") or ["*"]
CSRF_TRUSTED_ORIGINS = env.words("OPENINTENT_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    *(["daphne"] if find_spec("daphne") else []),  # Before staticfiles: its runserver is ASGI. The image comes without it.
    "console",  # Before the theme, of whose templates it replaces some.
    "unfold.apps.BasicAppConfig",  # Before the admin, whose templates it replaces.
    "console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "core",
    "access",
    "plans",
    "intents",
    "leasing",
    "governance",
    "attachments",
    "costs",
    "retries",
    "portfolios",
    "subscriptions",
    "notices",
    "jobs",
    "doors",
]

CORS_ALLOWED_ORIGINS = env.words("OPENINTENT_CORS_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = CORS_ALLOWED_ORIGINS == ["*"]
if CORS_ALLOW_ALL_ORIGINS:
    CORS_ALLOWED_ORIGINS = []
CORS_URLS_REGEX = r"^/(api/|openapi\.json|\.well-known/)"
CORS_ALLOW_HEADERS = [
    "authorization", "cache-control", "content-type", "idempotency-key", "if-match", "if-none-match", "if-range", "last-event-id",
    "pragma", "range", "x-agent-id", "x-api-key", "x-fencing-token", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "Accept-Ranges", "Allow", "Content-Disposition", "Content-Range", "ETag", "Idempotency-Replayed", "Location", "Retry-After",
    "WWW-Authenticate", "X-Request-ID",
]  # fmt: skip
WITH_CORS = bool(CORS_ALLOWED_ORIGINS or CORS_ALLOW_ALL_ORIGINS)

# Requests of the API pass these alone (core.serving.wsgi_handler): a key in a header needs no session and no CSRF token.
API_MIDDLEWARE = [
    "core.middleware.RequestLog",
    *(["corsheaders.middleware.CorsMiddleware"] if WITH_CORS else []),
    "django.middleware.security.SecurityMiddleware",
]
MIDDLEWARE = [
    *API_MIDDLEWARE,
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.middleware.ConsolePolicy",
]
if WITH_CORS:
    INSTALLED_APPS.append("corsheaders")

ROOT_PATH = env.root_path()
FORCE_SCRIPT_NAME = ROOT_PATH or None
ROOT_URLCONF = env.env.str("OPENINTENT_URLCONF", default="config.urls")
APPEND_SLASH = False
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
            ]
        },
    }
]
ASGI_APPLICATION = "config.asgi.application"
REDIS_URL = env.redis()
CHANNEL_LAYERS = env.channel_layers(REDIS_URL)

LANGUAGE_CODE = "en"  # Of no country: dates name their month, and the console writes each with a format of its own.
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "attachments": env.attachments(DATABASES["default"]),
}

STATIC_URL = f"{ROOT_PATH}/static/"
WHITENOISE_USE_FINDERS = True  # Served from where they were installed: no collectstatic before the first start.
WHITENOISE_AUTOREFRESH = False

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = False
BEHIND_TLS = env.flag("OPENINTENT_BEHIND_TLS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # A link from a chat to a question finds its reader signed in.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = ROOT_PATH or "/"
# Browsers take __Host- for the path / alone; below another one the cookies are kept from the rest of the site.
COOKIE_PREFIX = ("__Secure-" if ROOT_PATH else "__Host-") if BEHIND_TLS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}openintent-session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}openintent-csrf"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # Seconds for which a link to set a password is good (console.sign_in.passwords).
X_FRAME_OPTIONS = "DENY"
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000

# Limits of protocol §1, in bytes unless the name says otherwise.
MAX_BODY = env.number("OPENINTENT_MAX_BODY", 10 * 2**20, least=1024)
MAX_STATE = env.number("OPENINTENT_MAX_STATE", 2**20, least=1024)
MAX_EVENT_PAYLOAD = env.number("OPENINTENT_MAX_EVENT_PAYLOAD", 256 * 2**10, least=1024)
MAX_BATCH_EVENTS = env.number("OPENINTENT_MAX_BATCH_EVENTS", 1000, least=1)
MAX_ATTACHMENT = env.number("OPENINTENT_MAX_ATTACHMENT", 25 * 2**20, least=1024)
MAX_ATTACHMENT_BODY = -(-MAX_ATTACHMENT // 3) * 4 + 2**20  # As base64, and what goes with it.
MAX_CONNECTIONS = env.number("OPENINTENT_MAX_CONNECTIONS", 0)  # Of a process; 0: as many as its file descriptors allow.
HEAD_TIMEOUT = env.number("OPENINTENT_HEAD_TIMEOUT", 20, least=1)  # Seconds that a request's headers have to arrive,
QUESTIONS = env.json_object("OPENINTENT_QUESTIONS")  # What questions say that say nothing else (governance.question_fields).
BODY_TIMEOUT = env.number("OPENINTENT_BODY_TIMEOUT", 60, least=1)  # and its body.
MAX_SPOOLED = env.number("OPENINTENT_MAX_SPOOLED", 2**30, least=2**20)  # Of all bodies that are on their way.
# The edge refuses larger bodies before Django sees them.
DATA_UPLOAD_MAX_MEMORY_SIZE = max(MAX_BODY, MAX_ATTACHMENT_BODY) + 1

RATE_LIMIT = env.rate("OPENINTENT_RATE_LIMIT")
if DEV_MODE:
    RATE_LIMIT = None
MAX_STREAMS_PER_KEY = env.number("OPENINTENT_MAX_STREAMS_PER_KEY", 1000, least=1)
MAX_SUBSCRIPTIONS_PER_KEY = env.number("OPENINTENT_MAX_SUBSCRIPTIONS_PER_KEY", 1000, least=1)
WORKER = env.flag("OPENINTENT_WORKER", True)
# Webhooks to addresses of the server's own network (rule W-3); dev mode allows this machine.
WEBHOOK_ALLOW_PRIVATE = env.flag("OPENINTENT_WEBHOOK_ALLOW_PRIVATE", False)
WEBHOOK_KEEP_DAYS = env.number("OPENINTENT_WEBHOOK_KEEP_DAYS", 30, least=1, most=36_500)
AUDIT_KEEP_DAYS = env.number("OPENINTENT_AUDIT_KEEP_DAYS", 365, least=1, most=36_500)
# Notices (protocol §10). E-mail goes by Django's settings; without a server for it there is none.
PUBLIC_URL = env.public_url()
EMAIL_BACKEND = "notices.mail.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL = env.email()
EMAIL_TIMEOUT = 10  # Seconds of one step; notices.mail limits the whole.
DEFAULT_FROM_EMAIL = env.env.str("OPENINTENT_EMAIL_FROM", default="") or "openintent@localhost"
THREADS = env.number("OPENINTENT_THREADS", 4, least=1)
FAST_PATHS = env.flag("OPENINTENT_FAST_PATHS", True)  # Ways past parts of Django, DRF and uvicorn (architecture §10).

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["access.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["access.authentication.HasRequiredRole", "access.authentication.MayActAsAgent"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "core.openapi_schema.ApiAutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "core.api.exception_handler.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OpenIntent",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ArbitrationStatus": "governance.models.Status",
        "FallbackKind": "governance.models.FallbackKind",
        "Urgency": "governance.models.Urgency",
        "DefaultFallbackKind": ["expire", "fail"],
        "EdgeType": ["parent", "dependency"],
        "IntentStatus": "intents.models.Status",
        "KeyRole": "access.models.Role",
        "LeaseStatus": "leasing.models.Status",
        "PatchOperation": "intents.patches.OPERATIONS",
        "PermitOutcome": ["succeeded", "failed", "unknown"],
        "PermitStatus": "governance.models.PermitStatus",
        "PortfolioStatus": "portfolios.models.Status",
        "RetryStrategy": "retries.models.Strategy",
        "SubscriptionStatus": "subscriptions.models.Status",
        "SubscriptionChange": "subscriptions.models.SETTABLE",
        "DeliveryStatus": "subscriptions.models.DeliveryStatus",
        "ChannelKind": "notices.models.ChannelKind",
        "ChannelStatus": "notices.models.ChannelStatus",
        "NoticeKind": "notices.models.NoticeKind",
        "NoticeStatus": "notices.models.NoticeStatus",
    },
    "PREPROCESSING_HOOKS": ["core.openapi_schema.exclude_alias_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.openapi_schema.add_common_parts",
        "core.openapi_simple_forms.publish_simple_forms",
    ],
    "AUTHENTICATION_WHITELIST": ["access.authentication.KeyAuthentication"],
    "DESCRIPTION": "Humans and AI agents work on the same goals: versioned intents with an append-only event log.\n\n"
    "Every error is a `application/problem+json` object with a stable `code`.",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "CONTACT": {"name": "OpenIntent", "url": "https://openintent.ai"},
    "SERVERS": [{"url": ROOT_PATH or "/", "description": "This server"}],
}


LOG_LEVEL = env.one_of("OPENINTENT_LOG_LEVEL", "info", ["debug", "info", "warning", "error", "critical"])
BUFFERED = {"class": "core.log_handlers.BufferedStreamHandler", "delayed": "openintent.request"}
LOG_HANDLER = BUFFERED if FAST_PATHS else {"class": "logging.StreamHandler"}
LOG_FORMAT = env.log_format()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "core.log_formatters.JSONFormatter"}, "text": {"()": "core.log_formatters.TextFormatter"}},
    "filters": {"routine": {"()": "core.log_filters.RoutineRequests"}},
    "handlers": {"stderr": {**LOG_HANDLER, "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "openintent": {"level": LOG_LEVEL.upper()},
        # Machines count all requests; people at a terminal read those that somebody has made.
        "openintent.request": {"filters": ["routine"] if LOG_FORMAT == "text" else []},
        # At DEBUG it would write headers and the ends of messages, with their keys.
        "uvicorn": {"level": "INFO" if LOG_LEVEL == "debug" else LOG_LEVEL.upper()},
        # uvicorn's lines name queries; core.serving.uvicorn_protocols logs the same without them.
        "openintent.websocket": {"level": "WARNING"},
        "uvicorn.access": {"handlers": [], "propagate": False},  # core.middleware.RequestLog logs more.
        # It repeats itself while Redis is away; subscriptions.streams.redis_wakeups logs it once.
        "channels_redis": {"level": "CRITICAL"},
        # Its warnings are refused requests, which the request log has; its errors come through core.api.exception_handler.
        "django.request": {"level": "CRITICAL"},
        "django.server": {"handlers": [], "propagate": False},
    },
}
