# The image that every LACS process of docker-compose.yml runs. Built from the locks alone.

FROM node:24-bookworm-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.12-slim-bookworm AS packages
COPY requirements/server.txt /tmp/server.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /tmp/server.txt

FROM python:3.12-slim-bookworm AS run
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 LACS_DATA=/data
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin lacs \
    && install --directory --owner lacs --group lacs --mode 0750 /data
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --from=browser /app/node_modules node_modules
COPY . .
# The root file system may be read-only: everything that is written lies in /data or /tmp.
RUN pybabel --quiet compile --directory locale --domain django
RUN python -m compileall -q lacs_web detection annotation dashboards
USER lacs
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "lacs_web.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "8", "--timeout", "120", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
