# Two stages: one builds a virtual environment, the other holds only that and a user without rights.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/counterpoint
COPY pyproject.toml constraints.txt README.md LICENSE counterpoint.py ./
COPY app app
COPY data data
COPY models models
COPY training training
RUN /opt/counterpoint/bin/pip install --constraint constraints.txt '.[postgres,signing]'

FROM python:3.12-slim
RUN useradd --system --create-home --home-dir /var/lib/counterpoint --shell /usr/sbin/nologin counterpoint
COPY --from=build /opt/counterpoint /opt/counterpoint
ENV PATH=/opt/counterpoint/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COUNTERPOINT_HOST=0.0.0.0 \
    COUNTERPOINT_PORT=8000 \
    COUNTERPOINT_ACTIVE_FILE=/var/lib/counterpoint/active.json \
    COUNTERPOINT_OBSERVATIONS=/var/lib/counterpoint/observations \
    COUNTERPOINT_KEY_SECRET_FILE=/var/lib/counterpoint/key-secret \
    COUNTERPOINT_DATABASE_URL=sqlite:////var/lib/counterpoint/counterpoint.sqlite3
USER counterpoint
WORKDIR /var/lib/counterpoint
VOLUME /var/lib/counterpoint
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['COUNTERPOINT_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["counterpoint"]
CMD ["serve"]
