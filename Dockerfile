# docker build --tag emotion-service .
# tests/test_dockerfile.py runs these very steps as plain shell, where no Docker engine is.
ARG BASE=python:3.11.14-slim-bookworm
ARG PREFIX=/opt/emotion-service

# The wheel, and an environment that holds it and what it needs. --only-binary: there is no compiler
# here, and none is wanted.
FROM ${BASE} AS build
ARG PREFIX
ARG SOURCE=/source
WORKDIR ${SOURCE}
COPY pyproject.toml README.md LICENSE ./
COPY emotion_service emotion_service
COPY models models
RUN python -m pip wheel --no-deps --only-binary :all: --wheel-dir wheels .
RUN python -m venv --without-pip "$PREFIX" \
    && python -m pip --python "$PREFIX" install --no-compile --only-binary :all: wheels/*.whl
# Without the tests of SciPy and NumPy (a sixth of all). Compiled, as nothing can be written later;
# unchecked, so that the dates of files do not matter.
RUN find "$PREFIX" -type d -name tests -prune -exec rm -r {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash "$PREFIX"/lib

FROM ${BASE}
ARG PREFIX
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="emotion-service" \
      org.opencontainers.image.description="Scores how consenting customers sound on live calls, over gRPC, while they speak." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build ${PREFIX} ${PREFIX}
# Other containers and the host's port forwarding cannot reach the loopback of this one, so it
# listens on all its addresses. What that gives up: whoever can reach the port may stream and watch
# calls, unencrypted. Publish it on loopback only, or mount certificates, set
# EMOTION_SERVICE_TLS_CERTIFICATE and _KEY, and EMOTION_SERVICE_ALLOW_REMOTE=false.
ENV PATH="${PREFIX}/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    EMOTION_SERVICE_LISTEN=0.0.0.0:50051 \
    EMOTION_SERVICE_METRICS_LISTEN=0.0.0.0:9464 \
    EMOTION_SERVICE_ALLOW_REMOTE=true
USER 65532:65532
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD exec emotion-service probe --server "127.0.0.1:${EMOTION_SERVICE_LISTEN##*:}"
ENTRYPOINT ["emotion-service"]
CMD ["serve"]
