# syntax=docker/dockerfile:1
# One file, three targets: `api` and `worker` run (no TensorFlow), `train` trains and evaluates.
#
#   docker build --target worker -t tallyscan-worker .

FROM python:3.12-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    TALLYSCAN_HOME=/tmp/tallyscan
# A volume mounted at /data takes over this folder's owner.
RUN useradd --system --uid 10001 --user-group --no-create-home tallyscan \
    && install -d -o tallyscan -g tallyscan /data /data/blobs /data/models
WORKDIR /app

FROM base AS runtime
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY api api
COPY cli cli
COPY core core
COPY forms forms
COPY model model
COPY segmentation segmentation
COPY storage storage
COPY worker worker
# What builds the package is in the lock, so nothing is fetched here.
RUN pip install --no-deps --no-build-isolation --no-index . && python -m compileall -q /usr/local/lib/python3.12/site-packages
USER tallyscan
WORKDIR /data

FROM runtime AS api
EXPOSE 8080
CMD ["gunicorn", "-c", "python:api.gunicorn_conf", "--no-control-socket", "--bind", "0.0.0.0:8080", "api.wsgi:app"]

FROM runtime AS worker
ENV OMP_NUM_THREADS=1
CMD ["celery", "--quiet", "-A", "worker.app", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"]

FROM base AS train
# The fonts that print is drawn in: model/printed/fonts.py names their files.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        fonts-dejavu-core fonts-dejavu-extra fonts-freefont-ttf fonts-hack fonts-inconsolata fonts-liberation \
        fonts-noto-mono fonts-ocr-b fonts-open-sans fonts-roboto-unhinted fonts-urw-base35 \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-dev.lock ./
RUN pip install --require-hashes -r requirements-dev.lock
COPY --from=runtime /app /app
RUN pip install --no-deps --no-build-isolation --no-index .
USER tallyscan
WORKDIR /data
ENTRYPOINT ["tallyscan"]
CMD ["train", "--help"]
