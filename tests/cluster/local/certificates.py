"""The keys of a cluster, made by openssl: an authority, and what it signs."""

import subprocess
from pathlib import Path

_CONFIGURATION = "[req]\ndistinguished_name = subject\n[subject]\n"
_EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def make_authority(place: Path) -> None:
    """Makes `ca.crt` and `ca.key` in the folder."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "openssl.cnf").write_text(_CONFIGURATION)
    usage = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
    _request(place, "ca", subject="/CN=modelwarden-test", extensions=usage)


def issue(
    place: Path, name: str, *, subject: str, addresses: tuple[str, ...] = (), server: bool = False
) -> None:
    """Makes `NAME.crt` and `NAME.key`, signed by the folder's authority."""
    usage = "serverAuth" if server else "clientAuth"
    extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={usage}"]
    if addresses:
        kinds = ("IP" if a.replace(".", "").isdigit() else "DNS" for a in addresses)
        pairs = zip(kinds, addresses, strict=True)
        extensions.append("subjectAltName=" + ",".join(f"{kind}:{a}" for kind, a in pairs))
    signer = ("-CA", place / "ca.crt", "-CAkey", place / "ca.key")
    _request(place, name, subject=subject, extensions=tuple(extensions), signer=signer)


def make_signing_key(place: Path, name: str) -> None:
    """Makes `NAME.key` and `NAME.pub`, for service account tokens."""
    key, public = place / f"{name}.key", place / f"{name}.pub"
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    _openssl("pkey", "-in", key, "-pubout", "-out", public)


def _request(
    place: Path,
    name: str,
    *,
    subject: str,
    extensions: tuple[str, ...],
    signer: tuple[str | Path, ...] = (),
) -> None:
    added = [word for extension in extensions for word in ("-addext", extension)]
    files = ("-keyout", place / f"{name}.key", "-out", place / f"{name}.crt")
    common = ("-x509", "-config", place / "openssl.cnf", "-days", "3650", "-subj", subject)
    _openssl("req", *common, *_EC_KEY, *files, *added, *signer)


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
