# One image for every process of Assent: migrate, worker, web and slack differ by their command alone.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS wheel
WORKDIR /src
COPY requirements/build.txt requirements/build.txt
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY . .
RUN python -m hatchling build --target wheel --directory /wheel

FROM ${PYTHON_IMAGE} AS environment
WORKDIR /build
RUN python -m venv /opt/assent
COPY requirements/runtime.txt runtime.txt
RUN /opt/assent/bin/pip install --no-cache-dir --require-hashes --requirement runtime.txt
COPY --from=wheel /wheel /wheel
RUN /opt/assent/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --home-dir /var/lib/assent --create-home assent
COPY --from=environment /opt/assent /opt/assent
ENV PATH=/opt/assent/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ASSENT_DATA_DIR=/var/lib/assent \
    ASSENT_WEB_HOST=0.0.0.0
USER assent
WORKDIR /var/lib/assent
EXPOSE 8484
STOPSIGNAL SIGTERM
ENTRYPOINT ["assent"]
CMD ["--help"]
