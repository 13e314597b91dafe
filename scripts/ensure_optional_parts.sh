#!/usr/bin/env bash
# Make sure the parts that only the full check needs are present: Chromium (browser tests) and PostgreSQL.
# Installs them from the distribution's packages when run as root; otherwise says what is missing.
set -euo pipefail

missing=()

if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null \
  && ! command -v google-chrome >/dev/null; then
  missing+=(chromium fonts-liberation)
fi
if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  missing+=(postgresql)
fi

if [ ${#missing[@]} -eq 0 ]; then
  echo "Optional parts: Chromium and PostgreSQL are here."
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "Optional parts: ${missing[*]} missing, and this machine has no apt-get." >&2
  echo "Install Chromium and PostgreSQL with your own package manager, then run make check again." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "Optional parts: ${missing[*]} missing, and installing packages needs root." >&2
  echo "Run: sudo apt-get install --no-install-recommends ${missing[*]}   then make check again." >&2
  exit 1
fi

echo "Optional parts: installing ${missing[*]} with apt-get (one to three minutes)."
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends "${missing[@]}"
echo "Optional parts: ${missing[*]} installed."
