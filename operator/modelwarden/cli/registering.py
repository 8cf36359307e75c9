"""Registering: an upload with the caller's own credentials, and a version under a free number."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from modelwarden.artifacts.bringing import digest_of_source
from modelwarden.artifacts.directory import DirectorySource
from modelwarden.artifacts.s3 import StoreAccess, connect
from modelwarden.artifacts.sources import Limits, StoredFile
from modelwarden.artifacts.upload import upload
from modelwarden.cli.answers import Answer, CannotError, Format, name_of, sentences
from modelwarden.cli.manifests import Given, format_of, manifest
from modelwarden.cli.reading import read_model
from modelwarden.cli.session import Session
from modelwarden.cli.waiting import Watch, wait_for
from modelwarden.cli.writing import create
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import JsonObject
from modelwarden.cluster.paths import CONFIG_MAPS, MODEL_VERSIONS
from modelwarden.domain.artifact_uri import ArtifactUri, parse, store_for, store_prefix
from modelwarden.domain.settling import registered
from modelwarden.domain.verdicts import Verdict
from modelwarden.resources.model_version import ModelVersion

# Pipelines register at the same time; each takes the next number that is free.
TRIES = 10


@dataclass(frozen=True, kw_only=True)
class Store:
    """A store as the platform team published it."""

    name: str
    uri_prefix: str
    endpoint: str
    region: str
    addressing: str


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What is registered, from where, and as what."""

    model: str
    path: Path | None
    version: int | None
    base: Mapping[str, Any]
    given: Given
    form: str | None
    uri: str | None
    store: str | None
    endpoint: str | None
    dry_run: bool
    operator_namespace: str
    operator_name: str
    seconds: int = 0


async def register(
    session: Session, registration: Registration, *, output: Format | None = None
) -> Answer:
    """Upload the artifact and create the version, under the next number that is free."""
    model = await read_model(session, registration.model)
    if registration.path is not None:
        artifact = await _artifact(session, registration, registration.path)
        registration = replace(registration, given=replace(registration.given, artifact=artifact))
    elif registration.uri is not None:
        raise CannotError("--uri says where an artifact lies; give a copy of it too, as PATH.")
    elif "artifact" not in registration.base:
        raise CannotError("Nothing to register: give a file or folder, or --from with an artifact.")
    first = registration.version or model.get("status", {}).get("nextVersion", 1)
    body = await _manifest(session, registration, first)
    if registration.dry_run:
        return Answer(page=sentences("Nothing was sent."), data=body, names=_names(body))
    created = await _create(session, registration, body)
    if not registration.seconds:
        return _registered(created)
    watch = Watch(
        model=registration.model,
        version=created["spec"]["version"],
        ended=registered,
        seconds=registration.seconds,
        output=output,
    )
    return await wait_for(session, watch)


async def _create(session: Session, registration: Registration, body: JsonObject) -> JsonObject:
    for _ in range(TRIES):
        try:
            return await create(session, MODEL_VERSIONS, body)
        except ApiError as error:
            if not error.is_already_exists or registration.version is not None:
                raise
        body = await _manifest(session, registration, body["spec"]["version"] + 1)
    raise CannotError(f"The next {TRIES} numbers of {registration.model} are all taken; try again.")


async def _manifest(session: Session, registration: Registration, version: int) -> JsonObject:
    """Write the version and check it here, where every wrong field is named at once."""
    body = manifest(
        registration.base,
        registration.given,
        model=registration.model,
        version=version,
        namespace=await session.namespace(),
    )
    ModelVersion.parse(body)
    return body


async def _artifact(session: Session, registration: Registration, path: Path) -> dict[str, Any]:
    copy = _read_copy(registration, path)
    if registration.uri is not None:
        await _check_place(session, registration, copy=copy, uri=registration.uri)
        return await _described(copy, registration.uri)
    store = await _store(session, registration)
    prefix = store_prefix(store, await session.namespace())
    if not prefix.startswith("s3://"):
        raise CannotError(_no_upload(registration, prefix, store=store, path=path))
    if registration.dry_run:
        place = _place_by_digest(prefix, copy, digest=await _digest(copy))
        return await _described(copy, place)
    client = connect(_access(store, registration.endpoint))
    session.may_have_written = True
    sent = await asyncio.to_thread(
        lambda: upload(path, client, store_prefix=prefix, told=_teller(session))
    )
    return {**copy.facts, "uri": sent.uri, "digest": sent.digest}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """The artifact as it lies on this machine."""

    source: DirectorySource
    files: Sequence[StoredFile]
    form: str

    @property
    def facts(self) -> dict[str, Any]:
        """What a record says of it besides its place and its digest."""
        return {"format": self.form, "sizeBytes": sum(file.size for file in self.files)}


