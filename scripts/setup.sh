# SPDX-License-Identifier: Apache-2.0
# setup.sh -- what scripts/start, scripts/test and .ci/run share: the packages and the build.  Sourced by bash, from the
# project's root.  Installs nothing that is there already, and calls apt only where something is missing.

# What a build and its tests need, all from Debian 12's own repositories.
flow_packages=(gcc libc6-dev cmake ninja-build pkg-config re2c bison llvm-19-dev check libsubunit-dev
  libjansson-dev libzip-dev libedit-dev librandom123-dev libutf8proc-dev libmpfr-dev)

say() { printf '== %s\n' "$*"; }
die() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Prints those of the packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

# The command that apt is run with: nothing for root, else sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "packages are missing ($missing), and this is neither root nor a user with sudo; as root: apt-get install --no-install-recommends $missing"
  fi
}

require_debian_12() {
  local name=an\ unknown\ system ID='' VERSION_ID='' PRETTY_NAME=''
  # shellcheck disable=SC1091
  if [ -r /etc/os-release ]; then . /etc/os-release; name=${PRETTY_NAME:-$ID}; fi
  { [ "$ID" = debian ] && [ "$VERSION_ID" = 12 ] && command -v apt-get >/dev/null; } ||
    die "packages are missing ($missing), and this script installs them on Debian 12 only (this is $name); install their like, then: cmake --preset release && ninja -C build"
}

# need_packages NAME...: installs those that are missing.
need_packages() {
  local missing log
  command -v dpkg-query >/dev/null || { missing=$*; require_debian_12; }
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  require_debian_12
  say "installing: $missing"
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update >"$log" 2>&1 ||
    say "apt-get update failed ($(grep -m1 -E '^(E|W|Err)' "$log" || tail -n 1 "$log")); trying with the lists that are there"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends $missing >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: $missing"
  }
  rm -f "$log"
}

# build_preset PRESET FOLDER [TARGET...]: configures once, then builds; quiet unless it fails.
build_preset() {
  local preset=$1 folder=$2 log=$2/build.log
  shift 2
  mkdir -p "$folder"
  say "building $folder (preset $preset)"
  { cmake --preset "$preset" && ninja -C "$folder" "$@"; } >"$log" 2>&1 || {
    grep -E -A 12 -m 5 'error|FAILED|Error' "$log" >&2 || tail -n 40 "$log" >&2
    printf '%s: error: the build failed; all of its output: %s\n' "${0##*/}" "$log" >&2
    return 1
  }
}
