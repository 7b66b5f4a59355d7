# One image for the web server, the worker and beat; `docker-compose.yml` says which is which.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --system --uid 10001 --create-home --home-dir /home/bursar bursar
WORKDIR /app

COPY requirements.lock .
RUN pip install --require-hashes -r requirements.lock

COPY . .
# The settings insist on every value, though collecting files needs none of them.
RUN SECRET_KEY=only-while-building \
    PUBLIC_URL=https://build.invalid \
    DATABASE_URL=postgresql://build.invalid/bursar \
    REDIS_URL=redis://build.invalid/0 \
    EMAIL_URL=dummy:// \
    STRIPE_SECRET_KEY=sk_test_00000000000000000000000000000000 \
    STRIPE_WEBHOOK_SECRET=whsec_00000000000000000000000000000000 \
    python manage.py collectstatic --no-input

USER bursar
EXPOSE 8000
# No access log: addresses hold links by which one gets in (docs/portal.md).
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--workers-kill-timeout", "20", "--no-ws", \
     "--no-access-log", "--respawn-failed-workers", "config.wsgi:application"]
