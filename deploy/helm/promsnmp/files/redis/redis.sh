# Redis as master or as a replica of the master.
. /scripts/common.sh
set -- --dir /data --appendonly yes --requirepass "$REDIS_PASSWORD" --masterauth "$REDIS_PASSWORD" \
    --replica-announce-ip "$me" --bind "${REDIS_BIND:-* -::*}"
[ "$master" = "$me" ] || set -- "$@" --replicaof "$master" 6379
exec redis-server "$@"
