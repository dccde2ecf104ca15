# Sourced by redis.sh and sentinel.sh: the name of this pod, and the master according to the sentinels of the other pods.
# If no sentinel answers, the whole set is starting, and its first pod is the master.
set -eu
me="$POD_NAME.{{ include "promsnmp.redis" . }}.{{ include "promsnmp.namespace" . }}.svc"
master=""
for host in {{ include "promsnmp.redis.sentinels" . }}; do
    if [ "$host" != "$me" ]; then
        master=$(timeout 3 redis-cli --no-auth-warning -h "$host" -p 26379 \
            SENTINEL get-master-addr-by-name {{ .Values.redis.sentinel.masterSet }} 2>/dev/null | head -n 1) || master=""
    fi
    [ -z "$master" ] || break
done
case "$master" in
    "" | *" "*) master="{{ include "promsnmp.redis" . }}-0.{{ include "promsnmp.redis" . }}.{{ include "promsnmp.namespace" . }}.svc" ;;
esac
