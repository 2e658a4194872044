# syntax=docker/dockerfile:1

# ------------------------------------------------------------------ the IDE page
FROM node:22-bookworm-slim AS ide
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend ./
RUN npm run build

# ------------------------------------------------------------------ the environment
FROM python:3.11-slim-bookworm AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/passerelle
WORKDIR /build
COPY requirements.lock ./
RUN /opt/passerelle/bin/python -m pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY connectors connectors
COPY gateway gateway
COPY ports ports
COPY resolvers resolvers
COPY sandbox sandbox
COPY schema schema
COPY upstream upstream
COPY --from=ide /build/gateway/static gateway/static
RUN /opt/passerelle/bin/python -m pip install --no-deps .
# Compiled here, since the running user may not write; then the installer has done its work.
RUN /opt/passerelle/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/passerelle/lib \
    && /opt/passerelle/bin/python -m pip uninstall --yes --quiet setuptools pip

# ------------------------------------------------------------------ what runs
FROM python:3.11-slim-bookworm
RUN python3 -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && groupadd --system --gid 10001 passerelle \
    && useradd --system --uid 10001 --gid passerelle --no-create-home --shell /usr/sbin/nologin passerelle
COPY --from=environment /opt/passerelle /opt/passerelle
ENV PATH=/opt/passerelle/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    PASSERELLE_SERVER__HOST=0.0.0.0 PASSERELLE_PORT=8000
WORKDIR /srv/passerelle
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PASSERELLE_PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["passerelle"]
CMD ["serve", "--config", "passerelle.toml"]
