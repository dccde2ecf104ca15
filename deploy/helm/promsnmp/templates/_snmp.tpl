{{/*
snmpConfig in pieces: a ConfigMap holds at most 1 MiB, and snmp_exporter's file of all modules is twice that. PromSNMP
reads any number of files as one. Gives a YAML list of texts, each at most 512 KiB or one module.
*/}}
{{- define "promsnmp.snmp.parsed" -}}
{{- $parsed := .Values.snmpConfig -}}
{{- if kindIs "string" $parsed -}}
{{- $parsed = fromYaml $parsed -}}
{{- if $parsed.Error -}}{{- fail (printf "snmpConfig is not YAML: %s" $parsed.Error) -}}{{- end -}}
{{- end -}}
{{- toJson $parsed -}}
{{- end -}}

{{- define "promsnmp.snmp.pieces" -}}
{{- $pieces := list -}}
{{- $text := "" -}}
{{- range $name, $module := (include "promsnmp.snmp.parsed" . | fromJson).modules -}}
{{- /* Helm reads YAML as JSON, where every key is text and 0.000001 becomes 1e-06, which YAML reads as text. */ -}}
{{- $one := toYaml (dict $name $module) | indent 2 -}}
{{- $one = regexReplaceAll "(?m)^( +(?:- )?)\"(-?[0-9]+)\":" $one "${1}${2}:" -}}
{{- $one = regexReplaceAll "(?m): (-?[0-9]+)(e[-+][0-9]+)$" $one ": ${1}.0${2}" -}}
{{- if gt (len $one) 1000000 -}}
{{- fail (printf "snmpConfig: the module %s alone is larger than a ConfigMap can be; put it on a volume (snmpConfigClaim)" $name) -}}
{{- end -}}
{{- if and $text (gt (add (len $text) (len $one)) 524288) -}}
{{- $pieces = append $pieces $text -}}
{{- $text = "" -}}
{{- end -}}
{{- $text = printf "%s%s\n" $text $one -}}
{{- end -}}
{{- if $text -}}{{- $pieces = append $pieces $text -}}{{- end -}}
{{- toJson (dict "pieces" $pieces) -}}
{{- end -}}

{{/* Not empty when there are files of modules. */}}
{{- define "promsnmp.snmp.mounted" -}}
{{- if or .Values.snmpConfig .Values.snmpConfigMaps .Values.snmpConfigSecrets .Values.snmpConfigClaim -}}yes{{- end -}}
{{- end -}}

{{- define "promsnmp.snmp.mounts" -}}
{{- if .Values.snmpConfig }}
- name: snmp
  mountPath: /etc/promsnmp/snmp/values
  readOnly: true
{{- end }}
{{- range .Values.snmpConfigMaps }}
- name: snmp-map-{{ . }}
  mountPath: /etc/promsnmp/snmp/map-{{ . }}
  readOnly: true
{{- end }}
{{- range .Values.snmpConfigSecrets }}
- name: snmp-secret-{{ . }}
  mountPath: /etc/promsnmp/snmp/secret-{{ . }}
  readOnly: true
{{- end }}
{{- if .Values.snmpConfigClaim }}
- name: snmp-claim
  mountPath: /etc/promsnmp/snmp/claim
  readOnly: true
{{- end }}
{{- end -}}

{{- define "promsnmp.snmp.volumes" -}}
{{- $fullname := include "promsnmp.fullname" . -}}
{{- if .Values.snmpConfig }}
- name: snmp
  projected:
    sources:
      {{- range $number, $piece := (include "promsnmp.snmp.pieces" . | fromJson).pieces }}
      - configMap:
          name: {{ $fullname }}-snmp-{{ $number }}
      {{- end }}
      {{- if (include "promsnmp.snmp.parsed" . | fromJson).auths }}
      - secret:
          name: {{ $fullname }}-snmp-auths
      {{- end }}
{{- end }}
{{- range .Values.snmpConfigMaps }}
- name: snmp-map-{{ . }}
  configMap:
    name: {{ . }}
{{- end }}
{{- range .Values.snmpConfigSecrets }}
- name: snmp-secret-{{ . }}
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.snmpConfigClaim }}
- name: snmp-claim
  persistentVolumeClaim:
    claimName: {{ . }}
    readOnly: true
{{- end }}
{{- end -}}
