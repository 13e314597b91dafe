#!/bin/sh
# Make sure that the namespace exists; its runs are kept for 30 days after they end.
set -eu

if ! temporal operator namespace describe --namespace "$ASSENT_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$ASSENT_NAMESPACE" --retention 30d
fi
