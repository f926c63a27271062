#!/usr/bin/env bash
# Keeps a PostgreSQL table equal to a view of a sluice database, whatever is deleted, edited or restarted.
#
# usage: follow.sh DB VIEW [--once]
#
# PGHOST, PGDATABASE and so on say which server, as for psql. It may be killed at any time, as may the
# server: the position is kept in the transaction that applies what was told before it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
db=$1 view=$2 once=${3:-}

run_psql() { psql --no-psqlrc --quiet --tuples-only --no-align "$@"; }

follow_once() {
    run_psql --file "$here/schema.sql" 2>/dev/null
    position=$(run_psql --command 'SELECT position FROM follow_position')
    if [ -n "$position" ]; then from=(--from "$position"); else from=(--since-start); fi
    sluice follow "$db" --view "$view" "${from[@]}" --positions --once |
        run_psql --file "$here/apply.sql"
}

if [ "$once" = --once ]; then
    follow_once
    exit
fi
while true; do
    follow_once || echo "follow.sh: trying again" >&2
    sleep 1
done
