{{- /* Names that other objects, the operator's settings and the admission policies refer to. */ -}}

{{- define "modelwarden.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end -}}

{{- define "modelwarden.fullname" -}}
{{- $name := include "modelwarden.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "modelwarden.namespace" -}}
{{ .Release.Namespace }}
{{- end -}}

{{- define "modelwarden.controller" -}}
{{ include "modelwarden.fullname" . }}-controller
{{- end -}}

{{- define "modelwarden.webhook" -}}
{{ include "modelwarden.fullname" . }}-webhook
{{- end -}}

{{- define "modelwarden.operatorAccount" -}}
system:serviceaccount:{{ include "modelwarden.namespace" . }}:{{ include "modelwarden.controller" . }}
{{- end -}}

{{- define "modelwarden.gatesNamespace" -}}
{{ .Values.gates.namespace.name }}
{{- end -}}

{{- define "modelwarden.gateServiceAccount" -}}
{{ include "modelwarden.fullname" . }}-gate
{{- end -}}

{{- define "modelwarden.keySecret" -}}
{{ include "modelwarden.fullname" . }}-ledger-key
{{- end -}}

{{- define "modelwarden.tlsSecret" -}}
{{ include "modelwarden.fullname" . }}-webhook-tls
{{- end -}}

{{- define "modelwarden.ledgerClaim" -}}
{{ default (printf "%s-ledger" (include "modelwarden.fullname" .)) .Values.ledger.volume.existingClaim }}
{{- end -}}

{{- /* Takes the context and one entry of .Values.images. */ -}}
{{- define "modelwarden.image" -}}
{{- $context := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default $context.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}
