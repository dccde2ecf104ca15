# A sentinel; it writes to its own file and learns the rest from the other sentinels.
. /scripts/common.sh
file="${SENTINEL_DIR:-/sentinel}/sentinel.conf"
cat >"$file" <<CONF
port 26379
bind ${REDIS_BIND:-* -::*}
dir ${SENTINEL_DIR:-/sentinel}
requirepass "$REDIS_PASSWORD"
sentinel sentinel-pass "$REDIS_PASSWORD"
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $me
sentinel monitor {{ .Values.redis.sentinel.masterSet }} $master 6379 {{ .Values.redis.sentinel.quorum }}
sentinel auth-pass {{ .Values.redis.sentinel.masterSet }} $REDIS_PASSWORD
sentinel down-after-milliseconds {{ .Values.redis.sentinel.masterSet }} 5000
sentinel failover-timeout {{ .Values.redis.sentinel.masterSet }} 30000
CONF
exec redis-server "$file" --sentinel