def _read_copy(registration: Registration, path: Path) -> Copy:
    source = DirectorySource(path)
    files = source.files(Limits())
    form = registration.form or format_of([file.name for file in files])
    if form is None:
        raise CannotError(f"The names in {path} do not tell its format: give it with --format.")
    return Copy(source=source, files=files, form=form)


async def _digest(copy: Copy) -> str:
    return await asyncio.to_thread(digest_of_source, copy.source, copy.files)


async def _described(copy: Copy, uri: str) -> dict[str, Any]:
    return {**copy.facts, "uri": uri, "digest": await _digest(copy)}


def _place_by_digest(prefix: str, copy: Copy, *, digest: str) -> str:
    end = "" if copy.source.is_folder else copy.files[0].name
    return f"{prefix}{digest.replace(':', '/')}/{end}"


def _no_upload(registration: Registration, prefix: str, *, store: Store, path: Path) -> str:
    """Say how an artifact gets onto a volume, which only pods can write to."""
    slash = "/" if path.is_dir() else ""
    return (
        f"The store {store.name} is a volume, to which nothing can be sent from here. Copy {path} "
        f"there with a pod that mounts it, then: kubectl model register {path} --model "
        f"{registration.model} --uri {prefix}<path>{slash}"
    )


async def _check_place(
    session: Session, registration: Registration, *, copy: Copy, uri: str
) -> None:
    """Refuse a place that no gate would read, and one of another kind than the copy."""
    place = parse(uri)
    if not isinstance(place, ArtifactUri):
        raise CannotError(place.message)
    if place.is_folder != copy.source.is_folder:
        kind = "folder" if copy.source.is_folder else "file"
        slash = "ends in a slash" if copy.source.is_folder else "does not end in a slash"
        raise CannotError(f"{copy.source.path} is a {kind}, and the URI of a {kind} {slash}.")
    stores = await _published(session, registration)
    found = store_for(place, namespace=await session.namespace(), stores=stores)
    if isinstance(found, Verdict):
        raise CannotError(found.message)


def _teller(session: Session) -> Callable[[str], None]:
    return lambda name: session.screen.note(sentences(f"sending {name}"))


def _access(store: Store, endpoint: str | None) -> StoreAccess:
    """Reach the store as asked, else as the environment says, else as it is published.

    The published endpoint is the one inside the cluster.
    """
    of_environment = any(
        os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    )
    published = None if of_environment else store.endpoint or None
    return StoreAccess(
        endpoint=endpoint or published, region=store.region, addressing=store.addressing
    )


async def _store(session: Session, registration: Registration) -> Store:
    """Find the store by name, or the first one."""
    stores = await _published(session, registration)
    if registration.store is None:
        return stores[0]
    found = [store for store in stores if store.name == registration.store]
    if not found:
        names = ", ".join(store.name for store in stores)
        raise CannotError(f"There is no store {registration.store}. There is {names}.")
    return found[0]


async def _published(session: Session, registration: Registration) -> Sequence[Store]:
    client = await session.client()
    name = f"{registration.operator_name}-stores"
    published = await client.find(CONFIG_MAPS, name, registration.operator_namespace)
    stores = [] if published is None else _stores(published)
    if not stores:
        raise CannotError(
            f"No store is published in {registration.operator_namespace}: ask the platform team "
            "for one, or say with --operator-namespace where the operator is."
        )
    return stores


def _stores(published: JsonObject) -> Sequence[Store]:
    listed = yaml.safe_load(published.get("data", {}).get("stores.yaml", "")) or ()
    return [
        Store(
            name=item["name"],
            uri_prefix=item["uriPrefix"],
            endpoint=item.get("endpoint", ""),
            region=item.get("region", "us-east-1"),
            addressing=item.get("addressing", "path"),
        )
        for item in listed
    ]


def _registered(created: JsonObject) -> Answer:
    spec, metadata = created["spec"], created["metadata"]
    name = f"{spec['model']} {spec['version']}"
    return Answer(
        page=sentences(
            f"{name} is recorded; its registration has begun.",
            f"It lies at {spec['artifact']['uri']} as {spec['artifact']['digest']}.",
            f"Follow it: kubectl model why {name} -n {metadata['namespace']}",
        ),
        data=created,
        names=_names(created),
    )


def _names(body: JsonObject) -> Sequence[str]:
    return [name_of("modelversions", body["metadata"]["name"])]
