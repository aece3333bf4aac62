# syntax=docker/dockerfile:1

# Two images of one product (docs/containers.md):
#   docker build --target serve -t recsys-serve .     # the server, without TensorFlow
#   docker build --target train -t recsys-train .     # prepare, train, retrain, evaluate
#
# With a bundle of your own the loops are compiled for it, and the sample need not be trained first:
#   docker build --target serve --build-context bundle=saved_model/shop -t recsys-serve .

# Name it with its digest (python:3.11.14-slim-bookworm@sha256:...) where builds have to be the same years later.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS base
ENV PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
# Programs are root's, so that they cannot change themselves; they run as a user who has a number and nothing else.
RUN groupadd --gid 10001 recsys \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin recsys

# The package itself, as a wheel: what changes most often, apart from what it needs.
FROM base AS wheel
RUN --mount=type=cache,target=/root/.cache/pip python -m pip install hatchling==1.33.0
WORKDIR /src
COPY pyproject.toml README.md ./
COPY configs/sample.yaml ./configs/sample.yaml
COPY recsys ./recsys
COPY serve ./serve
RUN python -m hatchling build --target wheel --directory /dist

# Everything: TensorFlow and what prepares data.
FROM base AS train
# OpenMP, which the package of the ALS factors asks the system for. Debian keeps the newest build of a release alone, so a version
# pinned here would be gone one day.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /opt/recsys
COPY requirements.txt requirements-nodeps.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/recsys/bin/python install --requirement /requirements/requirements.txt \
    && python -m pip --python /opt/recsys/bin/python install --no-deps --requirement /requirements/requirements-nodeps.txt
COPY --from=wheel /dist /dist
RUN python -m pip --python /opt/recsys/bin/python install --no-deps --no-index /dist/*.whl
ENV PATH=/opt/recsys/bin:${PATH} \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    MPLCONFIGDIR=/tmp/matplotlib
# configs/, data/ and saved_model/ lie here: mount them, writable by the user below.
WORKDIR /work
RUN chown 10001:10001 /work
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="recsys, training" \
      org.opencontainers.image.description="Prepares data, trains, retrains and evaluates; publishes bundles for the server" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
USER 10001:10001
ENTRYPOINT ["recsys"]
CMD ["--help"]

# A bundle to compile for. This one is of the sample, whose shop is made up: a few minutes, only if no other is given.
FROM train AS trained
COPY configs/sample.yaml configs/sample.yaml
RUN recsys sample data/raw/sample \
    && recsys prepare --config configs/sample.yaml \
    && recsys train --config configs/sample.yaml
FROM scratch AS bundle
COPY --from=trained /work/saved_model/sample /

# What a server needs, and no more.
FROM base AS packages
RUN python -m venv --without-pip /opt/recsys
COPY requirements-serve.txt /requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/recsys/bin/python install --requirement /requirements/requirements-serve.txt
COPY --from=wheel /dist /dist
RUN python -m pip --python /opt/recsys/bin/python install --no-deps --no-index /dist/*.whl

# The loops, compiled once for every machine that runs the image: for a kind of processor, not for the one that builds.
# x86-64-v3: AVX2, any server since 2015. Other kinds: x86-64-v4 (AVX-512), generic (any). See docs/containers.md.
FROM packages AS compiled
ARG CPU=x86-64-v3
ENV PATH=/opt/recsys/bin:${PATH} \
    NUMBA_CACHE_DIR=/opt/recsys/compiled \
    NUMBA_CPU_NAME=${CPU} \
    NUMBA_CPU_FEATURES=
RUN --mount=type=bind,from=bundle,source=/,target=/bundle \
    python -m serve --check --bundle /bundle --store none

FROM base AS serve
ARG CPU=x86-64-v3
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="recsys, server" \
      org.opencontainers.image.description="Recommendations over HTTP from a bundle; no TensorFlow" \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
COPY --from=compiled /opt/recsys /opt/recsys
RUN mkdir /data && chown 10001:10001 /data
# Without API keys a server that others can reach does not start: mount a file of them, and name it in RECSYS_API_KEYS.
ENV PATH=/opt/recsys/bin:${PATH} \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/opt/recsys/compiled \
    NUMBA_CPU_NAME=${CPU} \
    NUMBA_CPU_FEATURES= \
    RECSYS_HOST=0.0.0.0 \
    RECSYS_PORT=8000 \
    RECSYS_BUNDLE=/saved_model/shop \
    RECSYS_STORE=sqlite:////data/store.sqlite
# Written to are /data, where the store is a file, and /tmp; everything else may be read-only.
VOLUME ["/data"]
WORKDIR /data
EXPOSE 8000
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "serve.alive"]
ENTRYPOINT ["python", "-m", "serve"]
