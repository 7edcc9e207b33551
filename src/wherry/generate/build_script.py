"""Applications in, build.sh out: images from Dockerfiles, for machines that have Docker and not wherry. Touches nothing.

What differs between applications is data in one function, `choose`; the rest is the same in every repository. It is bash for its
arrays: a list of arguments never becomes text that is split again.
"""

from __future__ import annotations

from typing import Final

from wherry.generate.names import NETRC, Applications, dockerfile, from_home, from_root, service
from wherry.generate.shell import COMMITTED, EPOCH, REVISION, TAG, UNCOMMITTED, described, package, quoted
from wherry.generate.text import apart
from wherry.generate.use import Here, Use
from wherry.model.application import Application
from wherry.model.file import Choice, File

FILE: Final = "build.sh"


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """One script for all of them. UsageError [same-name]."""
    apart(map(service, applications), file=FILE)
    return (File(path=FILE, text="\n".join((_HEAD, _data(applications), _BODY)), executable=True),)


def uses(applications: Applications, _: Choice, here: Here) -> tuple[Use, ...]:
    """The script itself."""
    script = here(from_root(applications, FILE))
    return (Use(command=f"{'' if '/' in script else './'}{quoted(script)}"),)


def _data(applications: Applications) -> str:
    names = " ".join(_single(service(one)) for one in applications)
    cases = "".join(_case(applications, one) for one in applications)
    return f"""\
names=({names})
root={_single(from_home(applications))} # where the build's context begins

# choose NAME: what there is to know about it.
choose() {{
  case "$1" in
{cases}    *) usage_error "there is no $1 here, only ${{names[*]}}" ;;
  esac
}}
"""


def _case(applications: Applications, application: Application) -> str:
    known = {
        "image": application.image,
        "file": dockerfile(applications, application, ""),
        "package": package(applications, application),
        "private": "yes" if application.sources.private else "",
    }
    lines = "".join(f"      {name}={_single(value)}\n" for name, value in known.items())
    described_by = f"      describe() {{ {described(application)}; }}\n"
    return f"    {_single(service(application))})\n{lines}{described_by}      ;;\n"


def _single(text: str) -> str:
    """A text as the shell's word: all of it is quoted, also what would need none today."""
    return "'" + text.replace("'", "'\\''") + "'"


_HEAD: Final = """\
#!/usr/bin/env bash
# Builds with Docker, scans, and pushes what was scanned. ./build.sh --help
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
"""

_USAGE: Final = r"""
usage() {
  cat <<'TEXT'
usage: ./build.sh [OPTION]... [NAME]...

  -t, --tag NAME     call the image so (IMAGE:VERSION); may be repeated
  --push             push it, unless it is not committed or not scanned
  --platform LIST    linux/amd64,linux/arm64; several only with --push
  --target STAGE     build up to this stage and stop: test
  --no-cache         believe no earlier build
  --cache NAME       keep all layers there: registry.example.com/app:cache
  --no-scan          do without a scanner
  --force            push what no commit describes
  -h, --help         this

Variables: IMAGE (registry and name), VERSION, SOURCE_DATE_EPOCH, NETRC,
DOCKERFILE and BUILD_CONTEXT (as seen from this script), NO_COLOR.
TEXT
}

red='' green='' yellow='' plain=''
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
fi
log_info() { printf '%s[INFO]%s %s\n' "$green" "$plain" "$*" >&2; }
log_warn() { printf '%s[WARN]%s %s\n' "$yellow" "$plain" "$*" >&2; }
log_error() { printf '%s[ERROR]%s %s\n' "$red" "$plain" "$*" >&2; }
fail() {
  log_error "$*"
  exit 1
}
usage_error() {
  log_error "$*"
  usage >&2
  exit 2
}
"""

_FACTS: Final = f"""
# What the user says, else wherry's word, else git's.
version_of() {{
  if [ -n "${{VERSION:-}}" ]; then
    printf '%s\\n' "$VERSION"
  elif ! command -v wherry >/dev/null || ! wherry plan --only version "$package" 2>/dev/null; then
    describe
  fi
}}

# facts: sets version, revision and epoch. A tag's name may hold anything, so all of it stays quoted.
facts() {{
  version="$(version_of)"
  revision="$({REVISION})"
  epoch="${{SOURCE_DATE_EPOCH:-$({EPOCH})}}"
  case "$epoch" in '' | *[!0-9]*) fail "SOURCE_DATE_EPOCH is no number of seconds: $epoch" ;; esac
}}

# in_registry NAME: whether it names a registry, without which nothing can be pushed.
in_registry() {{
  case "$1" in */*) ;; *) return 1 ;; esac
  case "${{1%%/*}}" in *.* | *:* | localhost) ;; *) return 1 ;; esac
}}

check_tools() {{
  command -v docker >/dev/null || fail "docker is not installed"
  docker version >/dev/null 2>&1 || fail "no Docker engine answers; \\`docker version\\` says why"
  if [ -n "$cache$several" ]; then
    docker buildx version >/dev/null 2>&1 || fail "--cache and several platforms need Docker's buildx plugin"
  fi
  [ -f "$file" ] || fail "there is no $file; \\`wherry generate dockerfile\\` writes one"
  [ -z "$private" ] || [ -f "$netrc" ] || fail "private modules need credentials, and there is no $netrc"
}}

# committed: whether a commit describes what is built; a version that somebody says needs none.
committed() {{
  case "$version" in *dirty) return 1 ;; esac
  [ -n "${{VERSION:-}}" ] || {COMMITTED}
}}

check_push() {{
  for tag in "${{tags[@]}}"; do
    in_registry "$tag" || fail "$tag names no registry, so it cannot be pushed: IMAGE=registry.example.com/team/name"
  done
  [ -n "$force" ] || committed || fail "{UNCOMMITTED} --force"
}}
"""

