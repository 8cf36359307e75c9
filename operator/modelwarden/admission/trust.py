"""Keeping the API server's trust: the Secret holds the certificates, the configurations say so.

Every replica does the same every few seconds: read the Secret, renew what is due (the first writer
wins), load what is new, and put the authorities into the webhook configurations where they are not.
"""

import asyncio
import base64
import logging
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from modelwarden.admission.certificates import (
    AUTHORITIES,
    CERTIFICATE,
    KEY,
    Content,
    renewed,
)
from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS, Resource
from modelwarden.cluster.secrets import SecretContent, read_secret, replace_secret
from modelwarden.errors import ModelwardenError
from modelwarden.settings import Settings

logger = logging.getLogger(__name__)

CONFIGURATIONS = (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS)
EVERY_SECONDS = 10.0
# Until the first certificate serves, requests are refused: then every second counts.
UNTIL_TRUSTED_SECONDS = 1.0
ATTEMPTS = 3


class Trust:
    """The certificate that is served, and whether the API server knows its authority."""

    def __init__(
        self,
        client: ApiClient,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._served: bytes | None = None
        self._problems: tuple[str, ...] = ("The certificates were not read yet.",)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def keep(self) -> NoReturn:
        """Keep it for ever; what fails is tried again."""
        while True:
            try:
                await self.refresh()
            except ModelwardenError as error:
                # What is loaded goes on serving; only a process that never loaded any is unready.
                logger.warning("The certificates were not looked after: %s", error)
            await asyncio.sleep(UNTIL_TRUSTED_SECONDS if self._problems else EVERY_SECONDS)

    async def refresh(self) -> None:
        """Read, renew, load and announce, once."""
        content = await self._content()
        self._load(content)
        problems = [
            await self._announce(resource, content[AUTHORITIES]) for resource in CONFIGURATIONS
        ]
        self._problems = tuple(problem for problem in problems if problem)

    def problems(self) -> Iterator[str]:
        """Say why the API server cannot ask this process."""
        yield from self._problems

    async def _content(self) -> Content:
        operator, webhook = self._settings.operator, self._settings.webhook
        names = service_names(webhook.service, operator.namespace)
        while True:
            held = await read_secret(self._client, operator.namespace, webhook.secret)
            made = renewed(held.data, names, now=self._clock())
            if made is None:
                return held.data
            content = SecretContent(made, held.resource_version)
            if await replace_secret(self._client, operator.namespace, webhook.secret, content):
                logger.info("The certificates were renewed.")
                return made

    def _load(self, content: Content) -> None:
        if self._served == content[CERTIFICATE]:
            return
        # A live context takes a new certificate for the connections to come, from files only.
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = Path(folder, "certificate"), Path(folder, "key")
            certificate.write_bytes(content[CERTIFICATE])
            key.touch(mode=0o600)
            key.write_bytes(content[KEY])
            self.context.load_cert_chain(certificate, key)
        self._served = content[CERTIFICATE]
        logger.info("A certificate was loaded.")

    async def _announce(self, resource: Resource, authorities: bytes) -> str:
        """Put the authorities into a configuration where they are not; says what prevents it."""
        name = self._settings.webhook.configuration
        refusal = ""
        for _ in range(ATTEMPTS):
            configuration = await self._client.find(resource, name)
            if configuration is None:
                return f"There is no {resource.kind} {name}: nothing is stamped."
            patch = _bundle_patch(configuration, base64.b64encode(authorities).decode())
            if not patch:
                return ""
            try:
                await self._client.patch(resource, name, patch)
            except ApiError as error:
                # Somebody wrote in between, most likely another replica, and the same.
                refusal = f"{resource.kind} {name} does not carry our authority yet: {error}"
            else:
                logger.info("The authority was put into %s %s.", resource.kind, name)
                return ""
        return refusal


def _bundle_patch(configuration: Mapping[str, Any], bundle: str) -> list[dict[str, Any]]:
    operations = [
        {"op": "add", "path": f"/webhooks/{number}/clientConfig/caBundle", "value": bundle}
        for number, webhook in enumerate(configuration.get("webhooks") or ())
        if webhook["clientConfig"].get("caBundle") != bundle
    ]
    version = configuration["metadata"]["resourceVersion"]
    unchanged = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    return [unchanged, *operations] if operations else []


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """Name the service as the API server does when it asks."""
    host = f"{service}.{namespace}.svc"
    return (host, f"{service}.{namespace}", service, f"{host}.cluster.local")
