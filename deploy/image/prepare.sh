#!/bin/sh
# Installs what the build needs and its base image lacks: a Python with venv and headers, a C compiler, and the programs
# that the default image has.
set -eu

missing=""
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
if command -v python3 >/dev/null; then
    python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    python3 -c 'import pathlib, sysconfig
raise SystemExit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || missing="$missing python3-dev"
else
    missing="$missing python3 python3-venv python3-dev"
fi
for tool in strip:binutils busybox:busybox curl:curl; do
    command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
done
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ -e /usr/share/zoneinfo/UTC ] || missing="$missing tzdata"
[ -n "$missing" ] || exit 0

apt-get update -q
# shellcheck disable=SC2086  # words
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
rm -rf /var/lib/apt/lists/*
