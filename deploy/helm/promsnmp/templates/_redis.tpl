{{/* Addresses of the sentinels, comma separated. */}}
{{- define "promsnmp.redis.sentinels" -}}
{{- $root := . -}}
{{- $name := include "promsnmp.redis" . -}}
{{- $hosts := list -}}
{{- range $number := until (int .Values.redis.sentinel.replicas) -}}
{{- $hosts = append $hosts (printf "%s-%d.%s.%s.svc" $name $number $name (include "promsnmp.namespace" $root)) -}}
{{- end -}}
{{- join " " $hosts -}}
{{- end -}}

{{/* Kubernetes puts the password in, which is the same for Redis and sentinels. */}}
{{- define "promsnmp.redis.sentinelUrl" -}}
{{- $hosts := list -}}
{{- range splitList " " (include "promsnmp.redis.sentinels" .) -}}{{- $hosts = append $hosts (printf "%s:26379" .) -}}{{- end -}}
redis+sentinel://{{ join "," $hosts }}/{{ .Values.redis.sentinel.masterSet }}/0?sentinel_password=$(REDIS_PASSWORD)
{{- end -}}

{{- define "promsnmp.redis.env" -}}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "promsnmp.secret" . }}
      key: REDIS_PASSWORD
      {{- if ne (include "promsnmp.redis.installed" .) "sentinel" }}
      optional: true
      {{- end }}
- name: REDISCLI_AUTH
  valueFrom:
    secretKeyRef:
      name: {{ include "promsnmp.secret" . }}
      key: REDIS_PASSWORD
      {{- if ne (include "promsnmp.redis.installed" .) "sentinel" }}
      optional: true
      {{- end }}
{{- if eq (include "promsnmp.redis.installed" .) "sentinel" }}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
{{- end -}}
