#!/bin/sh
# Create Temporal's two databases on first start, and bring their tables up to date on every start.
set -eu

tool() {
  database=$1
  shift
  temporal-sql-tool --plugin "$DB" --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" --db "$database" "$@"
}

bring_up_to_date() {
  tool "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  tables=${pair#*:}
  # Setting up again would forget which version the tables have, so it is done only where none are.
  if ! bring_up_to_date "$database" "$tables" 2>/dev/null; then
    tool "$database" create
    tool "$database" setup-schema -v 0.0
    bring_up_to_date "$database" "$tables"
  fi
done
