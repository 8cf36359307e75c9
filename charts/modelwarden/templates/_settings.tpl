{{- /* The operator's settings; both processes read the same file. */ -}}
{{- define "modelwarden.settings" -}}
{{- if not (and (lt (int .Values.lease.retrySeconds) (int .Values.lease.renewSeconds)) (lt (int .Values.lease.renewSeconds) (int .Values.lease.durationSeconds))) }}
{{- fail "lease: must be retrySeconds < renewSeconds < durationSeconds" }}
{{- end -}}
operator:
  namespace: {{ include "modelwarden.namespace" . }}
  name: {{ include "modelwarden.fullname" . }}
  account: {{ include "modelwarden.operatorAccount" . }}
gates:
  namespace: {{ include "modelwarden.gatesNamespace" . }}
  serviceAccount: {{ include "modelwarden.gateServiceAccount" . }}
  image: {{ include "modelwarden.image" (list . .Values.images.validator) }}
  imagePullPolicy: {{ .Values.images.pullPolicy }}
  deadlineSeconds: {{ int .Values.gates.deadlineSeconds }}
  startSeconds: {{ int .Values.gates.startSeconds }}
  maxPerNamespace: {{ int .Values.gates.maxPerNamespace }}
  maxInAll: {{ int .Values.gates.maxInAll }}
  resources:
    {{- toYaml .Values.gates.resources | nindent 4 }}
ledger:
  directory: /var/lib/modelwarden/ledger
  keySecret: {{ include "modelwarden.keySecret" . }}
  port: 8089
lease:
  name: {{ include "modelwarden.controller" . }}
  durationSeconds: {{ int .Values.lease.durationSeconds }}
  renewSeconds: {{ int .Values.lease.renewSeconds }}
  retrySeconds: {{ int .Values.lease.retrySeconds }}
stores:
  {{- toYaml .Values.stores | nindent 2 }}
identity:
  {{- toYaml .Values.identity | nindent 2 }}
webhook:
  address: ""
  port: 8443
  service: {{ include "modelwarden.webhook" . }}
  secret: {{ include "modelwarden.tlsSecret" . }}
  configuration: {{ include "modelwarden.fullname" . }}
http:
  address: ""
  port: 8080
controller:
  workers: {{ int .Values.controller.workers }}
  sweepSeconds: {{ int .Values.controller.sweepSeconds }}
  artifactCheckSeconds: {{ int .Values.controller.artifactCheckSeconds }}
{{- end -}}

{{- /* The stores as everybody may know them: without what is in the gates namespace. */ -}}
{{- define "modelwarden.publishedStores" -}}
{{- $published := list -}}
{{- range .Values.stores -}}
{{- $published = append $published (omit . "secret" "claim") -}}
{{- end -}}
{{ toYaml $published }}
{{- end -}}
