"""The story: two versions of a real model, from a pipeline to the pods that serve them."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelwarden.audit.remote import RemoteReader
from tests.cluster.example import MODEL, Example, Told
from tests.cluster.installed import SYSTEM
from tests.cluster.running import until
from tests.demo.telling import Teller

APPLICATION = {
    "amount": 1000,
    "price": 1400,
    "months": 48,
    "income": 125,
    "expenses": 51,
    "assets": 3000,
    "debt": 0,
    "seniority": 5,
    "age": 36,
    "home": "owner",
    "job": "fixed",
    "records": "no",
    "marital": "married",
}


class UnexpectedError(Exception):
    """The story did not go as it must; the message says what happened instead."""


@dataclass(frozen=True)
class Story:
    """Tells what happens, and stops where it is not what must happen."""

    example: Example
    teller: Teller

    def tell(self) -> None:
        """Tell the whole story."""
        key = self._pinned_key()
        self.register()
        before_any = _now()
        self.ask_for_staging()
        self.refuse_the_trainer()
        self.approve(1)
        while_first = self.serve(1)
        self.release(2)
        while_second = self.serve(2)
        self.look_back(key, before_any, while_first, while_second)
        self.verify(key)

    def register(self) -> None:
        """The pipeline registers what it trained."""
        self.teller.chapter(1, "The scientist's pipeline registers three versions")
        self.teller.say(
            "Real ONNX files, trained just now from a small real data set, so the metrics in the",
            "manifests are true. Each is applied by the pipeline's service account.",
        )
        self.example.declare()
        for number in (1, 2, 3):
            self.teller.command(f"kubectl apply -f {MODEL}-{number}.yaml", "pipeline")
            self.example.register(number)
            self.teller.output(f"modelversion.modelwarden.io/{MODEL}-{number} created")
        for number in (1, 2, 3):
            self.example.await_stage(number, "Registered")
            until(
                lambda n=number: self.example.condition(n, "Ready") == "True",  # type: ignore[misc]
                what=f"version {number} is registered",
                within=90,
            )
        self._kubectl("get", "modelversions")
        self._tell("scientist", "why", MODEL, "1")

    def ask_for_staging(self) -> None:
        """The engineer asks for Staging, the release manager for Production."""
        self.teller.chapter(2, "Staging takes metrics, Production takes people")
        self._tell(
            "engineer", "promote", MODEL, "1", "--to=staging", "--reason=First candidate", "--wait"
        )
        self.example.await_stage(1, "Staging")
        self._tell(
            "manager", "promote", MODEL, "1", "--to=production", "--reason=First release, RISK-1"
        )
        self.example.await_votes(1)
        self._tell("manager", "why", MODEL, "1")

    def refuse_the_trainer(self) -> None:
        """Whoever trained it does not approve it, with any login."""
        self.teller.chapter(3, "Nobody approves their own model")
        self.teller.say(
            "The scientist is one of the owners and holds the right to approve. So does the",
            "platform team's login with cluster-admin, which belongs to the same person.",
        )
        for person in ("scientist", "platform"):
            self._tell(
                person, "approve", MODEL, "1", "--rationale=It is good.", "--yes", expected=3
            )

    def approve(self, number: int) -> None:
        """An owner and a reviewer look at the dossier and approve."""
        self._tell("owner", "approve", MODEL, str(number), "--rationale=Metrics reviewed.", "--yes")
        self._tell(
            "reviewer", "approve", MODEL, str(number), "--rationale=Segments reviewed.", "--yes",
            quietly=True,
        )  # fmt: skip
        self.example.await_stage(number, "Production")

    def release(self, number: int) -> None:
        """The next version takes the same way."""
        self.teller.say(f"Version {number} takes the same way; asked at once, it walks the ladder.")
        self._tell(
            "manager", "promote", MODEL, str(number), "--to=production",
            "--reason=Six points of AUC more, RISK-2",
        )  # fmt: skip
        self.example.await_votes(number)
        for person in ("owner", "reviewer"):
            self._tell(
                person, "approve", MODEL, str(number), "--rationale=Better on every segment.",
                "--yes", quietly=True,
            )  # fmt: skip
        self.example.await_stage(number, "Production")

    def serve(self, number: int) -> str:
        """The pods serve the very bytes that were registered."""
        if number == 1:
            self.teller.chapter(4, "The Deployment rolls, and its pods serve those bytes")
        self._kubectl("get", "pods", "--selector=modelwarden.io/model", "-L=modelwarden.io/version")
        with self._service() as address:
            served = _get(f"http://{address}/model")
            scored = _post(f"http://{address}/score", APPLICATION)
        self.teller.command("curl http://fraud-api/score", "a caller")
        self.teller.output(json.dumps(scored))
        registered = self.example.get("modelversion", f"{MODEL}-{number}")["spec"]["artifact"]
        self.teller.say(f"It answers from bytes whose SHA-256 is {served['digest']}.")
        if (served["version"], served["digest"]) != (str(number), registered["digest"]):
            raise UnexpectedError(f"version {number} must serve, and {served} does")
        self.teller.say(f"That is the digest that version {number} was registered with.")
        return _now()

    def look_back(self, key: str, *moments: str) -> None:
        """The ledger answers across three moments."""
        self.teller.chapter(7, "What served when, approved by whom, trained on what")
        self._tell("auditor", "get", MODEL)
        for moment in moments:
            self._tell(
                "auditor", "serving-at", MODEL, f"--at={moment}", "--ledger=pod", f"--key={key}"
            )
        self._tell("auditor", "history", MODEL)

    def verify(self, key: str) -> None:
        """The ledger proves itself, and a changed byte is found."""
        self._tell("auditor", "audit", "verify", f"--key={key}", everywhere=True)
        copy = self.example.work / "ledger-copy"
        self._copy_ledger(copy)
        changed = sorted((copy / "ledger").iterdir())[3]
        content = bytearray(changed.read_bytes())
        content[len(content) // 2] ^= 1
        changed.write_bytes(content)
        self.teller.say(f"One bit of {changed.name} in a copy of it is changed:")
        self._tell(
            "auditor", "audit", "verify", f"--ledger={copy}", f"--key={key}", "--offline",
            everywhere=True, expected=1,
        )  # fmt: skip

    def _pinned_key(self) -> str:
        """The ledger's public key, noted when it was new."""
        with self._ledger() as reader:
            return reader.anchor().key

    def _copy_ledger(self, copy: Path) -> None:
        """Copy the raw objects through the controller's loopback, as an auditor would."""
        shutil.rmtree(copy, ignore_errors=True)
        with self._ledger() as reader:
            objects = {key: reader.read(key) for key in reader.list("ledger/")}
            named = {
                f"evidence/{name}": reader.read(f"evidence/{name}") for name in _named(objects)
            }
        for key, content in (objects | named).items():
            target = copy / key
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _tell(
        self,
        person: str,
        *words: str,
        expected: int = 0,
        everywhere: bool = False,
        quietly: bool = False,
    ) -> Told:
        told = self.example.ask(person, *words, everywhere=everywhere)
        shown = told
        if quietly:
            last = "\n".join(told.output.splitlines()[-2:])
            shown = Told(
                words=told.words, person=person, code=told.code, output=last,
                complaint=told.complaint,
            )  # fmt: skip
        self.teller.show(shown)
        if told.code != expected:
            raise UnexpectedError(f"it must exit with {expected}, and exited with {told.code}")
        return told

    def _kubectl(self, *words: str) -> None:
        self.teller.command(f"kubectl {' '.join(words)}", "engineer")
        where = f"--namespace={self.example.namespace}"
        self.teller.output(self.example.installed.cluster.kubectl("engineer", *words, where))

    @contextmanager
    def _ledger(self) -> Iterator[RemoteReader]:
        """The raw objects, as the controller serves them on its pod's loopback."""
        cluster = self.example.installed.cluster
        with cluster.forwarded(SYSTEM, "deployment/modelwarden-controller", 8089) as address:
            reader = RemoteReader(f"http://{address}")
            try:
                yield reader
            finally:
                reader.close()

    @contextmanager
    def _service(self) -> Iterator[str]:
        cluster = self.example.installed.cluster
        with cluster.reachable(self.example.namespace, "fraud-api", 80) as address:
            yield address


def _named(objects: dict[str, bytes]) -> set[str]:
    """The evidence that records name, without the name of the digest."""
    records = [record for content in objects.values() for record in json.loads(content)["records"]]
    return {
        digest.removeprefix("sha256:")
        for record in records
        for digest in record["evidence"].values()
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def _post(address: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
