# syntax=docker/dockerfile:1
# The server, and nothing that only builds it. `docker build --tag openintent .`

FROM python:3.13-slim AS build
RUN python -m venv /venv
WORKDIR /source
COPY requirements/server.txt requirements/
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements/server.txt
COPY . .
# What builds the package came with the lock; it stays behind, and so do pip, and daphne with what only it needs: it is for `runserver`.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /venv/bin/pip uninstall --yes hatchling editables trove-classifiers pathspec pluggy tomlkit \
        daphne autobahn automat cbor2 constantly hyperlink incremental packaging pyopenssl service-identity \
        twisted txaio ujson zope-interface pip \
    && /venv/bin/python -m compileall -q /venv/lib

FROM python:3.13-slim
RUN useradd --uid 10001 --home-dir /data --create-home openintent \
    && install --directory --owner openintent /data/attachments
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENINTENT_HOST=0.0.0.0 \
    OPENINTENT_PORT=8000 \
    OPENINTENT_ATTACHMENTS_DIR=/data/attachments
USER openintent
WORKDIR /data
VOLUME /data/attachments
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['OPENINTENT_PORT'] + '/healthz', timeout=4)"]
CMD ["openintent-server"]