_STEPS: Final = f"""
# build COMMAND...: the same image whatever starts the build and wherever it goes.
build() {{
  local arguments=(--file "$file" --build-arg "VERSION=$version" --build-arg "REVISION=$revision")
  arguments+=(--build-arg "SOURCE_DATE_EPOCH=$epoch")
  [ -z "$private" ] || arguments+=(--secret "id={NETRC},src=$netrc")
  [ -z "$no_cache" ] || arguments+=(--no-cache)
  [ -z "$target" ] || arguments+=(--target "$target")
  if [ -n "$cache" ]; then
    arguments+=(--cache-from "type=registry,ref=$cache")
    # Written where it is read: a cache that nobody pushes never hits. mode=max keeps the stages that compile, too.
    [ -z "$push" ] || arguments+=(--cache-to "type=registry,ref=$cache,mode=max,image-manifest=true")
  fi
  if [ -z "$target" ]; then
    for tag in "${{tags[@]}}"; do arguments+=(--tag "$tag"); done
  fi
  "$@" "${{arguments[@]}}" "$context" >&2
}}

build_image() {{
  local command=(docker build)
  log_info "building $1 $version from $file"
  [ -z "$cache" ] || command=(docker buildx build --load)
  [ -z "$platform" ] || [ -n "$several" ] || command+=(--platform "$platform")
  build "${{command[@]}}"
  log_info "built $1"
}}

# An image is pushed only after a scanner has passed it, and a missing scanner passes nothing.
security_scan() {{
  if [ -n "$no_scan" ]; then
    log_warn "not scanned: --no-scan"
  elif command -v trivy >/dev/null; then
    log_info "scanning ${{tags[0]}} with trivy"
    trivy image --exit-code 1 --severity HIGH,CRITICAL "${{tags[0]}}" >&2 || fail "trivy did not pass ${{tags[0]}}"
  elif command -v grype >/dev/null; then
    log_info "scanning ${{tags[0]}} with grype"
    grype --fail-on high "${{tags[0]}}" >&2 || fail "grype did not pass ${{tags[0]}}"
  elif [ -n "$push" ]; then
    fail "neither trivy nor grype is here, and what nobody scanned is not pushed: install one, or --no-scan"
  else
    log_warn "not scanned: neither trivy nor grype is here"
  fi
}}

push_image() {{
  if [ -n "$several" ]; then
    # The scan saw this machine's platform; the others are built now, for no engine can hold several under one name.
    log_info "building for $platform and pushing"
    build docker buildx build --platform "$platform" --push
  else
    for tag in "${{tags[@]}}"; do
      log_info "pushing $tag"
      docker push "$tag" >&2
    done
  fi
}}

# one NAME: build, scan, push.
one() {{
  choose "$1"
  image="${{IMAGE:-$image}}" file="${{DOCKERFILE:-$file}}" context="${{BUILD_CONTEXT:-$root}}" netrc="${{NETRC:-$HOME/.netrc}}"
  check_tools
  facts
  tags=("$image:$(printf %s "$version" | {TAG})")
  [ ${{#asked_tags[@]}} -eq 0 ] || tags=("${{asked_tags[@]}}")
  [ -z "$push" ] || check_push
  build_image "$1"
  [ -z "$target" ] || return 0
  security_scan
  [ -z "$push" ] || push_image
  printf '%s\\n' "${{tags[@]}}"
}}
"""

_MAIN: Final = r"""
# value OPTION VALUE: that there is one.
value() { [ $# -ge 2 ] && [ -n "$2" ] || usage_error "$1 needs a value"; }

main() {
  # Docker's default since 23; Debian 12 has 20.10.
  export DOCKER_BUILDKIT="${DOCKER_BUILDKIT:-1}"
  push='' platform='' several='' target='' no_cache='' cache='' no_scan='' force=''
  asked_tags=()
  local chosen=()
  while [ $# -gt 0 ]; do
    case "$1" in
      -t | --tag) value "$@" && asked_tags+=("$2") && shift ;;
      --platform) value "$@" && platform="$2" && shift ;;
      --target) value "$@" && target="$2" && shift ;;
      --cache) value "$@" && cache="$2" && shift ;;
      --push) push=yes ;;
      --no-cache) no_cache=yes ;;
      --no-scan) no_scan=yes ;;
      --force) force=yes ;;
      -h | --help) usage && exit 0 ;;
      -*) usage_error "there is no option $1" ;;
      *) chosen+=("$1") ;;
    esac
    shift
  done
  [ ${#chosen[@]} -gt 0 ] || chosen=("${names[@]}")
  case "$platform" in *,*) several=yes ;; esac
  [ -z "$several" ] || [ -n "$push" ] || usage_error "several platforms need --push: no engine holds them under one name"
  [ -z "$target" ] || [ -z "$push" ] || usage_error "--target builds no image that could be pushed"
  if [ ${#chosen[@]} -gt 1 ] && { [ ${#asked_tags[@]} -gt 0 ] || [ -n "${IMAGE:-}" ]; }; then
    usage_error "one name for ${#chosen[@]} images: say which one is meant, ${chosen[*]}"
  fi
  for name in "${chosen[@]}"; do one "$name"; done
}

main "$@"
"""

_BODY: Final = "".join((_USAGE.lstrip("\n"), _FACTS, _STEPS, _MAIN))
