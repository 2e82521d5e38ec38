FROM python:3.13-slim-bookworm AS build
# The version in uv.lock.
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-python-downloads --compile-bytecode
COPY . .
# The settings want an environment, and collecting static files uses none of it.
RUN DATABASE_URL=postgres://none REDIS_URL=redis://none SITE_URL=https://none.invalid \
    SECRET_KEY=build INVITATION_SIGNING_KEYS=build-too STRIPE_SECRET_KEY=none STRIPE_WEBHOOK_SECRET=none \
    .venv/bin/python manage.py collectstatic --no-input

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 portal
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER portal
EXPOSE 8000
CMD ["gunicorn", "billing_portal.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", \
     "--worker-class", "gthread", "--threads", "4", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
