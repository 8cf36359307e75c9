"""The ledger as this process holds it: open, or the reason why not."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from modelwarden import __version__
from modelwarden.audit.anchor import Anchor
from modelwarden.audit.directory import DirectoryStore
from modelwarden.audit.keys import create_key, load_signer
from modelwarden.audit.ledger import Ledger
from modelwarden.audit.store import LEDGER
from modelwarden.cluster.client import ApiClient
from modelwarden.cluster.lease import Elector
from modelwarden.cluster.secrets import fill_secret
from modelwarden.domain.fold import fold
from modelwarden.domain.records import Actor, Operation, Record
from modelwarden.domain.scribe import timestamp
from modelwarden.domain.state import LedgerState, ModelKey, ModelState
from modelwarden.errors import (
    LedgerUnavailableError,
    MisconfiguredError,
    ModelwardenError,
    code_of,
)
from modelwarden.metrics import Metrics
from modelwarden.settings import Settings

logger = logging.getLogger(__name__)

KEY = "ed25519.pem"
# What is recorded of the ledger itself is about no model.
OF_THE_LEDGER = ModelKey("", "")
RETRY_SECONDS = 10.0


class LedgerKeeper:
    """Opens the ledger, as often as it takes, and has its anchor written with the Lease.

    A ledger that is lost or broken does not end the process: what serves goes on, and the reason
    is shown.
    """

    def __init__(
        self, *, client: ApiClient, settings: Settings, elector: Elector, metrics: Metrics
    ) -> None:
        self._client = client
        self._settings = settings
        self._elector = elector
        self._metrics = metrics
        self._announced: Anchor | None = None
        self.ledger: Ledger[LedgerState] | None = None
        self.problem: ModelwardenError | None = LedgerUnavailableError("The ledger is not open.")
        self.tried = asyncio.Event()

    @property
    def anchor(self) -> Anchor | None:
        """What the ledger is now; None while it is not open."""
        return None if self.ledger is None else self.ledger.anchor

    @property
    def size(self) -> int:
        """How many records there are."""
        return 0 if self.ledger is None else self.ledger.size

    @property
    def models(self) -> Mapping[ModelKey, ModelState]:
        """The Models that the ledger knows."""
        return {} if self.ledger is None else self.ledger.state.models

    async def keep(self, changed: Callable[[], None]) -> None:
        """Open the ledger, trying until it opens; MisconfiguredError ends it.

        `changed` is called whenever the ledger or its problem is another.
        """
        while True:
            before = str(self.problem)
            is_open = await self._try_to_open()
            if is_open or str(self.problem) != before or not self.tried.is_set():
                changed()
            self.tried.set()
            if is_open:
                return
            await asyncio.sleep(RETRY_SECONDS)

    def tell_of(self, key: ModelKey, *, since: int) -> None:
        """Count what was recorded of a Model after so many records, and have the anchor written."""
        for record in () if self.ledger is None else self.ledger.records(key):
            if record.index >= since:
                self._metrics.ledger_appends.labels(record.operation.value).inc()
        self._announce()

    def _announce(self) -> None:
        anchor = self.anchor
        if anchor is not None and anchor != self._announced:
            self._announced = anchor
            self._elector.announce(anchor.to_annotations())

    async def _try_to_open(self) -> bool:
        try:
            self.ledger = await self._open()
        except MisconfiguredError:
            raise
        except ModelwardenError as error:
            self._show(error)
            return False
        self._show(None)
        self._announce()
        return True

    async def _open(self) -> Ledger[LedgerState]:
        anchor = Anchor.from_annotations(self._elector.annotations)
        store = await asyncio.to_thread(DirectoryStore.open, self._settings.ledger.directory)
        has_begun = anchor is not None or bool(await asyncio.to_thread(store.list, LEDGER))
        data = await fill_secret(
            self._client,
            self._settings.operator.namespace,
            self._settings.ledger.key_secret,
            (KEY,),
            make=_no_key if has_begun else _new_key,
        )
        ledger = await Ledger.open(
            store,
            load_signer(data[KEY]),
            fold=fold,
            initial=LedgerState(),
            genesis=self._record(Operation.GENESIS),
            anchor=anchor,
        )
        await self._record_the_start(ledger)
        return ledger

    async def _record_the_start(self, ledger: Ledger[LedgerState]) -> None:
        """Record since when somebody watches again, and until when somebody had."""
        if not self._elector.last_held:
            return
        started = self._record(Operation.STARTED, facts={"watchedUntil": self._elector.last_held})
        await ledger.append(
            OF_THE_LEDGER, [started], expected_last_index=ledger.last_index(OF_THE_LEDGER)
        )

    def _record(self, operation: Operation, *, facts: Mapping[str, str] | None = None) -> Record:
        return Record(
            operation=operation,
            time=timestamp(datetime.now(UTC)),
            transaction=str(uuid.uuid4()),
            actor=Actor(username=self._settings.operator.account),
            facts=facts or {},
            build=__version__,
        )

    def _show(self, problem: ModelwardenError | None) -> None:
        if self.problem is not None:
            self._metrics.ledger_problem.labels(code_of(self.problem)).set(0)
        if problem is None:
            logger.info("The ledger is open with %d records.", self.size)
        else:
            self._metrics.ledger_problem.labels(code_of(problem)).set(1)
            if str(problem) != str(self.problem):
                logger.error("%s", problem)
        self.problem = problem


def _new_key() -> Mapping[str, bytes]:
    return {KEY: create_key().encode()}


def _no_key() -> Mapping[str, bytes]:
    raise MisconfiguredError(
        "The ledger has begun, but its key is gone: restore the Secret from a copy."
    )
