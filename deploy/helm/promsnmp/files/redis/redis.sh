# Redis as master or as a replica of the master. A master that lost its replicas stops to take writes before the sentinels
# miss it (down-after-milliseconds in sentinel.sh): else it would keep a leader while the next master elects another one.
. /scripts/common.sh
# Valkey cannot read the files of Redis 7.4, so it has a folder of its own.
dir="${REDIS_DIR:-/data}"
if command -v valkey-server >/dev/null; then dir="$dir/valkey" && mkdir -p "$dir"; fi
set -- --dir "$dir" --appendonly yes --requirepass "$REDIS_PASSWORD" --masterauth "$REDIS_PASSWORD" \
    --replica-announce-ip "$me" --bind "${REDIS_BIND:-* -::*}" \
    --min-replicas-to-write 1 --min-replicas-max-lag 3
[ "$master" = "$me" ] || set -- "$@" --replicaof "$master" 6379
exec redis-server "$@"
