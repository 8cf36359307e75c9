{{- /* Everybody with a part in a model's life reads all of it. A ModelPolicy belongs to no namespace:
       a RoleBinding does not give it, a ClusterRoleBinding does. */ -}}
{{- define "modelwarden.reads" -}}
- apiGroups: [modelwarden.io]
  resources: [models, modelversions, modeltransitions, modeldecisions, modelpolicies]
  verbs: [get, list, watch]
{{- end -}}

{{- /* Takes the context and the name of a role, which is the same whatever the release is called. */ -}}
{{- define "modelwarden.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: modelwarden-{{ index . 1 }}
  labels:
    {{- include "modelwarden.componentLabels" (list (index . 0) "people") | nindent 4 }}
{{- end -}}
