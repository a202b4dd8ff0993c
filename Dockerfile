# Two stages: one builds a virtual environment, the other holds only that and a user without rights. It runs
# with a read-only root file system; what it writes goes to /var/lib/counterpoint and /tmp.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv --without-pip /opt/counterpoint
COPY pyproject.toml constraints.txt README.md LICENSE counterpoint.py ./
COPY app app
COPY data data
COPY models models
COPY training training
RUN pip --python /opt/counterpoint/bin/python install --constraint constraints.txt '.[postgres,redis,signing,telemetry]'

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --home-dir /var/lib/counterpoint --shell /usr/sbin/nologin counterpoint
COPY --from=build /opt/counterpoint /opt/counterpoint
ENV PATH=/opt/counterpoint/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    COUNTERPOINT_HOST=0.0.0.0 \
    COUNTERPOINT_PORT=8000 \
    COUNTERPOINT_ACTIVE_FILE=/var/lib/counterpoint/active.json \
    COUNTERPOINT_OBSERVATIONS=/var/lib/counterpoint/observations \
    COUNTERPOINT_KEY_SECRET_FILE=/var/lib/counterpoint/key-secret \
    COUNTERPOINT_DATABASE_URL=sqlite:////var/lib/counterpoint/counterpoint.sqlite3
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /var/lib/counterpoint
VOLUME /var/lib/counterpoint
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['COUNTERPOINT_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["counterpoint"]
CMD ["serve"]
