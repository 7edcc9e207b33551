# Built from the repository's root: docker build -f jobs.Dockerfile --build-arg VERSION=1.2.3 .
# With copies of these images in another registry: --build-arg GO_IMAGE=... --build-arg BASE_IMAGE=...
ARG GO_IMAGE=golang:1.25.11-trixie@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ARG BASE_IMAGE=gcr.io/distroless/base-debian13:nonroot@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# C code needs the C compiler of the platform it is for: another platform than this machine's is emulated.
FROM ${GO_IMAGE} AS build
# The image's own Go: go.mod shall not make it download another, which no digest pins.
ENV CGO_ENABLED=1 \
    GOTOOLCHAIN=local \
    GOWORK=/src/go.work
# Where modules are not public: names of hosts, and no secret.
# hadolint ignore=DL3064
ENV GOPRIVATE=git.example.com/team
WORKDIR /src/services/jobs
# Only the files that name modules: an edit of the sources downloads nothing.
# Private modules: docker build --secret id=netrc,src=$HOME/.netrc
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    --mount=type=bind,source=go.work,target=/src/go.work \
    --mount=type=bind,source=lib/go.mod,target=/src/lib/go.mod \
    --mount=type=bind,source=services/jobs/go.mod,target=/src/services/jobs/go.mod \
    --mount=type=bind,source=services/jobs/go.sum,target=/src/services/jobs/go.sum \
    go mod download && go mod verify
ARG TARGETARCH
ARG TARGETVARIANT
# .git comes with the sources: Go writes the commit into the program (go version -m shows it).
# Podman mounts it with its owner, and git would not read another user's repository.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=secret,id=netrc,target=/root/.netrc \
    --mount=type=bind,target=/src \
    git config --global --add safe.directory /src && \
    case "$TARGETARCH/$TARGETVARIANT" in \
      arm/?*) export GOARM="${TARGETVARIANT#v}" ;; \
      amd64/?*) export GOAMD64="$TARGETVARIANT" ;; \
    esac && \
    go build -trimpath -buildvcs=true -tags=netgo -ldflags="-s -w" -o /out/app/jobs . && \
    go build -trimpath -buildvcs=true -tags=netgo -o /out/app/jobctl ./cmd/jobctl

# The user's name is added to the base's own lists.
FROM ${BASE_IMAGE} AS base

# What the base lacks: a name for the user, folders of the user's own.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS files
COPY --from=base /etc/passwd /out/etc/
RUN { grep -q '^[^:]*:[^:]*:1001:' /out/etc/passwd || echo app:x:1001:0::/:/sbin/nologin >>/out/etc/passwd; } && \
    install -d -m 0755 -o 1001 -g 0 /top/data && \
    install -d -m 0750 -o 1001 -g 0 /out/var/cache/jobs

FROM ${BASE_IMAGE} AS final
WORKDIR /srv
ENV LOG_LEVEL=info
COPY --from=files /top/ /
COPY --from=files /out/var/cache/ /var/cache/
COPY --from=files /out/etc/passwd /etc/
COPY services/jobs/templates /srv/templates/
# More authorities: Go reads each file of that folder.
COPY --chmod=0444 deploy/ca.pem /etc/ssl/certs/wherry-1.pem
COPY --from=build --chmod=0555 /out/app/ /app/
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title=jobs \
    team=core \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
VOLUME ["/data"]
EXPOSE 9099/tcp 5353/udp
USER 1001:0
ENTRYPOINT ["/app/jobs"]
CMD ["--verbose"]
