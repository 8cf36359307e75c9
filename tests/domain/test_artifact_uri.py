"""Each place has one spelling, and a namespace takes artifacts from its own stores only."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarden.domain.artifact_uri import (
    ArtifactUri,
    Scheme,
    parse,
    store_for,
    store_prefix,
)
from modelwarden.domain.verdicts import Verdict


@dataclass(frozen=True)
class Store:
    uri_prefix: str


TENANTS = Store("s3://models/{namespace}/")
SHARED = Store("s3://models/shared")
CLAIMS = Store("pvc://{namespace}-models/")
STORES = (TENANTS, SHARED, CLAIMS)


def uri(text: str) -> ArtifactUri:
    parsed = parse(text)
    assert isinstance(parsed, ArtifactUri), parsed
    return parsed


@pytest.mark.parametrize(
    ("text", "scheme", "root", "path", "is_folder"),
    [
        ("s3://models/risk/fraud/3/", Scheme.S3, "models", "risk/fraud/3/", True),
        ("s3://models/risk/model.onnx", Scheme.S3, "models", "risk/model.onnx", False),
        ("s3://my.models-2/day=2026-10-31/a+b:c@d,e~f_g", Scheme.S3, "my.models-2", None, False),
        ("s3://models/größe/モデル/", Scheme.S3, "models", "größe/モデル/", True),
        ("pvc://claim-1/fraud/3/", Scheme.PVC, "claim-1", "fraud/3/", True),
        (
            "oci://registry.example.com:5000/risk/fraud:3@sha256:" + "0" * 64,
            Scheme.OCI,
            "registry.example.com:5000",
            "risk/fraud:3@sha256:" + "0" * 64,
            False,
        ),
    ],
)
def test_a_place_is_read(
    text: str, scheme: Scheme, root: str, path: str | None, *, is_folder: bool
) -> None:
    read = uri(text)

    assert (read.scheme, read.root, read.is_folder, read.text) == (scheme, root, is_folder, text)
    assert path in (None, read.path)


HOSTILE = [
    "",
    "s3:",
    "s3:/",
    "s3://",
    "s3:///",
    "s3:///key",
    "s3://models",
    "s3://models/",
    "models/risk/fraud/3/",
    "/models/risk/fraud",
    "S3://models/risk/fraud",
    "s3 ://models/risk/fraud",
    " s3://models/risk/fraud",
    "s3://models/risk/fraud ",
    "s3://models/risk/fraud\n",
    "s3://models/risk\n/fraud",
    "s3://models/risk\r\nHost: evil/fraud",
    "s3://models/risk/\x00fraud",
    "s3://models/risk/\x1b[2Jfraud",
    "s3a://models/risk/fraud",
    "s3+http://models/risk/fraud",
    "http://models/risk/fraud",
    "https://models.s3.amazonaws.com/risk/fraud",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "file:///etc/passwd",
    "file://localhost/etc/shadow",
    "ftp://models/risk/fraud",
    "gopher://models:70/_risk",
    "data:application/octet-stream;base64,AAAA",
    "jar:s3://models/risk!/fraud",
    "models:/fraud-detector/3",
    "s3://169.254.169.254/latest/meta-data/",
    "s3://127.0.0.1/risk/fraud",
    "s3://0.0.0.0/risk/fraud",
    "s3://[::1]/risk/fraud",
    "s3://[fd00:ec2::254]/risk/fraud",
    "s3://user@models/risk/fraud",
    "s3://user:secret@models/risk/fraud",
    "s3://models@evil.example.com/risk/fraud",
    "s3://models:7070/risk/fraud",
    "s3://MODELS/risk/fraud",
    "s3://mo/risk/fraud",
    "s3://" + "m" * 64 + "/risk/fraud",
    "s3://models./risk/fraud",
    "s3://.models/risk/fraud",
    "s3://-models/risk/fraud",
    "s3://mod..els/risk/fraud",
    "s3://mod.-els/risk/fraud",
    "s3://mod_els/risk/fraud",
    "s3://мodels/risk/fraud",
    "s3://models\\risk\\fraud",
    "s3://models/risk\\..\\hr/fraud",
    "s3://models/../hr/fraud",
    "s3://models/risk/../hr/fraud",
    "s3://models/risk/..",
    "s3://models/risk/../",
    "s3://models/./risk/fraud",
    "s3://models/risk/./fraud",
    "s3://models/risk//fraud",
    "s3://models//risk/fraud",
    "s3://models/risk/fraud//",
    "s3://models/risk/%2e%2e/hr/fraud",
    "s3://models/risk/%2E%2E%2Fhr/fraud",
    "s3://models/risk%2ffraud",
    "s3://models/risk/%252e%252e/hr",
    "s3://models/risk/fraud%00.onnx",
    "s3://models/risk/\uff0e\uff0e/hr/fraud",
    "s3://models/risk\uff0fhr/fraud",
    "s3://models/risk\u2044hr/fraud",
    "s3://models/risk\u2215hr/fraud",
    "s3://models/\ufb01les/fraud",
    "s3://models/cafe\u0301/fraud",
    "s3://models/risk/\u202efraud",
    "s3://models/risk/\u200bfraud",
    "s3://models/risk/\u2028fraud",
    "s3://models/risk/\ud800fraud",
    "s3://models/risk/fraud?versionId=1",
    "s3://models/risk/fraud#part",
    "s3://models/risk/fraud;rm -rf",
    "s3://models/risk/fraud&region=us-east-1",
    "s3://models/risk/$(AWS_SECRET_ACCESS_KEY)/",
    "s3://models/risk/${HOME}/fraud",
    "s3://models/{namespace}/fraud",
    "s3://models/risk/`id`/fraud",
    "s3://models/risk/'or'1'='1",
    's3://models/risk/"fraud"',
    "s3://models/risk/<script>/fraud",
    "s3://models/risk/fraud*",
    "s3://models/risk/a|b",
    "s3://models/-rf/fraud/../x",
    "s3://models/--endpoint-url=http:/evil",
    "s3://models/" + "a" * 1025,
    "s3://models/" + "é" * 513,
    "s3://models/" + "a/" * 600,
    "pvc://",
    "pvc://claim",
    "pvc://claim/",
    "pvc://claim/../other/model",
    "pvc://Claim/model",
    "pvc://cla..im/model",
    "pvc:///etc/passwd",
    "pvc://claim//etc/passwd",
    "oci://",
    "oci://registry.example.com",
    "oci://registry.example.com/",
    "oci://user:secret@registry.example.com/fraud",
    "oci://registry.example.com/Fraud",
    "oci://registry.example.com/fraud/../other",
    "oci://registry.example.com/fraud@sha256:abc",
    "oci://registry.example.com/fraud@md5:" + "0" * 32,
    "oci://registry.example.com:99999999/fraud",
    "oci://registry.example.com/fraud?insecure=true",
    "oci://[::1]:5000/fraud",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_uri_that_two_readers_could_read_differently_is_refused(text: str) -> None:
    answer = parse(text)

    assert isinstance(answer, Verdict)
    assert (answer.denies, answer.code) == (True, "ArtifactUriNotUnderstood")
    assert answer.sentence.isprintable()
    assert len(answer.sentence) < 400


@settings(deadline=None)
@given(st.text())
def test_whatever_is_accepted_is_written_back_unchanged(text: str) -> None:
    answer = parse("s3://models/" + text)

    assert isinstance(answer, Verdict) or answer.text == "s3://models/" + text


@settings(deadline=None)
@given(st.text(alphabet="ab/.%\\-"))
def test_no_accepted_path_leaves_its_place(text: str) -> None:
    answer = parse("s3://models/" + text)

    assert isinstance(answer, Verdict) or not {"", ".", ".."} & set(
        answer.path.removesuffix("/").split("/")
    )


@pytest.mark.parametrize(
    ("text", "store"),
    [
        ("s3://models/risk/fraud/3/", TENANTS),
        ("s3://models/risk/model.onnx", TENANTS),
        ("s3://models/shared/base/", SHARED),
        ("pvc://risk-models/fraud/3/", CLAIMS),
    ],
)
def test_a_place_below_a_prefix_is_in_that_store(text: str, store: Store) -> None:
    assert store_for(uri(text), namespace="risk", stores=STORES) == store


@pytest.mark.parametrize(
    "text",
    [
        "s3://models/hr/fraud/3/",
        "s3://models/risk-evil/fraud/3/",
        "s3://models/ris",
        "s3://models/risk/",
        "s3://models/risk",
        "s3://models/shared",
        "s3://models/sharedsecrets/base/",
        "s3://other/risk/fraud/3/",
        "s3://models-risk/fraud/3/",
        "pvc://models/risk/fraud/3/",
        "pvc://hr-models/fraud/3/",
        "oci://models/risk/fraud",
    ],
)
def test_a_place_in_no_store_is_refused_with_a_sentence(text: str) -> None:
    answer = store_for(uri(text), namespace="risk", stores=STORES)

    assert isinstance(answer, Verdict)
    assert (answer.denies, answer.code) == (True, "StoreNotAllowed")
    assert answer.sentence == (
        f"{text} is in no store that namespace risk may take artifacts from."
    )


def test_the_longest_prefix_wins_whatever_the_order() -> None:
    inner = Store("s3://models/{namespace}/approved/")
    place = uri("s3://models/risk/approved/3/")

    assert store_for(place, namespace="risk", stores=(TENANTS, inner)) == inner
    assert store_for(place, namespace="risk", stores=(inner, TENANTS)) == inner


@pytest.mark.parametrize("prefix", ["", "/", "s3://", "s3:/", "models", "s3://models/../", "s3:"])
def test_a_prefix_that_is_no_uri_lets_nothing_in(prefix: str) -> None:
    answer = store_for(uri("s3://models/risk/3/"), namespace="risk", stores=(Store(prefix),))

    assert isinstance(answer, Verdict)


def test_without_stores_nothing_is_allowed() -> None:
    assert isinstance(store_for(uri("s3://models/risk/3/"), namespace="risk", stores=()), Verdict)


def test_a_prefix_is_written_for_one_namespace_and_ends_in_a_slash() -> None:
    assert store_prefix(TENANTS, "risk") == "s3://models/risk/"
    assert store_prefix(SHARED, "risk") == "s3://models/shared/"
