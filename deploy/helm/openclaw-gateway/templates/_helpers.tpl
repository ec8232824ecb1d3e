{{- define "gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "gateway.fullname" -}}
{{- $name := include "gateway.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Selectors never change: neither the chart's version nor the app's belongs here. */}}
{{- define "gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The pod of `helm test`. The name keeps it out of the Service. */}}
{{- define "gateway.testLabels" -}}
app.kubernetes.io/name: {{ include "gateway.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gateway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "gateway.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}

{{- define "gateway.onSqlite" -}}
{{- if not .Values.store.existingSecret }}true{{ end }}
{{- end }}

{{- define "gateway.drainSeconds" -}}
{{- $ms := dig "gateway" "drain_timeout_ms" 30000 .Values.settings | int64 }}
{{- div (add $ms 999) 1000 }}
{{- end }}

{{/* The time that a pod has from SIGTERM to SIGKILL. */}}
{{- define "gateway.graceSeconds" -}}
{{- $needed := add .Values.preStopSleepSeconds 15 (int64 (include "gateway.drainSeconds" .)) }}
{{- $given := .Values.terminationGracePeriodSeconds }}
{{- if and (ne $given nil) (lt (int64 $given) $needed) }}
{{- fail (printf "terminationGracePeriodSeconds is %d, and preStopSleepSeconds, the drain and 15 are %d: a pod would be killed while turns run. Leave it empty, or set at least %d." (int64 $given) $needed $needed) }}
{{- end }}
{{- ternary $needed (int64 $given) (eq $given nil) }}
{{- end }}

{{/* Contradictions that the schema cannot name. */}}
{{- define "gateway.check" -}}
{{- if not .Values.auth.existingSecret }}
{{- fail "auth.existingSecret is empty: name a secret with the operator's token. Make one with: kubectl create secret generic openclaw --from-literal=token=\"$(openssl rand -hex 32)\"" }}
{{- end }}
{{- if and .Values.podDisruptionBudget.enabled (not .Values.autoscaling.enabled) (lt (int64 .Values.replicaCount) 2) }}
{{- fail "podDisruptionBudget.enabled with replicaCount 1: the budget would hold up every drain of a node. Disable it, or use two replicas." }}
{{- end }}
{{- $variables := dict }}
{{- range $provider, $_ := .Values.providerKeys }}
{{- $variable := include "gateway.providerKeyVariable" $provider }}
{{- if hasKey $variables $variable }}
{{- fail (printf "providerKeys: %s and %s both have the variable %s. Rename one of the providers." (get $variables $variable) $provider $variable) }}
{{- end }}
{{- $_ := set $variables $variable $provider }}
{{- end }}
{{- if .Values.ingress.enabled }}
{{- if not .Values.ingress.host }}
{{- fail "ingress.enabled without ingress.host: the gateway refuses requests for names that it does not know. Set the name that people type." }}
{{- end }}
{{- if not (include "gateway.publicUrl" .) }}
{{- fail "ingress.enabled without ingress.tlsSecret: set settings.gateway.public_url to the address that people type, such as https://chat.example.org. Pages of other addresses may not use the gateway." }}
{{- end }}
{{- end }}
{{- end }}

{{/* The address that people type, as far as it is known. */}}
{{- define "gateway.publicUrl" -}}
{{- $own := ternary (printf "https://%s" .Values.ingress.host) "" (and .Values.ingress.enabled (ne .Values.ingress.tlsSecret "")) }}
{{- dig "gateway" "public_url" $own .Values.settings }}
{{- end }}

{{/* The variable that the gateway asks for the key of a provider: GROQ_API_KEY for groq. */}}
{{- define "gateway.providerKeyVariable" -}}
{{ regexReplaceAll "[^A-Z0-9]+" (upper .) "_" }}_API_KEY
{{- end }}

{{/* Files of one volume, from keys of secrets. */}}
{{- define "gateway.secretSources" -}}
{{- range $file, $source := . }}
- secret:
    name: {{ $source.name | quote }}
    items: [{ key: {{ $source.key | quote }}, path: {{ $file | quote }} }]
{{- end }}
{{- end }}

{{/* No volume of the chart's own begins so. */}}
{{- define "gateway.secretSettingVolume" -}}
setting-{{ . | replace "." "-" | replace "_" "-" }}
{{- end }}

{{- define "gateway.secretSettingPath" -}}
/secrets/settings/{{ . }}
{{- end }}
