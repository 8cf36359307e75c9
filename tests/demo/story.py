"""The story: three versions of a real model, from a pipeline to the pods, and back by one."""

import json
import shutil
import time
import urllib.request
from collections.abc import Iterator, Sequence
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


# A rollback looks at the file, then the pods change one by one.
ROLLBACK_SECONDS = 60


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
        moments = [("nothing", _now())]
        self.ask_for_staging()
        self.refuse_the_trainer()
        self.approve()
        moments.append(("version 1", self.serve(1)))
        self.replace()
        moments.append(("version 2", self.serve(2)))
        self.hold_the_unfair_one()
        moments.append(("version 1", self.roll_back()))
        self.look_back(key, moments)
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

    def ask_for_staging(self) -> None:
        """The engineer asks for Staging, the release manager for Production."""
        self.teller.chapter(2, "Staging takes metrics, Production takes people")
        told = self._tell(
            "engineer", "promote", MODEL, "1", "--to=staging", "--reason=First candidate", "--wait"
        )
        _must_say(told, "passed quality")
        self.example.await_stage(1, "Staging")
        self._tell(
            "manager", "promote", MODEL, "1", "--to=production", "--reason=First release, RISK-1"
        )
        self.example.await_votes(1)
        told = self._tell("manager", "why", MODEL, "1")
        _must_say(told, "one owner", "passed fairness")

    def refuse_the_trainer(self) -> None:
        """Whoever trained it does not approve it, with any login."""
        self.teller.chapter(3, "Nobody approves their own model; two others do")
        self.teller.say(
            "The scientist is one of the owners and holds the right to approve. So does the",
            "platform team's login with cluster-admin, which belongs to the same person.",
        )
        for person in ("scientist", "platform"):
            told = self._tell(
                person, "approve", MODEL, "1", "--rationale=It is good.", "--yes", expected=3
            )
            _must_say(told, "trained")

    def approve(self) -> None:
        """An owner and a reviewer look at the dossier and approve the first version."""
        self._tell("owner", "approve", MODEL, "1", "--rationale=Metrics reviewed.", "--yes")
        self._approve_quietly("reviewer", 1, rationale="Segments reviewed.")
        self.example.await_stage(1, "Production")

    def replace(self) -> None:
        """The next version takes the same way, and the Deployment rolls."""
        self.teller.chapter(4, "The Deployment rolls, and its pods serve those bytes")
        self.teller.say("Version 2 takes the same way; asked at once, it walks the ladder.")
        self._tell(
            "manager", "promote", MODEL, "2", "--to=production",
            "--reason=Six points of AUC more, RISK-2",
        )  # fmt: skip
        self.example.await_votes(2)
        for person in ("owner", "reviewer"):
            self._approve_quietly(person, 2, rationale="Better on every segment.")
        self.example.await_stage(2, "Production")

    def serve(self, number: int) -> str:
        """The pods serve the very bytes that were registered."""
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

    def hold_the_unfair_one(self) -> None:
        """The best metric of all does not help a version that treats people differently."""
        self.teller.chapter(5, "A fairness gap holds the version with the best AUC")
        self._tell(
            "manager", "promote", MODEL, "3", "--to=production", "--reason=Best AUC of all",
            "--wait", expected=3,
        )  # fmt: skip
        told = self._tell("scientist", "why", MODEL, "3")
        _must_say(told, "FAILED fairness", "approval_rate by age_band: ratio 0.71, needs 0.80")
        if self.example.stage(2) != "Production":
            raise UnexpectedError("version 2 must still be in Production")

    def roll_back(self) -> str:
        """The version that was replaced returns, by one command of one person."""
        self.teller.chapter(6, "Rollback: one command, and seconds later it serves")
        begun = time.monotonic()
        self._tell(
            "engineer", "rollback", MODEL, "--reason=Chargebacks doubled, INC-7", "--wait"
        )  # fmt: skip
        moment = self.serve(1)
        elapsed = time.monotonic() - begun
        self.teller.say(f"{elapsed:.0f} s lie between the command and that answer.")
        if elapsed > ROLLBACK_SECONDS:
            raise UnexpectedError(f"a rollback must take less than {ROLLBACK_SECONDS} s")
        return moment

    def look_back(self, key: str, moments: Sequence[tuple[str, str]]) -> None:
        """The ledger answers across the moments."""
        self.teller.chapter(7, "What served when, approved by whom, trained on what")
        self._tell("auditor", "get", MODEL)
        for served, moment in moments:
            told = self._tell(
                "auditor", "serving-at", MODEL, f"--at={moment}", "--ledger=pod", f"--key={key}"
            )
            _must_say(told, f"at {moment}: {served} (Exact)")
        told = self._tell("auditor", "history", MODEL)
        _must_say(told, "Chargebacks doubled, INC-7")

    def verify(self, key: str) -> None:
        """The ledger proves itself, and a changed byte is found."""
        told = self._tell("auditor", "audit", "verify", f"--key={key}", everywhere=True)
        _must_say(told, "The ledger is whole.")
        copy = self.example.work / "ledger-copy"
        self._copy_ledger(copy)
        changed = sorted((copy / "ledger").iterdir())[3]
        content = bytearray(changed.read_bytes())
        content[len(content) // 2] ^= 1
        changed.write_bytes(content)
        self.teller.say(f"One bit of {changed.name} in a copy of it is changed:")
        told = self._tell(
            "auditor", "audit", "verify", f"--ledger={copy}", f"--key={key}", "--offline",
            everywhere=True, expected=1,
        )  # fmt: skip
        _must_say(told, changed.stem)

    def _approve_quietly(self, person: str, number: int, *, rationale: str) -> None:
        self._tell(
            person, "approve", MODEL, str(number), f"--rationale={rationale}", "--yes",
            quietly=True,
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


def _must_say(told: Told, *words: str) -> None:
    """Stop where a command did not say what the story says, whatever its layout."""
    text = " ".join((told.output + told.complaint).split())
    missing = [word for word in words if word not in text]
    if missing:
        raise UnexpectedError(f"{' '.join(told.words)} must say {missing}")


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
