# The images of Modelwarden, from one file: `docker build --target operator .` for the controller
# and the webhook, `--target validator` for gate Jobs and for fetching artifacts into pods,
# `--target example-server` for the service of examples/fraud-detector and `--target example-trainer`
# for what trains it.
#
# PYTHON may be any image with Python 3.11 or newer, its venv module, and certificate authorities.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS tools
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Processes start on a read-only file system, so what they import is compiled here; the thousands of
# generated classes of the Kubernetes client are read by nobody.
ENV COMPILE="python3 -m compileall -q -j 0 -x /kubernetes/(aio/)?client/(api|models)/"
# Installs into other environments, so that none of them has an installer of its own.
RUN python3 -m venv /tools
COPY .requirements/build.txt /requirements/
RUN /tools/bin/pip install --require-hashes --only-binary :all: -r /requirements/build.txt

FROM tools AS wheel
WORKDIR /source
COPY pyproject.toml README.md ./
COPY operator operator
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM tools AS operator-packages
COPY .requirements/operator.txt /requirements/
RUN python3 -m venv --without-pip /opt/modelwarden && \
    /tools/bin/pip --python /opt/modelwarden/bin/python install \
      --no-compile --require-hashes --only-binary :all: -r /requirements/operator.txt
RUN ${COMPILE} /opt/modelwarden/lib
COPY --from=wheel /wheels /wheels
RUN /tools/bin/pip --python /opt/modelwarden/bin/python install --no-deps --no-index /wheels/*.whl

FROM tools AS validator-packages
COPY .requirements/validator.txt /requirements/
RUN python3 -m venv --without-pip /opt/modelwarden && \
    /tools/bin/pip --python /opt/modelwarden/bin/python install \
      --no-compile --require-hashes --only-binary :all: -r /requirements/validator.txt
RUN ${COMPILE} /opt/modelwarden/lib
COPY --from=wheel /wheels /wheels
RUN /tools/bin/pip --python /opt/modelwarden/bin/python install --no-deps --no-index /wheels/*.whl

FROM tools AS example-server-packages
COPY .requirements/example-server.txt /requirements/
RUN python3 -m venv --without-pip /opt/server && \
    /tools/bin/pip --python /opt/server/bin/python install \
      --require-hashes --only-binary :all: -r /requirements/example-server.txt

FROM tools AS example-trainer-packages
COPY .requirements/example-trainer.txt /requirements/
RUN python3 -m venv --without-pip /opt/trainer && \
    /tools/bin/pip --python /opt/trainer/bin/python install \
      --no-compile --require-hashes --only-binary :all: -r /requirements/example-trainer.txt
COPY --from=wheel /wheels /wheels
RUN /tools/bin/pip --python /opt/trainer/bin/python install --no-deps --no-index /wheels/*.whl
COPY examples/fraud-detector/train.py /opt/trainer/
# Of packages this large only what is imported is compiled.
RUN /opt/trainer/bin/python /opt/trainer/train.py --help && \
    /opt/trainer/bin/kubectl-model register --help

# The root file system is read-only where these run; what they write goes to /tmp.
FROM ${PYTHON} AS operator
COPY --from=operator-packages /opt/modelwarden /opt/modelwarden
# The user has no entry in a list of users, and kopf asks for its name.
ENV PATH=/opt/modelwarden/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp LOGNAME=modelwarden PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/opt/modelwarden/bin/modelwarden"]

FROM ${PYTHON} AS validator
COPY --from=validator-packages /opt/modelwarden /opt/modelwarden
# A gate has the credentials of its store and no others: not those of the node it runs on.
ENV PATH=/opt/modelwarden/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    AWS_EC2_METADATA_DISABLED=true
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/opt/modelwarden/bin/modelwarden"]

FROM ${PYTHON} AS example-server
COPY --from=example-server-packages /opt/server /opt/server
COPY examples/fraud-detector/serve/server.py /opt/server/server.py
ENV HOME=/tmp PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/opt/server/bin/python", "/opt/server/server.py", "--host", "0.0.0.0"]

FROM ${PYTHON} AS example-trainer
COPY --from=example-trainer-packages /opt/trainer /opt/trainer
ENV PATH=/opt/trainer/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /
USER 65532:65532
