{{/* Names and labels. The default fullname of a release called promsnmp is promsnmp. */}}
{{- define "promsnmp.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "promsnmp.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "promsnmp.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "promsnmp.selector" -}}
app.kubernetes.io/name: {{ include "promsnmp.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "promsnmp.common" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "promsnmp.labels" -}}
{{ include "promsnmp.selector" . }}
{{ include "promsnmp.common" . }}
{{- end -}}

{{- define "promsnmp.image" -}}
{{ include "promsnmp.named" (dict "image" .Values.image "tag" .Chart.AppVersion) }}
{{- end -}}

{{- define "promsnmp.redis.image" -}}
{{ include "promsnmp.named" (dict "image" .Values.redis.image "tag" "") }}
{{- end -}}

{{/* The name of an image: with its digest, or with its tag, which is `tag` by default. */}}
{{- define "promsnmp.named" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .tag }}
{{- end -}}
{{- end -}}

{{/* Objects in Kubernetes syntax, with templates in them: a list of the value and the root. */}}
{{- define "promsnmp.rendered" -}}
{{- tpl (index . 0 | toYaml) (index . 1) -}}
{{- end -}}

{{/* Every host name under which people reach it, as a JSON list: those of the Ingress and of the HTTPRoute. */}}
{{- define "promsnmp.hosts" -}}
{{- $hosts := list -}}
{{- if .Values.ingress.enabled -}}
{{- range .Values.ingress.hosts -}}{{- $hosts = append $hosts .host -}}{{- end -}}
{{- if not .Values.ingress.hosts -}}{{- $hosts = append $hosts .Values.ingress.host -}}{{- end -}}
{{- end -}}
{{- if .Values.httpRoute.enabled -}}{{- $hosts = concat $hosts .Values.httpRoute.hostnames -}}{{- end -}}
{{- toJson (uniq $hosts) -}}
{{- end -}}

{{/* Not empty where the pods have the annotations prometheus.io/scrape. */}}
{{- define "promsnmp.annotated" -}}
{{- $wanted := .Values.scrapeAnnotations | toString -}}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") (not (include "promsnmp.operator" (list .Values.serviceMonitor.enabled .)))) -}}yes{{- end -}}
{{- end -}}

{{/* Kubernetes adds up to 11 characters to the name of a CronJob, so it has at most 52. */}}
{{- define "promsnmp.backup" -}}
{{ include "promsnmp.fullname" . | trunc 45 | trimSuffix "-" }}-backup
{{- end -}}

{{/* Not empty when the volume can be mounted on one node only. */}}
{{- define "promsnmp.oneNode" -}}
{{- if and .Values.persistence.enabled (ne .Values.persistence.accessMode "ReadWriteMany") -}}yes{{- end -}}
{{- end -}}

{{- define "promsnmp.secret" -}}
{{ .Values.secrets.existingSecret | default (printf "%s-secrets" (include "promsnmp.fullname" .)) }}
{{- end -}}

{{- define "promsnmp.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "promsnmp.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{- define "promsnmp.claim" -}}
{{ .Values.persistence.existingClaim | default (printf "%s-inventory" (include "promsnmp.fullname" .)) }}
{{- end -}}

{{- define "promsnmp.service" -}}
{{ include "promsnmp.fullname" . }}.{{ include "promsnmp.namespace" . }}.svc:{{ .Values.service.port }}
{{- end -}}

{{- define "promsnmp.scheme" -}}
{{- if .Values.webConfig.tls }}https{{ else }}http{{ end -}}
{{- end -}}

{{- define "promsnmp.probeScheme" -}}
{{- if .Values.webConfig.tls }}scheme: HTTPS{{ end -}}
{{- end -}}

{{/* Redis of this chart. */}}
{{- define "promsnmp.redis" -}}
{{ .Values.redis.fullnameOverride | default (printf "%s-redis" (include "promsnmp.fullname" .)) }}
{{- end -}}

{{- define "promsnmp.redis.selector" -}}
app.kubernetes.io/name: redis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "promsnmp.redis.labels" -}}
app: redis
{{ include "promsnmp.redis.selector" . }}
app.kubernetes.io/part-of: {{ include "promsnmp.name" . }}
{{ include "promsnmp.common" . }}
{{- end -}}

{{/* Not empty when Redis is installed with the chart: standalone, sentinel. */}}
{{- define "promsnmp.redis.installed" -}}
{{- if and .Values.redis.enabled (eq .Values.election.backend "redis") -}}{{ .Values.redis.architecture }}{{- end -}}
{{- end -}}

{{/* Not empty when an object of prometheus-operator is wanted: a list of its `enabled` and the root. */}}
{{- define "promsnmp.operator" -}}
{{- $wanted := index . 0 | toString -}}
{{- $root := index . 1 -}}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") ($root.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}yes{{- end -}}
{{- end -}}

{{/*
A secret value: the given one, else the one that is in the cluster, else a new one; always quoted.
A list of the root, the key, the given value, the length of a new one.
*/}}
{{- define "promsnmp.kept" -}}
{{- $root := index . 0 -}}
{{- $kept := lookup "v1" "Secret" (include "promsnmp.namespace" $root) (include "promsnmp.secret" $root) -}}
{{- $old := dig "data" (index . 1) "" ($kept | default dict) | b64dec -}}
{{- index . 2 | default $old | default (randAlphaNum (index . 3)) | quote -}}
{{- end -}}

{{/*
A sum over the secrets that are given as values, so that pods start anew with others. Those that the chart makes are left
out: where it is rendered without a cluster they are others each time. Who may read pods may try guesses against the sum:
another reason for random ones.
*/}}
{{- define "promsnmp.given" -}}
{{- with .Values.secrets -}}
{{- if and (not .existingSecret) (or .encryptKey .apiToken .redisPassword) -}}
{{- list .encryptKey .apiToken .redisPassword | toJson | sha256sum -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What cannot work is refused here, with what to do. */}}
{{- define "promsnmp.check" -}}
{{- $several := or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- if and $several (eq .Values.election.backend "none") -}}
{{- fail "election.backend=none is for one replica: set autoscaling.enabled=false and replicaCount=1, or another backend" -}}
{{- end -}}
{{- if and $several (not .Values.persistence.enabled) -}}
{{- fail "persistence.enabled=false gives every replica an inventory of its own: set autoscaling.enabled=false and replicaCount=1, or persistence.enabled=true" -}}
{{- end -}}
{{- $shared := or .Values.persistence.existingClaim (and .Values.persistence.singleNode (eq .Values.persistence.accessMode "ReadWriteOnce")) -}}
{{- if and $several (include "promsnmp.oneNode" .) (not $shared) -}}
{{- fail (printf "persistence.accessMode=%s is for one replica: set autoscaling.enabled=false and replicaCount=1; or ReadWriteMany with a storage class that can do it; or ReadWriteOnce and persistence.singleNode=true, to run all replicas on one node" .Values.persistence.accessMode) -}}
{{- end -}}
{{- if and .Values.ingress.enabled .Values.ingress.tls.enabled (not .Values.ingress.tls.secretName) -}}
{{- fail "ingress.tls.enabled=true: name the Secret of the certificate in ingress.tls.secretName" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled=true: name the Gateway in httpRoute.parentRefs" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not (or .Values.autoscaling.targetCPUUtilization .Values.autoscaling.targetMemoryUtilization .Values.autoscaling.metrics)) -}}
{{- fail "autoscaling.enabled=true needs something to scale by: targetCPUUtilization, targetMemoryUtilization or metrics" -}}
{{- end -}}
{{- if and .Values.backup.enabled (not .Values.persistence.enabled) -}}
{{- fail "backup.enabled=true copies the volume of the inventory: set persistence.enabled=true" -}}
{{- end -}}
{{- if and (eq .Values.election.backend "redis") (not .Values.redis.enabled) (not .Values.redis.external.host) (not .Values.redis.external.url) (not .Values.secrets.existingSecret) -}}
{{- fail "redis.enabled=false: say where Redis is by redis.external.host or redis.external.url (or REDIS_URL in secrets.existingSecret), or set election.backend=kubernetes" -}}
{{- end -}}
{{- end -}}
