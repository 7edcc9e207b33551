"""The environment variables Go reads as settings (`go help environment`, Go 1.26), and those its C compiler reads.
Touches nothing."""

from __future__ import annotations

from typing import Final

GO: Final = (
    *(
        "GCCGO",
        "GO111MODULE",
        "GOAUTH",
        "GOBIN",
        "GOCACHE",
        "GOCACHEPROG",
        "GODEBUG",
        "GOENV",
        "GOEXPERIMENT",
        "GOFIPS140",
        "GOFLAGS",
    ),
    *(
        "GOINSECURE",
        "GOMODCACHE",
        "GONOPROXY",
        "GONOSUMDB",
        "GOPATH",
        "GOPRIVATE",
        "GOPROXY",
        "GOROOT",
        "GOSUMDB",
        "GOTMPDIR",
    ),
    *("GOTOOLCHAIN", "GOVCS", "GOWORK", "GO_EXTLINK_ENABLED", "GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64"),
    *("GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64"),
)
CGO_FLAGS: Final = tuple(
    f"CGO_{kind}{rule}"
    for kind in ("CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS")
    for rule in ("", "_ALLOW", "_DISALLOW")
)
CGO: Final = (
    *("CGO_ENABLED", "AR", "CC", "CXX", "FC", "PKG_CONFIG", *CGO_FLAGS),
    *("PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH"),
)
SETTINGS: Final = frozenset((*GO, *CGO))
