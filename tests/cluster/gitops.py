"""The example of GitOps: repositories of manifests, and the Argo CD that applies them."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from .argocd import ArgoCD
from .example import Example
from .installed import TOP
from .running import until

EXAMPLE = TOP / "examples/10-gitops-with-argo-cd"
RECORD = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}
_ADDRESS = "https://git.example.com/{team}/models.git"
_MERGER = {"NAME": "merger", "EMAIL": "merger@example.com"}


@dataclass(frozen=True)
class Repository:
    """A git repository on this machine, where somebody merges to main."""

    path: Path

    @property
    def address(self) -> str:
        """What Argo CD reads it by."""
        return f"file://{self.path}"

    @property
    def head(self) -> str:
        """The newest commit."""
        return self.git("rev-parse", "HEAD")

    def begin(self, files: Mapping[str, str]) -> None:
        """Make it, with a first commit."""
        self.path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("Begin", files)

    def commit(self, message: str, files: Mapping[str, str | None]) -> None:
        """Merge a change: files with new content, or none for those that are taken out."""
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            else:
                file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={message}")

    def revert(self, message: str) -> None:
        """Merge what undoes the newest commit with a message."""
        self.git("revert", "--no-edit", f":/^{message}")

    def git(self, *words: str) -> str:
        """Run git in it, whatever this machine's own configuration says."""
        names = {
            f"GIT_{part}_{field}": value
            for part in ("AUTHOR", "COMMITTER")
            for field, value in _MERGER.items()
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), *words],
            env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, **names},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


@dataclass(frozen=True, kw_only=True)
class GitOps:
    """A team that keeps its model in Git, and an Argo CD that applies it as the account gitops."""

    example: Example
    argocd: ArgoCD
    policies: Repository
    models: Repository

    @property
    def name(self) -> str:
        """The team's Application, named like its project, its policy and its namespace."""
        return self.example.namespace

    @property
    def account(self) -> str:
        """As whom Argo CD applies the team's manifests."""
        return f"system:serviceaccount:{self.name}:gitops"

    def manifest(self, file: str) -> str:
        """A file of the example, for this team's namespace and these repositories."""
        text = (EXAMPLE / file).read_text()
        text = text.replace(_ADDRESS.format(team="platform"), self.policies.address)
        text = text.replace(_ADDRESS.format(team="risk"), self.models.address)
        keys = "name|namespace|project|policy"
        text = re.sub(
            rf"^(\s*-? ?(?:{keys}): )risk$", rf"\g<1>{self.name}", text, flags=re.MULTILINE
        )
        return text.replace("[risk]", f"[{self.name}]")

    def give_rights(self) -> None:
        """Do what a platform team does once: rights, the destination, how our kinds fare."""
        cluster = self.argocd.cluster
        cluster.kubectl(None, "apply", "-f", "-", given=self.manifest("1-rights.yaml"))
        words = ("apply", "--server-side", "--field-manager=modelwarden", "-k", str(EXAMPLE))
        cluster.kubectl(None, *words)
        self.argocd.destination(self.name, token="gitops-token")

    def declare(self) -> None:
        """Let Argo CD apply both repositories, from now on."""
        text = self.manifest("2-applications.yaml")
        self.argocd.cluster.kubectl(None, "apply", "-f", "-", given=text)

    def begin(self, *versions: int) -> None:
        """Merge everything at once: the policy, the service, the model and its versions."""
        self.policies.begin({"policies/risk.yaml": self.manifest("models/policies/risk.yaml")})
        self.models.begin(
            {
                "risk/service.yaml": self.service(),
                "risk/fraud-detector.yaml": self.manifest("models/risk/fraud-detector.yaml"),
                **{f"risk/versions/{n}.yaml": self.version(n) for n in versions},
            }
        )

    def service(self) -> str:
        """The Deployment and the Service as the example has them in Git."""
        return self._annotated(
            self.example.service(), {"argocd.argoproj.io/ignore-healthcheck": "true"}
        )

    def version(self, number: int) -> str:
        """The record of a version, trained and uploaded, that is never pruned."""
        return self._annotated(self.example.train(number), RECORD)

    def edit(self, message: str, lines: str, *, into: str) -> None:
        """Merge an edit of the Model, and wait until Argo CD has applied it."""
        self.merge(message, lines, into=into)
        self.synced()

    def merge(self, message: str, lines: str, *, into: str) -> None:
        """Merge an edit of the Model, and let Argo CD see it."""
        file = "risk/fraud-detector.yaml"
        before = (self.models.path / file).read_text()
        if before.count(lines) != 1:
            raise ValueError(f"{lines!r} is not once in the Model: {before}")
        self.models.commit(message, {file: before.replace(lines, into)})
        self.argocd.refresh(self.name)

    def synced(self) -> None:
        """Wait until Argo CD has applied the newest commit."""
        self.argocd.refresh(self.name)
        until(
            lambda: self._has_applied(self.models.head),
            what="Argo CD applies the newest commit",
            within=60,
        )

    def _has_applied(self, commit: str) -> bool:
        status = self.argocd.application(self.name)["status"]
        return (
            status["sync"].get("revision") == commit
            and status["sync"]["status"] == "Synced"
            and status["operationState"]["phase"] == "Succeeded"
        )

    @staticmethod
    def _annotated(manifests: str, annotations: Mapping[str, str]) -> str:
        objects = list(yaml.safe_load_all(manifests))
        for found in objects:
            found["metadata"].setdefault("annotations", {}).update(annotations)
        return yaml.safe_dump_all(objects, sort_keys=False)


def team_of(example: Example, argocd: ArgoCD) -> GitOps:
    """Give the team of a namespace two repositories, still empty."""
    return GitOps(
        example=example,
        argocd=argocd,
        policies=Repository(example.work / "git/platform"),
        models=Repository(example.work / "git/risk"),
    )
