"""Every setting, read from the environment; what is missing or wrong stops the start.

`.env.example` documents the variables.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import limits
import stripe
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from billing.core import origins, rate_classes
from billing.core.dunning import DunningPolicy
from billing.core.entitlements import Reason
from billing.core.event_types import TYPES
from billing.core.lifecycle import AttemptStatus, SubscriptionStatus
from billing.core.taxes import TaxCategory

env = Env()
env.read_env(str(Path(__file__).resolve().parent.parent / ".env"), recurse=False)

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
DEBUG = env.bool("DEBUG", False)
SECURE = env.bool("SECURE", True)  # HTTPS in front; only a laptop says no
PUBLIC_URL = env.str("PUBLIC_URL").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [urlsplit(PUBLIC_URL).hostname])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TEST_CLOCKS = env.bool("TEST_CLOCKS", False)  # sandboxes only

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "djstripe",
    "plans",
    "customers",
    "billing",
]

MIDDLEWARE = [
    "billing.api.request_id.RequestIdMiddleware",
    "billing.api.rate_limit_middleware.RateLimitMiddleware",
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
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "billing.web.frame.frame",
            ],
        },
    },
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", conn_max_age=0)}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
    "pool", {"min_size": 1, "max_size": 20, "timeout": 10}
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False  # a gateway is never called inside a transaction

REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host=", 1
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "billing"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_PUBLISH_RETRY = False  # a lost message is found by the sweeper
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "run_cycle": {"task": "billing.tasks.run_cycle", "schedule": 20.0, "options": {"expires": 20}},
    "sweep": {"task": "billing.tasks.sweep", "schedule": 15.0, "options": {"expires": 15}},
    "check_tax_ids": {
        "task": "billing.tasks.check_tax_ids",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "recognize": {
        "task": "billing.tasks.recognize",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "tell_of_entitlements": {
        "task": "billing.tasks.tell_of_entitlements",
        "schedule": 1.0,
        "options": {"expires": 1},
    },
    "tell_of_expiry": {
        "task": "billing.tasks.tell_of_expiry",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "take_over_settlements": {
        "task": "billing.tasks.take_over_settlements",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "reconcile": {
        "task": "billing.tasks.reconcile",
        "schedule": 86_400.0,
        "options": {"expires": 3600},
    },
    "prune": {"task": "billing.tasks.prune", "schedule": 3600.0, "options": {"expires": 3600}},
    "seal": {"task": "billing.tasks.seal", "schedule": 5.0, "options": {"expires": 5}},
    "deliver": {"task": "billing.tasks.deliver", "schedule": 2.0, "options": {"expires": 2}},
    "heartbeat": {"task": "billing.tasks.heartbeat", "schedule": 3.0, "options": {"expires": 3}},
}

AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "billing_home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_ADAPTER = "billing.web.accounts.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "billing.web.forms.SignupForm"
ACCOUNT_SESSION_REMEMBER = True

EMAIL = env.dj_email_url("EMAIL_URL")
if "EMAIL_BACKEND" not in EMAIL:
    raise ImproperlyConfigured("EMAIL_URL has no scheme that says how mail is sent.")
vars().update(EMAIL)
EMAIL_TIMEOUT = EMAIL.get("EMAIL_TIMEOUT") or 10  # a silent server holds no worker up
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "billing@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["billing.api.tokens.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["billing.api.permissions.TokenPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "billing.api.errors.to_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bursar",
    "LICENSE": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "Where this document came from."}],
    "COMPONENT_SPLIT_PATCH": False,  # bodies of changes say themselves what is required
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "billing.api.document.complete",
    ],
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "none",
        "filter": True,
        "persistAuthorization": True,
        "defaultModelsExpandDepth": 0,
        "validatorUrl": None,
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "WEBHOOKS": [f"billing.api.event_webhooks.{known.constant}" for known in TYPES.values()],
    "ENUM_NAME_OVERRIDES": {
        "AccessReasonEnum": [reason.value for reason in Reason],
        "FeatureKindEnum": ["switch", "limit", "config"],
        "CreditKindEnum": ["paid", "promotional"],
        "CreditDrawKindEnum": ["invoice", "usage", "refund", "expiry", "void"],
        "CreditReasonEnum": ["cancellation", "return", "discount", "refund", "correction"],
        "AttemptStatusEnum": [status.value.lower() for status in AttemptStatus],
        "ActionKindEnum": ["page", "code", "transfer"],
        "BreakerStateEnum": ["closed", "open"],
        "CallOutcomeEnum": ["answered", "refused", "unreached", "no_answer"],
        "MovementKindEnum": ["charge", "refund", "dispute", "payout", "fee", "other"],
        "PayoutStatusEnum": ["pending", "paid", "failed"],
        "PortalPurposeEnum": ["portal", "payment_method", "invoice"],
        "PayoutSourceEnum": ["payment", "refund", "dispute"],
        "DeliveryStatusEnum": ["pending", "delivered", "failed"],
        "DisputeStatusEnum": ["open", "won", "lost"],
        "DisputeSourceEnum": ["customer", "gateway"],
        "CreditDestinationEnum": ["balance", "refund", "auto"],
        "DunningStatusEnum": ["running", "recovered", "stopped", "exhausted"],
        "DunningOrderEnum": ["running", "stopped"],
        "TokenStatusEnum": ["active", "expired", "revoked"],
        "TaxCategoryEnum": [category.value for category in TaxCategory],
        "SubscriptionStatusEnum": [status.value.lower() for status in SubscriptionStatus],
    },
}

# How many calls to the API pass in a window, by class; how many proxies in front say who calls.
try:
    RATE_LIMITS = {
        rate_class: limits.parse(text)
        for rate_class, text in rate_classes.complete(env.dict("RATE_LIMITS", {})).items()
    }
except ValueError as error:
    raise ImproperlyConfigured(f"RATE_LIMITS: {error}") from error
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)

# Where browsers may be sent back to, besides our own pages.
RETURN_ORIGINS = env.list("RETURN_ORIGINS", [], subcast=origins.pattern)
# Whether a gateway may be told a customer's e-mail address, to mail them a receipt. Nothing else
# of a person is ever told to one.
GATEWAY_RECEIPTS = env.bool("GATEWAY_RECEIPTS", False)
# How long a payment waits for what its payer has to do, notifications, calls and rejected usage are
# kept, and how long before a payment method expires its owner is told; in days.
PAYER_DAYS = env.int("PAYER_DAYS", 3)
NOTIFICATION_DAYS = env.int("NOTIFICATION_DAYS", 90)
EXPIRY_NOTICE_DAYS = env.int("EXPIRY_NOTICE_DAYS", 30)
# Whether notifications may be sent to inner addresses, by plain http and to any port: a laptop.
WEBHOOK_PRIVATE_TARGETS = env.bool("WEBHOOK_PRIVATE_TARGETS", False)
# Who is mailed when something needs an operator; nobody named: the active superusers.
OPERATOR_EMAILS: list[str] = env.list("OPERATOR_EMAILS", [])
# At which percentages of a meter's limit or allowance `usage.threshold` is announced.
USAGE_THRESHOLDS = env.list("USAGE_THRESHOLDS", [80, 100], subcast=int)
# A declined charge is tried again so many days after each decline; past due keeps access meanwhile.
DUNNING_POLICY = DunningPolicy(
    retry_after_days=tuple(env.list("DUNNING_RETRY_DAYS", [1, 3, 5, 7], subcast=int)),
    grace_days=env.int("DUNNING_GRACE_DAYS", 7),
)
# Where the EU's register of VAT numbers is asked, without a path to a number; "" asks nobody.
VIES_URL = env.str("VIES_URL", "https://ec.europa.eu/taxation_customs/vies/rest-api")
TAX_ID_RECHECK_DAYS = env.int("TAX_ID_RECHECK_DAYS", 90)
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", stripe.DEFAULT_API_BASE)
STRIPE_API_VERSION = "2026-08-26.dahlia"

# dj-stripe is the mirror: it reads these names, and its own webhook URL is not mounted.
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith("sk_live_")
STRIPE_LIVE_SECRET_KEY = STRIPE_SECRET_KEY if STRIPE_LIVE_MODE else ""
STRIPE_TEST_SECRET_KEY = "" if STRIPE_LIVE_MODE else STRIPE_SECRET_KEY
STRIPE_API_HOST = STRIPE_API_BASE
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
SILENCED_SYSTEM_CHECKS = ["djstripe.W002"]  # that it may speak to another host than Stripe's
# Its own migrations replay its whole history, which takes 50 s; ours create what it is now.
MIGRATION_MODULES = {"djstripe": "billing.gateways.stripe.mirror_migrations"}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = env.str("SESSION_COOKIE_NAME", "bursar_session")
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "billing.api.request_id.RequestIdFilter"},
        "links": {"()": "billing.web.links.LinkFilter"},
    },
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "links"],
        }
    },
    "loggers": {  # two lines a task, every few seconds, that say nothing
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
}

UNFOLD = {
    "SITE_TITLE": "Bursar",
    "SITE_HEADER": "Bursar",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": "/",
    "DASHBOARD_CALLBACK": "billing.admin.sidebar.front",
    "SIDEBAR": {"show_search": True, "navigation": "billing.admin.sidebar.navigation"},
}
