# Built from the repository's root: docker build -f dev.Dockerfile .
# With copies of these images in another registry: --build-arg GO_IMAGE=...
ARG GO_IMAGE=golang:1.26.8-trixie@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

FROM ${GO_IMAGE} AS dev
# The image's own Go: go.mod shall not make it download another, which no digest pins.
ENV CGO_ENABLED=0 \
    GOWORK=off \
    GOTOOLCHAIN=local
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOWORK=off GOBIN=/usr/local/bin go install github.com/go-delve/delve/cmd/dlv@v1.27.2
RUN chmod 0711 /root && install -d -o 65532 -g 65532 /src /go/pkg/mod /root/.cache /root/.cache/go-build && \
    { grep -q '^[^:]*:[^:]*:65532:' /etc/passwd || echo nonroot:x:65532:65532::/home/nonroot:/sbin/nologin >>/etc/passwd; } && \
    { grep -q '^[^:]*:[^:]*:65532:' /etc/group || echo nonroot:x:65532: >>/etc/group; } && \
    install -d -m 0700 -o 65532 -g 65532 /home/nonroot
ENV HOME=/tmp \
    GOCACHE=/root/.cache/go-build
USER 65532:65532
# Only the files that name modules: an edit of the sources downloads nothing.
RUN --mount=type=bind,source=go.mod,target=/src/go.mod \
    --mount=type=bind,source=go.sum,target=/src/go.sum \
    go mod download && go mod verify
COPY --chown=65532:65532 . /src/
EXPOSE 8080/tcp 2345/tcp
# Delve compiles without optimization and does not wait for a debugger to come.
ENTRYPOINT ["dlv", "debug", "--headless", "--listen=:2345", "--api-version=2", "--accept-multiclient", \
    "--continue", "--output=/tmp/api", "--build-flags=-buildvcs=false", "--wd=/", "./cmd/api"]
