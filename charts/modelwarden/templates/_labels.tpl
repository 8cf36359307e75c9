{{- define "modelwarden.labels" -}}
{{- $own := dict
      "helm.sh/chart" (printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_"))
      "app.kubernetes.io/name" (include "modelwarden.name" .)
      "app.kubernetes.io/instance" .Release.Name
      "app.kubernetes.io/version" .Chart.AppVersion
      "app.kubernetes.io/part-of" "modelwarden"
      "app.kubernetes.io/managed-by" .Release.Service -}}
{{ merge $own .Values.commonLabels | toYaml }}
{{- end -}}

{{- /* Takes the context and the name of a component; these never change, for selectors cannot. */ -}}
{{- define "modelwarden.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: {{ include "modelwarden.name" $context }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- /* Takes the context and the name of a component. */ -}}
{{- define "modelwarden.componentLabels" -}}
{{ include "modelwarden.labels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- /* Takes the context, the name of a component and its labels for pods. */ -}}
{{- define "modelwarden.podLabels" -}}
{{- $own := include "modelwarden.componentLabels" . | fromYaml -}}
{{ merge $own (index . 2) | toYaml }}
{{- end -}}
