#!/bin/bash
# Links the extra into a Klipper checkout and leaves that clean; -u removes it again
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

set -euo pipefail

usage() {
    cat <<'END'
Usage: scripts/install.sh [-k KLIPPER] [-e VENV] [-c CONFIG] [-s SERVICE] [-u]

  -k KLIPPER  folder that Klipper or Kalico was cloned into (~/klipper, else ~/kalico)
  -e VENV     Klipper's Python environment (~/klippy-env)
  -c CONFIG   folder with printer.cfg and moonraker.conf (~/printer_data/config)
  -s SERVICE  Klipper's systemd service (what systemd has of that kind, else klipper)
  -u          uninstall
  -h          this text

Needs no root, edits no configuration and restarts nothing: what is left to do is printed.
END
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
home=~
parts=(multi_mcu_resync.py resync)
supported="Klipper v0.11 and newer, Kalico"
# Python code that has the extra at hand as the host would, for what comes after it
with_extra='
import importlib, logging, os, sys, types
# One line is enough: the error itself says what the compiler said first
logging.disable()
root = sys.argv[1]
package = types.ModuleType("installed")
package.__path__ = [os.path.join(root, "klippy", "extras")]
sys.modules["installed"] = package
'

say() {
    echo "install: $*"
}

fail() {
    echo "install: $*" >&2
    exit 1
}


######################################################################
# Where everything is
######################################################################

find_klipper() {
    local candidate
    if [ -z "$klipper" ]; then
        for candidate in "$home/klipper" "$home/kalico"; do
            if [ -d "$candidate" ]; then
                klipper=$candidate
                break
            fi
        done
        [ -n "$klipper" ] || fail "no Klipper in ~/klipper or ~/kalico: give its folder with -k"
    fi
    [ -f "$klipper/klippy/klippy.py" ] && [ -d "$klipper/klippy/extras" ] ||
        fail "no Klipper in '$klipper' (it has no klippy/klippy.py): give its folder with -k"
    klipper=$(cd "$klipper" && pwd)
    # Kalico keeps what is not its own in a folder of its own, which its .gitignore names
    folder=klippy/extras
    [ ! -f "$klipper/klippy/plugins/__init__.py" ] || folder=klippy/plugins
}

find_python() {
    python=$venv/bin/python
    [ -x "$python" ] ||
        fail "no Python in '$venv' (it has no bin/python): give Klipper's environment with -e"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null ||
        fail "'$python' is older than Python 3.8 or does not run: renew Klipper's environment"
}

find_config() {
    if [ -n "$config" ]; then
        [ -d "$config" ] || fail "no folder '$config': give the one with printer.cfg with -c"
    else
        config=$home/printer_data/config
        [ -d "$config" ] || config=""
    fi
}

# Print the services to restart: several may share a checkout; klipper-mcu is a micro-controller
find_service() {
    local found
    found=$service
    [ -n "$found" ] ||
        found=$(systemctl list-unit-files --no-legend 'klipper*.service' 'kalico*.service' \
            2>/dev/null | sed -n 's/^\([^ ]*\)\.service .*/\1/p' | grep -v -x 'klipper-mcu' |
            paste -s -d ' ') || true
    echo "${found:-klipper}"
}


######################################################################
# What is in the way
######################################################################

check_place() {
    local owner
    owner=$(stat -c %U "$1")
    if [ "$(id -u)" = 0 ] && [ "$(stat -c %u "$1")" != 0 ]; then
        fail "'$1' belongs to $owner: run this as $owner, not as root"
    fi
    [ -w "$1" ] || fail "no permission to write into '$1': run this as $owner"
}

check_permissions() {
    local place
    for place in "$klipper/klippy/extras" "$klipper/$folder" "$root/klippy/chelper"; do
        check_place "$place"
    done
}

# What every supported host has; the differences between them are the extra's own business
check_host() {
    local missing version
    missing=$("$python" -B -c "$with_extra"'
check = importlib.import_module("installed.resync.host.source_check")
missing = check.first_missing(os.path.join(sys.argv[2], "klippy"))
if missing:
    print(*missing)
' "$root" "$klipper") || exit 1
    [ -n "$missing" ] || return 0
    [ -e "$klipper/.git" ] && version=$(git -C "$klipper" describe --tags --always 2>/dev/null) ||
        version="unknown version"
    fail "the host in '$klipper' ($version) is not supported: no '${missing#* }' in its" \
        "klippy/${missing%% *} (supported: $supported)"
}

# Import the extra and build its C helper as the host would; prints the helper if it is a new one
check_extra() {
    "$python" -B -c "$with_extra"'
venv, host_chelper = sys.argv[2:]
try:
    importlib.import_module("installed.multi_mcu_resync")
except ImportError as e:
    sys.exit("install: %s is not the environment of this Klipper (%s): give it with -e" % (venv, e))
chelper = sys.modules["installed.resync.host.chelper"]
before = os.listdir(os.path.dirname(chelper.SOURCE))
try:
    library = chelper.build(host_chelper)
except chelper.HelperError as e:
    sys.exit("install: %s" % (e,))
if os.path.basename(library) not in before:
    print(os.path.basename(library))
' "$root" "$venv" "$klipper/klippy/chelper"
}

# True if $1 is a link to our part of the same name
is_ours() {
    [ -L "$1" ] && [ "$(readlink -f "$1")" = "$(readlink -f "$root/klippy/extras/${1##*/}")" ]
}

check_foreign() {
    local path what
    for path in "$klipper"/klippy/{extras,plugins}/{multi_mcu_resync.py,resync}; do
        [ -e "$path" ] || [ -L "$path" ] || continue
        is_ours "$path" && continue
        what="is not ours"
        [ ! -L "$path" ] || what="links to '$(readlink "$path")'"
        fail "'$path' is in the way, it $what: remove it and run this again"
    done
}


######################################################################
# The checkout's list of what git is to ignore
######################################################################

# Set exclude (the list) and block (our lines in it); both stay empty outside a git checkout
find_exclude() {
    local message prefix existing
    exclude="" block=""
    if ! message=$(git -C "$klipper" rev-parse --is-inside-work-tree 2>&1); then
        [ ! -e "$klipper/.git" ] || fail "git cannot read '$klipper': ${message%%$'\n'*}"
        return 0
    fi
    # In a worktree .git is a file, and the list is that of the main checkout
    exclude=$(git -C "$klipper" rev-parse --git-path info/exclude)
    [ "${exclude:0:1}" = / ] || exclude=$klipper/$exclude
    existing=$exclude
    while [ ! -e "$existing" ]; do
        existing=$(dirname "$existing")
    done
    check_place "$existing"
    prefix=$(git -C "$klipper" rev-parse --show-prefix)
    block="# Links of multi_mcu_resync (removed by its scripts/install.sh -u)"$'\n'
    block+="/${prefix}klippy/*/multi_mcu_resync.py"$'\n'"/${prefix}klippy/*/resync"$'\n'
}

# Set text to what the list holds, up to the last line end or its absence
read_exclude() {
    text=$(cat "$exclude" 2>/dev/null; printf x)
    text=${text%x}
}

# True if git will not see our links
is_ignored() {
    local part
    for part in "${parts[@]}"; do
        git -C "$klipper" check-ignore -q "$folder/$part" || return 1
    done
}

add_exclude() {
    local text
    mkdir -p "$(dirname "$exclude")"
    read_exclude
    # At the top, since the last line may have no end
    printf '%s' "$block$text" >"$exclude"
    is_ignored && return
    remove_exclude || true
    fail "git will not ignore $folder/${parts[0]} in '$klipper': is there a '!' in a .gitignore?"
}

# False if there is nothing of ours
remove_exclude() {
    local text tree link
    [ -f "$exclude" ] || return 1
    read_exclude
    [ "${text/"$block"/}" != "$text" ] || return 1
    # Worktrees share the list
    while read -r tree; do
        for link in "$tree"/klippy/{extras,plugins}/multi_mcu_resync.py; do
            ! is_ours "$link" || return 1
        done
    done < <(git -C "$klipper" worktree list --porcelain | sed -n 's/^worktree //p')
    text=${text/"$block"/}
    if [ -n "$text" ]; then
        printf '%s' "$text" >"$exclude"
    else
        rm "$exclude"
        rmdir "$(dirname "$exclude")" 2>/dev/null || true
    fi
}


######################################################################
# Installing
######################################################################

# Link into the host's folder what is not there yet; a host that has become Kalico has two folders
link_parts() {
    local part path
    for part in "${parts[@]}"; do
        for path in "$klipper"/klippy/{extras,plugins}/"$part"; do
            if [ "$path" != "$klipper/$folder/$part" ] && is_ours "$path"; then
                rm "$path"
                changed=1
            fi
        done
        path=$klipper/$folder/$part
        is_ours "$path" && continue
        ln -s "$root/klippy/extras/$part" "$path"
        say "linked $folder/$part"
        changed=1
    done
}

# Print the configuration's .$1 files that have the section $2, but for SAVE_CONFIG's backups
files_with() {
    [ -n "$config" ] || return 0
    grep -r -l -s --include="*.$1" --exclude='printer-[0-9]*_[0-9]*.cfg' "^\[$2\]" "$config" |
        paste -s -d ' ' || true
}

# Print our remote's address and branch, false if there is none
read_origin() {
    origin=$(git -C "$root" remote get-url origin 2>/dev/null) || return 1
    [ "$(git -C "$root" rev-parse --show-toplevel)" = "$root" ] || return 1
    branch=$(git -C "$root" symbolic-ref -q --short refs/remotes/origin/HEAD) ||
        branch=$(git -C "$root" branch --show-current)
    branch=${branch#origin/}
}

print_sections() {
    local files origin branch path=$root
    files=$(files_with cfg multi_mcu_resync)
    if [ -n "$files" ]; then
        say "[multi_mcu_resync] is in $files"
    else
        say "put this into ${config:+$config/}printer.cfg:"
        printf '\n%s\n\n' "[multi_mcu_resync]"
    fi
    files=$(files_with conf "update_manager multi_mcu_resync")
    if [ -n "$files" ]; then
        say "[update_manager multi_mcu_resync] is in $files"
    elif read_origin; then
        [ "${path#"$home"/}" = "$path" ] || path="~/${path#"$home"/}"
        say "for updates by Moonraker, put this into ${config:+$config/}moonraker.conf:"
        echo
        printf '%s\n' "[update_manager multi_mcu_resync]" "type: git_repo" "path: $path" \
            "origin: $origin" "primary_branch: $branch" "managed_services: klipper" ""
    else
        say "'$root' has no git remote 'origin', so Moonraker cannot update it"
    fi
}

install_extra() {
    local built changed=0
    find_python
    check_host
    check_foreign
    check_permissions
    find_exclude
    built=$(check_extra) || exit 1
    if [ -n "$built" ]; then
        say "built the C helper $built"
        changed=1
    fi
    if [ -n "$exclude" ] && ! is_ignored; then
        add_exclude
        say "added the links to $exclude"
        changed=1
    fi
    link_parts
    if [ $changed = 0 ]; then
        say "all is installed in '$klipper' already, nothing has been changed"
    else
        say "installed in '$klipper'"
    fi
    print_sections
    if [ $changed = 1 ]; then
        say "then restart Klipper: sudo systemctl restart $(find_service)"
    fi
}


######################################################################
# Uninstalling
######################################################################

# Remove what Python has compiled from our link in folder $1, and its own folder if that was all
remove_cache() {
    local cache=$1/__pycache__
    [ ! -e "$1/multi_mcu_resync.py" ] && compgen -G "$cache/multi_mcu_resync.*.pyc" >/dev/null ||
        return 0
    rm "$cache"/multi_mcu_resync.*.pyc
    # Kalico compiles the plugin folder's own file only when there is a plugin
    if [ "${1##*/}" = plugins ] && [ "$(ls -A "$1")" = $'__init__.py\n__pycache__' ]; then
        rm -f "$cache"/__init__.*.pyc
    fi
    rmdir "$cache" 2>/dev/null || true
    changed=1
}

uninstall() {
    local part path files changed=0
    check_permissions
    find_exclude
    for path in "$klipper"/klippy/{extras,plugins}; do
        for part in "${parts[@]}"; do
            if is_ours "$path/$part"; then
                rm "$path/$part"
                changed=1
            fi
        done
        remove_cache "$path"
    done
    if [ -n "$exclude" ] && remove_exclude; then
        changed=1
    fi
    find "$root/klippy/extras/resync" -name __pycache__ -prune -exec rm -rf {} +
    rm -f "$root"/klippy/chelper/kin_resync-*.so
    if [ $changed = 0 ]; then
        say "nothing is installed in '$klipper', nothing has been changed"
        return
    fi
    say "uninstalled from '$klipper'"
    files=$(files_with cfg multi_mcu_resync)
    [ -z "$files" ] || say "remove the section [multi_mcu_resync] from $files"
    files=$(files_with conf "update_manager multi_mcu_resync")
    [ -z "$files" ] || say "remove the section [update_manager multi_mcu_resync] from $files"
    say "then restart Klipper: sudo systemctl restart $(find_service)"
}


######################################################################
# Main
######################################################################

unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
klipper="" venv=$home/klippy-env config="" service="" action=install_extra
while getopts ":k:e:c:s:uh" option; do
    case $option in
        k) klipper=$OPTARG ;;
        e) venv=$OPTARG ;;
        c) config=$OPTARG ;;
        s) service=$OPTARG ;;
        u) action=uninstall ;;
        h) usage; exit ;;
        :) fail "option -$OPTARG needs a value (-h shows more)" ;;
        *) fail "unknown option -$OPTARG (-h shows more)" ;;
    esac
done
[ $OPTIND -gt $# ] || fail "unknown argument '${!OPTIND}' (-h shows more)"
find_klipper
find_config
$action
