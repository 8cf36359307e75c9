"""Looking through the whole cluster for what uses versions, seldom, and once for all Models."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from modelwarden.cluster.answers import ApiError
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.paths import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INGRESSES,
    JOBS,
    PODS,
    SERVICES,
    STATEFUL_SETS,
    Resource,
)
from modelwarden.domain import labels
from modelwarden.domain.uses import Use, Uses, uses
from modelwarden.errors import UnavailableError
from modelwarden.workflows.consumers import problems_of, use_of

logger = logging.getLogger(__name__)

LOOKED_THROUGH = (
    DEPLOYMENTS,
    STATEFUL_SETS,
    DAEMON_SETS,
    CRON_JOBS,
    JOBS,
    PODS,
    SERVICES,
    INGRESSES,
    HTTP_ROUTES,
)
# After a list that failed, for so long it is not asked for again.
RETRY = timedelta(seconds=30)


class UsesFinder:
    """Keeps what the last look through the cluster found, and looks again when that is too old.

    Only what says that it uses something is kept, a line for each.
    """

    def __init__(self, client: ApiClient, clock: Callable[[], datetime]) -> None:
        self.last: Uses | None = None
        self._client = client
        self._clock = clock
        self._looked: datetime | None = None
        self._failed: datetime | None = None
        self._looking = asyncio.Lock()
        self._told: frozenset[str] = frozenset()

    async def found(self, *, since: datetime) -> Uses | None:
        """Give what was found at that time or later; None where the cluster did not say."""
        async with self._looking:
            if not self._is_fresh(since):
                await self._look()
            return self.last if self._is_fresh(since) else None

    def _is_fresh(self, since: datetime) -> bool:
        return self._looked is not None and self._looked >= since

    async def _look(self) -> None:
        now = self._clock()
        if self._failed is not None and now - self._failed < RETRY:
            return
        found: list[Use] = []
        problems: set[str] = set()
        try:
            for kind in LOOKED_THROUGH:
                await self._look_through(kind, found, problems)
        except (ApiError, UnavailableError) as error:
            logger.warning("Who uses versions is not known: %s", error)
            self._failed = now
            return
        for problem in sorted(problems - self._told):
            logger.warning("%s", problem)
        self._told = frozenset(problems)
        self.last, self._looked, self._failed = uses(found), now, None

    async def _look_through(self, kind: Resource, found: list[Use], problems: set[str]) -> None:
        try:
            async for page in self._client.pages(kind):
                for raw in page:
                    use = use_of(raw, kind.kind)
                    if use is not None:
                        found.append(use)
                    name = f"{kind.kind} {raw['metadata']['namespace']}/{raw['metadata']['name']}"
                    problems.update(
                        f"{name}: {labels.CONSUMES}: {problem.message}"
                        for problem in problems_of(raw, kind.kind)
                    )
        except ApiError as error:
            # The routes of the Gateway API are there where somebody installed them.
            if kind is not HTTP_ROUTES or error.code != HTTPStatus.NOT_FOUND:
                raise
