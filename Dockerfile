FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/broadcaster
WORKDIR /src
COPY . .
# Exactly the versions that the tests ran with.
RUN /opt/broadcaster/bin/pip install --constraint constraints.txt . \
    && /opt/broadcaster/bin/pip check

FROM python:3.11-slim
# The letters of small LED matrices: 16 and 20 pixels a line.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-unifont xfonts-base \
    && rm -rf /var/lib/apt/lists/*
# The number is known to compose.yaml, which gives this user its folder.
RUN useradd --system --uid 10001 --home-dir /var/lib/broadcaster --create-home --shell /usr/sbin/nologin broadcaster
# A volume that is mounted here begins as this user's.
RUN install --directory --owner 10001 --mode 0700 /var/lib/checkpoints
COPY --from=build /opt/broadcaster /opt/broadcaster
COPY deploy/connected /usr/local/bin/connected
ENV PATH=/opt/broadcaster/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/broadcaster
EXPOSE 8600
CMD ["broadcaster", "serve"]
