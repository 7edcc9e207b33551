# Built from the repository's root: docker build -f shop-api.Dockerfile --build-arg VERSION=1.2.3 .
# With copies of these images in another registry: --build-arg GO_IMAGE=... --build-arg BASE_IMAGE=...
ARG GO_IMAGE=golang:1.26.8-trixie@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ARG BASE_IMAGE=gcr.io/distroless/static-debian13:nonroot@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# Go compiles for any platform on this machine's: nothing is emulated.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
# The image's own Go: go.mod shall not make it download another, which no digest pins.
ENV CGO_ENABLED=0 \
    GOWORK=off \
    GOTOOLCHAIN=local
WORKDIR /src
# Only the files that name modules: an edit of the sources downloads nothing.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=bind,source=go.mod,target=/src/go.mod \
    --mount=type=bind,source=go.sum,target=/src/go.sum \
    go mod download && go mod verify
ARG TARGETOS
ARG TARGETARCH
ARG TARGETVARIANT
ARG VERSION=dev
# .git comes with the sources: Go writes the commit into the program (go version -m shows it).
# Podman mounts it with its owner, and git would not read another user's repository.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    --mount=type=bind,target=/src \
    git config --global --add safe.directory /src && \
    export GOOS="$TARGETOS" GOARCH="$TARGETARCH" && \
    case "$TARGETARCH/$TARGETVARIANT" in \
      arm/?*) export GOARM="${TARGETVARIANT#v}" ;; \
      amd64/?*) export GOAMD64="$TARGETVARIANT" ;; \
    esac && \
    go build -trimpath -buildvcs=true -ldflags="-w '-X=main.version=$VERSION'" -o /out/app/api ./cmd/api

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS wherry
ARG TARGETARCH
# The health check: a static program of less than 1 KB, since a small image has neither shell nor curl.
# It asks 127.0.0.1 for PORT and PATH, and 0 or 1 is its answer. Assembled from wherry's src/wherry/probe.
RUN case "$TARGETARCH" in \
      amd64) printf %s \
        f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAAsABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAACAAAAAAAAAAEAAAAFAAAA \
        AAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAA6QIAAAAAAADpAgAAAAAAAAAAAQAAAAAAUeV0ZAYAAAAAAAAAAAAAAAAAAAAAAAAA \
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAABIieWLRQCD6AOD+AEPh3UBAAC4AgAAAEiLdSBIhfZ0BehuAQAAicNq \
        AEiNBVcBAABQaAAAAARQvw4AAABIieYx0kG6CAAAALgNAAAADwW/AgAAAEiNdCQYuA4AAAAPBWoAU2oAagC/AAAAAEiJ5rgm \
        AAAADwVIi3UQ6BUBAACG4MHgEEi6AAAAAAAAAAFqAFJqAI1QClJIugAAAAB/AAABSI1UAgJqAFJJieDoCgEAAHQQTI1EJBDo \
        /gAAAA+FxQAAAEiLdRiAPi8PhbgAAAAx0v/CigQWPCB394TAD4WlAAAASI0FBQEAAGpLUFJWSI0F9QAAAGoEUEiJ4GoAagBq \
        AGoDUGoAagCJ30iJ5roAQAAAuC4AAAAPBUiFwHhpSIPsEDHtid9IjTQsug0AAAAp6rgAAAAADwWFwH5LAcWD/Q1y4UiLBCRI \
        D7rwOEg7BY8AAAB1MoB8JAggdSuKRCQMPCB0BDwNdR/GRCQMAEiNdCQJ6BwAAAAtyAAAAD3HAAAAdwQx/+sFvwEAAAC45wAA \
        AA8FMcAPtg6FyXQZg+kwg/kJd+NrwAoByD3//wAAd9dI/8br4IXAdM7DQQ+3OL4BAAAAMdK4KQAAAA8FicOJx0yJxrocAAAA \
        uCoAAAAPBYXAw0hUVFAvMS4wR0VUICBIVFRQLzEuMA0KSG9zdDogbG9jYWxob3N0DQpVc2VyLUFnZW50OiB3aGVycnktcHJv \
        YmUNCkNvbm5lY3Rpb246IGNsb3NlDQoNCg== ;; \
      arm64) printf %s \
        f0VMRgIBAQAAAAAAAAAAAAIAtwABAAAAsABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAACAAAAAAAAAAEAAAAFAAAA \
        AAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAAMwMAAAAAAAAzAwAAAAAAAAAAAQAAAAAAUeV0ZAYAAAAAAAAAAAAAAAAAAAAAAAAA \
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAADzAwCRYAJA+QAMANEfBADxaA0AVEAAgNJhEkD5QQAAtGoAAJT0AwCq \
        /3+/qYAMABDgf7+pwAGA0uEDAJHiAx+qAwGA0sgQgNIBAADUQACA0uFjAJHoEIDSAQAA1PR/v6n/f7+pAACA0uEDAJHoDIDS \
        AQAA1GEKQPlUAACUAATAWgC8cNMBIODS4X+/qQEoAJHhf7+p4Q/A0gEg4PIhAACLIQgAkeF/v6n1AwCRVQAAlIAAALT1QwCR \
        UgAAlAAIALVhDkD5IABAOR+8AHGBBwBU4gMfqkIEAJEgaGI4H4AAcaj//1TABgA1gwoAEGQJgNLjE7+p4Qu/qeMJABCEAIDS \
        4xO/qeMDAJFkAIDS/3+/qf9/v6njE7+p/3+/qeADFKrhAwCRAgCI0mgagNIBAADUYAT4t/9DANHzAx+q4AMUquFjM4uiAYDS \
        QgATy+gHgNIBAADUHwAA8S0DAFRzAgCLfzYA8cP+/1TgA0D5APhHkuEFAFgfAAHrIQIAVOAjQDkfgABxwQEAVOAzQDkfgABx \
        YAAAVB80AHEhAQBU/zMAOeEnAJEJAACUACAD0R8cA/FoAABUAACA0gIAABQgAIDSyAuA0gEAANTgAx+qQgGA0uP/n9IkFEA4 \
        BAEANITAAFGfJABxyP7/VAAQApsfAAPraP7/VPj//xcg/v+0wANf1qACQHkhAIDS4gMfqsgYgNIBAADU9AMAquEDFaqCA4DS \
        aBmA0gEAANTAA1/WSFRUUC8xLjBHRVQgIEhUVFAvMS4wDQpIb3N0OiBsb2NhbGhvc3QNClVzZXItQWdlbnQ6IHdoZXJyeS1w \
        cm9iZQ0KQ29ubmVjdGlvbjogY2xvc2UNCg0K ;; \
      *) echo "wherry has no probe for $TARGETARCH" >&2; exit 1 ;; \
    esac >/tmp/probe && mkdir -p /out && base64 -d /tmp/probe >/out/probe

FROM ${BASE_IMAGE} AS final
WORKDIR /
COPY --from=wherry --chmod=0555 /out/ /wherry/
COPY --from=build --chmod=0555 /out/app/ /app/
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title=shop-api \
    org.opencontainers.image.source=https://github.com/example/shop \
    org.opencontainers.image.licenses=Apache-2.0 \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
EXPOSE 8080/tcp
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/wherry/probe", "8080", "/healthz", "2"]
ENTRYPOINT ["/app/api"]
