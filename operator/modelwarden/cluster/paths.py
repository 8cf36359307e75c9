"""Where each kind of object lives in the API."""

from dataclasses import dataclass
from urllib.parse import quote

from modelwarden.domain.labels import GROUP, VERSION


@dataclass(frozen=True)
class Resource:
    """One kind of object; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Build the path of one object or, without a name, of the collection.

        A namespaced kind without a namespace is the collection of the whole cluster; ValueError
        for a single object of it, which would be another object's path.
        """
        if self.namespaced and name and not namespace:
            raise ValueError(f"a {self.kind} needs a namespace: {name}")
        root = f"/apis/{self.group}" if self.group else "/api"
        place = ("namespaces", namespace) if self.namespaced and namespace else ()
        parts = (self.version, *place, self.plural, name, subresource)
        return "/".join((root, *(quote(part, safe="") for part in parts if part)))


MODELS = Resource(GROUP, VERSION, "models", "Model")
MODEL_VERSIONS = Resource(GROUP, VERSION, "modelversions", "ModelVersion")
MODEL_TRANSITIONS = Resource(GROUP, VERSION, "modeltransitions", "ModelTransition")
MODEL_DECISIONS = Resource(GROUP, VERSION, "modeldecisions", "ModelDecision")
MODEL_POLICIES = Resource(GROUP, VERSION, "modelpolicies", "ModelPolicy", namespaced=False)
OWN_KINDS = (MODELS, MODEL_VERSIONS, MODEL_TRANSITIONS, MODEL_DECISIONS, MODEL_POLICIES)

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
SECRETS = Resource("", "v1", "secrets", "Secret")
SERVICES = Resource("", "v1", "services", "Service")
# The core group's events, which the kubelet and the controllers write about pods and Jobs.
CORE_EVENTS = Resource("", "v1", "events", "Event")

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
JOBS = Resource("batch", "v1", "jobs", "Job")
CRON_JOBS = Resource("batch", "v1", "cronjobs", "CronJob")
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")

# What GitOps tools call the object that says what they apply.
APPLICATIONS = Resource("argoproj.io", "v1alpha1", "applications", "Application")
KUSTOMIZATIONS = Resource("kustomize.toolkit.fluxcd.io", "v1", "kustomizations", "Kustomization")
HELM_RELEASES = Resource("helm.toolkit.fluxcd.io", "v2", "helmreleases", "HelmRelease")

CUSTOM_RESOURCE_DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
MUTATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    "MutatingWebhookConfiguration",
    namespaced=False,
)
VALIDATING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    "ValidatingWebhookConfiguration",
    namespaced=False,
)
VALIDATING_POLICIES = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicies",
    "ValidatingAdmissionPolicy",
    namespaced=False,
)

SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
SELF_SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io",
    "v1",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    namespaced=False,
)
SELF_SUBJECT_REVIEWS = Resource(
    "authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False
)
