"""Everything that can happen to a gate's pod or Job, and what it means for the gate.

A fault of the cluster says nothing about the model: the gate is Inconclusive, and tried again. What
the gate itself does wrong is a failure. Neither is ever a pass.
"""

from dataclasses import dataclass

from modelwarden.domain.state import GateOutcome

# Words of ours, where Kubernetes has none.
FETCH_FAILED = "FetchFailed"
JOB_INVALID = "JobInvalid"
JOB_REFUSED = "JobRefused"
NEVER_STARTED = "NeverStarted"
POD_DELETED = "PodDeleted"
RESULT_LOST = "ResultLost"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause by its stable code: in which words Kubernetes tells it, and how it is mended."""

    code: str
    outcome: GateOutcome
    words: tuple[str, ...]
    says: str
    mend: str

    @property
    def advice(self) -> str:
        """What to do once the gate is lost."""
        if self.outcome is GateOutcome.FAILED:
            return f"{self.mend[:-1]}, then ask again."
        return f"{self.mend} Then retry the attempt." if self.mend else "Retry the attempt."


def _infrastructure(code: str, *words: str, says: str, mend: str = "") -> Cause:
    return Cause(code=code, outcome=GateOutcome.INCONCLUSIVE, words=words, says=says, mend=mend)


def _own(code: str, *words: str, says: str, mend: str) -> Cause:
    return Cause(code=code, outcome=GateOutcome.FAILED, words=words, says=says, mend=mend)


# fmt: off
CAUSES = (
    _infrastructure(
        "ImageNotPulled",
        "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable",
        "ImageInspectError", "SignatureValidationFailed",
        says="The image could not be pulled",
        mend="Check the image and the way from the nodes to its registry.",
    ),
    _infrastructure(
        "Unschedulable",
        "Unschedulable", "SchedulerError", "SchedulingGated", "FailedScheduling",
        says="No node takes the pod",
        mend="Lower the gate's requests, or add a node that fits.",
    ),
    _infrastructure(
        "Evicted",
        "Evicted", "EvictionByEvictionAPI", "TerminationByKubelet",
        says="The pod was evicted",
    ),
    _infrastructure(
        "Preempted",
        "Preempting", "PreemptionByScheduler",
        says="The pod gave way to a more important one",
    ),
    _infrastructure(
        "NodeLost",
        "NodeLost", "DeletionByTaintManager", "DeletionByPodGC", "ContainerStatusUnknown",
        "Terminated", "Shutdown", "NodeShutdown",
        says="The node was lost or shut down",
    ),
    _infrastructure(
        "NodeRefused",
        "OutOfcpu", "OutOfmemory", "OutOfpods", "OutOfephemeral-storage", "NodeAffinity",
        "UnexpectedAdmissionError",
        says="The node refused the pod",
    ),
    _infrastructure("PodDeleted", POD_DELETED, says="Somebody deleted the pod"),
    _infrastructure("ResultLost", RESULT_LOST, says="The pod was gone before it was read"),
    _infrastructure(
        "PodNotCreated",
        "FailedCreate",
        says="The Job gets no pod",
        mend="Mend what the gates namespace lacks.",
    ),
    _infrastructure(
        "VolumeNotMounted",
        "FailedMount", "FailedAttachVolume", "FailedMapVolume",
        says="A volume cannot be mounted",
        mend="Make the Secret or claim that the gates namespace lacks.",
    ),
    # A Secret that is missing is made without a new policy: it does not count against the model.
    _infrastructure(
        "ContainerNotConfigured",
        "CreateContainerConfigError",
        says="The container lacks something that it names",
        mend="Make what the gates namespace lacks, or mend the policy.",
    ),
    _infrastructure(
        "ContainerNotCreated",
        "CreateContainerError", "RunContainerError", "FailedCreatePodSandBox", "NetworkNotReady",
        says="The node cannot make the container",
    ),
    # The kubelet's events say no more than these two words; the pod's status follows seconds later.
    _infrastructure(
        "NeverStarted",
        NEVER_STARTED, "Failed", "BackOff",
        says="The pod did not start in time",
        mend="Look at the events of the gates namespace.",
    ),
    _infrastructure(
        "ArtifactNotBrought", FETCH_FAILED, says="The artifact could not be brought to the gate"
    ),
    _infrastructure(
        "GateJobRefused",
        JOB_REFUSED,
        says="The API server refuses the Job",
        mend="Mend what it names.",
    ),
    _own(
        "GateJobInvalid",
        JOB_INVALID,
        says="The gate of the policy makes no valid Job",
        mend="Mend it in the policy.",
    ),
    _own(
        "OutOfMemory",
        "OOMKilled",
        says="The gate used more memory than it may",
        mend="Raise its limit in the policy.",
    ),
    _own(
        "CommandNotStarted",
        "StartError", "ContainerCannotRun",
        says="The gate's command cannot be run",
        mend="Mend the command in the policy.",
    ),
    _own(
        "DeadlineExceeded",
        "DeadlineExceeded",
        says="The gate took longer than it may",
        mend="Raise its deadlineSeconds in the policy.",
    ),
    _own(
        "ImageNameInvalid",
        "InvalidImageName",
        says="The image has a name that no registry can have",
        mend="Mend it in the policy.",
    ),
)
# fmt: on

# What nobody foresaw says nothing about the model either.
OTHER = _infrastructure("RunFailed", says="The run was ended from outside")

_BY_WORD = {word: cause for cause in CAUSES for word in cause.words}
_BY_CODE = {cause.code: cause for cause in (*CAUSES, OTHER)}

# There is nothing to wait for in these: no pod recovers from them.
HOPELESS = frozenset(
    word for word, cause in _BY_WORD.items() if cause.outcome is GateOutcome.FAILED
)


def cause_of(word: str) -> Cause:
    """Find what a word of Kubernetes means; an unknown one is nobody's fault."""
    return _BY_WORD.get(word, OTHER)


def advice_on(code: str) -> str:
    """Say what people can do about a gate that was lost so; empty where its sentence says it."""
    cause = _BY_CODE.get(code)
    return "" if cause is None else cause.advice
