"""What the platform team sets once for an installation; `settings.yaml` of the chart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from modelwarden.errors import MisconfiguredError

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Claim: TypeAlias = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[int, Field(ge=1)]


class Part(BaseModel):
    """A frozen part of the settings: camelCase names, and no unknown ones."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class Operator(Part):
    """Where the operator itself is installed."""

    namespace: Name = "modelwarden-system"
    name: Name = "modelwarden"
    """The release's full name; the names of its own objects begin with it."""
    account: str = "system:serviceaccount:modelwarden-system:modelwarden-controller"
    """The only login that may write status and ModelTransitions."""


class Gates(Part):
    """Where and how validation Jobs run."""

    namespace: Name = "modelwarden-gates"
    service_account: Name = "modelwarden-gate"
    image: str = Field(min_length=1)
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    deadline_seconds: Seconds = 300
    start_seconds: Seconds = 300
    """How long a gate may take to start, its image being pulled, until it is Inconclusive."""
    max_per_namespace: Annotated[int, Field(ge=1, le=1000)] = 4
    """How many gates may run at once for the Models of one namespace."""
    max_in_all: Annotated[int, Field(ge=1, le=1000)] = 16
    """How many gates may run at once."""
    resources: Mapping[Literal["limits", "requests"], Mapping[str, str]] = {}
    """Kubernetes resource requirements of a gate's container."""


class LedgerSettings(Part):
    """Where the ledger is kept."""

    directory: Path = Path("/var/lib/modelwarden/ledger")
    key_secret: Name = Field(default="modelwarden-ledger-key")
    """A Secret in the operator's namespace, empty until the ledger begins."""
    port: Port = 8089
    """Where the raw objects are served, on the pod's loopback only."""


class LeaseSettings(Part):
    """How the one writer is chosen."""

    name: Name = "modelwarden-controller"
    duration_seconds: Seconds = 15
    """How long others wait after the last sign of life."""
    renew_seconds: Seconds = 10
    """How long the holder may fail to renew before it stops."""
    retry_seconds: Seconds = 2

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.retry_seconds < self.renew_seconds < self.duration_seconds:
            raise ValueError("must be retrySeconds < renewSeconds < durationSeconds")
        return self


class Store(Part):
    """A place for artifacts, in S3 or on a claim; a URI outside all of them is refused."""

    name: Name
    uri_prefix: str = Field(pattern=r"^(s3|pvc)://[^/]+/(.*/)?$")
    """Ends in a slash; `{namespace}` stands for the namespace of the version."""
    claim: Claim | None = None
    """The PersistentVolumeClaim of the gates namespace that has what pvc:// names; without it,
    the one that the URI names."""
    endpoint: str = ""
    """Empty for the cloud provider's own."""
    region: str = "us-east-1"
    secret: Name | None = None
    """A Secret in the gates namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""
    addressing: Literal["path", "virtual"] = "path"

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        of_the_other_kind = {"claim"}
        if self.uri_prefix.startswith("pvc://"):
            of_the_other_kind = {"endpoint", "region", "secret", "addressing"}
        if wrong := sorted(self.model_fields_set & of_the_other_kind):
            kind = self.uri_prefix.partition("://")[0]
            raise ValueError(f"a store at {kind}:// has no {', '.join(wrong)}")
        # Two namespaces whose claims are one volume could read each other's files.
        if self.claim and "{namespace}" in self.uri_prefix.split("/")[2]:
            raise ValueError("claim: cannot be one claim for each {namespace} of uriPrefix")
        return self


class Person(Part):
    """One person with several logins."""

    name: str = Field(min_length=1)
    logins: tuple[str, ...] = ()


class Identity(Part):
    """How logins become people before they are compared."""

    username_prefix: str = ""
    """What the API server puts before the names of its identity provider."""
    people: tuple[Person, ...] = ()


class Webhook(Part):
    """The admission server."""

    port: Port = 8443
    address: str = ""
    """Where it listens; empty for everywhere."""
    service: Name = "modelwarden-webhook"
    secret: Name = Field(default="modelwarden-webhook-tls")
    """A Secret in the operator's namespace, empty until the first process fills it."""
    configuration: Name = "modelwarden"


class Http(Part):
    """Health and metrics."""

    port: Port = 8080
    address: str = ""
    """Where it listens; empty for everywhere."""


class Controller(Part):
    """How the controller works through its queue."""

    workers: Annotated[int, Field(ge=1, le=64)] = 4
    sweep_seconds: Seconds = 600
    artifact_check_seconds: Seconds = 86_400
    """How often the artifact of what serves, or may be gone back to, is looked at again."""


class Settings(Part):
    """Everything that is set."""

    operator: Operator = Operator()
    gates: Gates
    ledger: LedgerSettings = LedgerSettings()
    lease: LeaseSettings = LeaseSettings()
    stores: tuple[Store, ...] = ()
    identity: Identity = Identity()
    webhook: Webhook = Webhook()
    http: Http = Http()
    controller: Controller = Controller()


def load(path: Path) -> Settings:
    """Read the settings; MisconfiguredError names the file, and the field when it is one."""
    try:
        return parse(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise MisconfiguredError(f"{path}: cannot be read: {error.strerror}") from error


def parse(text: str, *, source: str = "settings") -> Settings:
    """Read settings from text."""
    try:
        return Settings.model_validate(yaml.safe_load(text) or {}, by_name=False)
    except yaml.YAMLError as error:
        raise MisconfiguredError(f"{source}: is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(_sentence(problem) for problem in error.errors())
        raise MisconfiguredError(f"{source}: {problems}") from error


def _sentence(problem: Mapping[str, Any]) -> str:
    path = ".".join(str(part) for part in problem["loc"]) or "the document"
    return f"{path}: {problem['msg']}"
