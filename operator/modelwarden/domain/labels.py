"""Every label, annotation and name of ours that other people's objects may carry."""

PREFIX = "modelwarden.io/"
GROUP = "modelwarden.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FIELD_MANAGER = "modelwarden"

# On a Deployment that serves and on its pod template, so that each ReplicaSet keeps the version
# it was made for.
MODEL = PREFIX + "model"
MODEL_VERSION = PREFIX + "version"
ARTIFACT_URI = PREFIX + "artifact-uri"
ARTIFACT_DIGEST = PREFIX + "artifact-digest"
# On the Deployment only: a change of stage must not restart pods.
STAGE = PREFIX + "stage"
CARRIED = frozenset({MODEL, MODEL_VERSION, ARTIFACT_URI, ARTIFACT_DIGEST, STAGE})

# Written by whoever consumes a version, on a workload of their own or on its pod template.
CONSUMES = PREFIX + "consumes"

# On gate Jobs and their pods.
MANAGED_BY = "app.kubernetes.io/managed-by"
JOB_NAME = "batch.kubernetes.io/job-name"
ATTEMPT = PREFIX + "attempt"
GATE = PREFIX + "gate"
TRY = PREFIX + "try"
TRANSITION = PREFIX + "transition"
NAMESPACE = PREFIX + "namespace"
EGRESS = PREFIX + "egress"
INPUTS_DIGEST = PREFIX + "inputs-digest"

# On the Lease: what the ledger must at least hold.
LEDGER_ORIGIN = PREFIX + "ledger-origin"
LEDGER_SIZE = PREFIX + "ledger-size"
LEDGER_HEAD = PREFIX + "ledger-head"
LEDGER_KEY = PREFIX + "ledger-key"
