from pathlib import Path

import pytest

from modelwarden.errors import MisconfiguredError
from modelwarden.settings import load, parse

EXAMPLE = """
operator: {namespace: modelwarden-system, name: modelwarden, account: "system:serviceaccount:a:b"}
gates:
  namespace: modelwarden-gates
  serviceAccount: modelwarden-gate
  image: registry/validator@sha256:0
  imagePullPolicy: IfNotPresent
  deadlineSeconds: 300
  resources: {limits: {cpu: "1", memory: 512Mi}}
ledger: {directory: /var/lib/modelwarden/ledger, keySecret: modelwarden-ledger-key, port: 8089}
lease: {name: modelwarden-controller, durationSeconds: 15, renewSeconds: 10, retrySeconds: 2}
stores:
- {name: main, uriPrefix: "s3://models/{namespace}/", endpoint: "http://s3:7070", secret: store}
identity:
  usernamePrefix: ""
  people: [{name: scientist@example.com, logins: [platform@example.com]}]
webhook: {port: 8443, service: webhook, secret: webhook-tls, configuration: modelwarden}
http: {port: 8080}
controller: {workers: 4, sweepSeconds: 600}
"""


def test_every_part_is_read() -> None:
    settings = parse(EXAMPLE)

    assert settings.gates.resources == {"limits": {"cpu": "1", "memory": "512Mi"}}
    assert settings.stores[0].model_dump() == {
        "name": "main",
        "uri_prefix": "s3://models/{namespace}/",
        "claim": None,
        "endpoint": "http://s3:7070",
        "region": "us-east-1",
        "secret": "store",
        "addressing": "path",
    }
    assert settings.identity.people[0].logins == ("platform@example.com",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "settings: gates: Field required"),
        ("gates: {image: x}\nlease: {retrySeconds: 20}", "lease: Value error, must be retry"),
        ("gates: {image: x, colour: red}", "gates.colour: Extra inputs are not permitted"),
        ("gates: {image: x}\nhttp: {port: 0}", "http.port: Input should be greater than"),
        (
            "gates: {image: x}\nstores: [{name: a, uriPrefix: 's3://models/a'}]",
            "stores.0.uriPrefix",
        ),
        (
            "gates: {image: x}\nstores: [{name: a, uriPrefix: 's3://models/', claim: models}]",
            "stores.0: Value error, a store at s3:// has no claim",
        ),
        (
            (
                "gates: {image: x}\n"
                "stores: [{name: a, uriPrefix: 'pvc://models/', secret: b, region: eu}]"
            ),
            "stores.0: Value error, a store at pvc:// has no region, secret",
        ),
        (
            (
                "gates: {image: x}\n"
                "stores: [{name: a, uriPrefix: 'pvc://{namespace}-models/', claim: models}]"
            ),
            "stores.0: Value error, claim: cannot be one claim for each {namespace}",
        ),
        ("gates: {image: x, deadline_seconds: 1}", "gates.deadline_seconds: Extra inputs"),
        ("gates: [", "settings: is not YAML"),
        ("- 1", "settings: the document: Input should be"),
    ],
)
def test_a_mistake_is_named_by_its_field(text: str, message: str) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        parse(text)

    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match=r"settings\.yaml: cannot be read: No such file"):
        load(tmp_path / "settings.yaml")
