# Sourced by the scripts. Installs what they need and is not there yet: Debian packages by apt (as root), everything else inside the checkout.
# shellcheck shell=bash

set -euo pipefail
readonly BUN_VERSION=1.4.5
readonly HOST_PACKAGES=(mmdebstrap systemd-container apt-utils)
# An emulated machine with a kernel of its own, and the way into it.
readonly VIRTUAL_HOST_PACKAGES=(qemu-system-x86 openssh-client btrfs-progs)
# Go and its x/mod, with which others' code checks our audit log; strace, with which its writes are made to fail.
readonly AUDIT_PACKAGES=(golang-go golang-golang-x-mod-dev strace)

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec </dev/null
umask 022
export DEBIAN_FRONTEND=noninteractive
export BUN_INSTALL_CACHE_DIR="$PWD/.cache/bun"
export DO_NOT_TRACK=1

say() { printf '==> %s\n' "$*" >&2; }

is_in() {
	local word=$1 other
	shift
	for other; do [ "$word" = "$other" ] && return; done
	return 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Debian packages; fails, saying which, where they are missing and this is not root.
need_packages() {
	local missing=() package
	for package; do is_installed "$package" || missing+=("$package"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	if ! is_root; then
		say "Missing Debian packages, and only root can install them: apt-get install ${missing[*]}"
		return 1
	fi
	say "Installing Debian packages: ${missing[*]}"
	mkdir -p .cache/logs
	local log=.cache/logs/apt.txt
	apt-get -o DPkg::Lock::Timeout=300 -qq update >"$log" 2>&1 || say "apt-get update had errors; going on with the lists that are there"
	apt-get -o DPkg::Lock::Timeout=300 --yes --no-install-recommends install "${missing[@]}" >>"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

is_bun() { [ "$("$1" --version 2>/dev/null)" = "$BUN_VERSION" ]; }

# The pinned Bun, first in PATH.
need_bun() {
	local own="$PWD/.cache/tools/node_modules/.bin"
	is_bun bun && return 0
	if ! is_bun "$own/bun"; then
		command -v npm >/dev/null || need_packages npm
		say "Installing Bun $BUN_VERSION into .cache/tools"
		npm install --prefix .cache/tools --no-save --no-audit --no-fund --loglevel=error "bun@$BUN_VERSION" >&2 ||
			{ say "npm could not install Bun $BUN_VERSION"; return 1; }
	fi
	PATH="$own:$PATH"
	is_bun bun || { say "Bun $BUN_VERSION does not run on this machine"; return 1; }
}

need_dependencies() {
	need_bun && bun install --frozen-lockfile --silent
}

# Compilers for the native library: this machine's own, and what the targets need that are among these words.
need_compilers() {
	local packages=(make gcc libc6-dev)
	command -v dpkg-query >/dev/null || return 0
	if is_in all "$@" || is_in x64-musl "$@"; then packages+=(musl-tools); fi
	case "$(uname -m)" in
	x86_64) if is_in all "$@" || is_in arm64 "$@"; then packages+=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross); fi ;;
	aarch64) if is_in all "$@" || is_in x64 "$@" || is_in x64-baseline "$@"; then packages+=(gcc-x86-64-linux-gnu libc6-dev-amd64-cross); fi ;;
	esac
	need_packages "${packages[@]}"
}

need_root() {
	is_root || { say "$1 needs root: it boots a throw-away Debian host in a container"; exit 1; }
}
