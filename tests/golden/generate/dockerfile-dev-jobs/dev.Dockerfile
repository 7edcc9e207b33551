# Built from the repository's root: docker build -f services/jobs/dev.Dockerfile .
# With copies of these images in another registry: --build-arg GO_IMAGE=...
ARG GO_IMAGE=golang:1.25.11-trixie@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

FROM ${GO_IMAGE} AS dev
# The image's own Go: go.mod shall not make it download another, which no digest pins.
ENV CGO_ENABLED=1 \
    GOTOOLCHAIN=local \
    GOWORK=/src/go.work
# Where modules are not public: names of hosts, and no secret.
# hadolint ignore=DL3064
ENV GOPRIVATE=git.example.com/team
WORKDIR /src/services/jobs
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOWORK=off GOBIN=/usr/local/bin go install github.com/go-delve/delve/cmd/dlv@v1.27.2
RUN chmod 0711 /root && install -d -o 1001 -g 0 /src /go/pkg/mod /root/.cache /root/.cache/go-build && \
    mkdir -p /srv && \
    { grep -q '^[^:]*:[^:]*:1001:' /etc/passwd || echo app:x:1001:0::/:/sbin/nologin >>/etc/passwd; } && \
    install -d -m 0755 -o 1001 -g 0 /data && \
    install -d -m 0750 -o 1001 -g 0 /var/cache/jobs
ENV HOME=/tmp \
    GOCACHE=/root/.cache/go-build \
    LOG_LEVEL=info
USER 1001:0
# Only the files that name modules: an edit of the sources downloads nothing.
# Private modules: docker build --secret id=netrc,src=$HOME/.netrc
RUN --mount=type=secret,id=netrc,target=/tmp/.netrc,uid=1001 \
    --mount=type=bind,source=go.work,target=/src/go.work \
    --mount=type=bind,source=lib/go.mod,target=/src/lib/go.mod \
    --mount=type=bind,source=services/jobs/go.mod,target=/src/services/jobs/go.mod \
    --mount=type=bind,source=services/jobs/go.sum,target=/src/services/jobs/go.sum \
    go mod download && go mod verify
COPY services/jobs/templates /srv/templates/
# More authorities: Go reads each file of that folder.
COPY --chmod=0444 deploy/ca.pem /etc/ssl/certs/wherry-1.pem
COPY --chown=1001:0 . /src/
EXPOSE 9099/tcp 5353/udp 2345/tcp
# Delve compiles without optimization and does not wait for a debugger to come.
ENTRYPOINT ["dlv", "debug", "--headless", "--listen=:2345", "--api-version=2", "--accept-multiclient", \
    "--continue", "--output=/tmp/jobs", "--build-flags=-buildvcs=false -tags=netgo", "--wd=/srv", \
    ".", "--", "--verbose"]
