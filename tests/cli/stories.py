"""Where a model stands when somebody looks at it: each story goes on from the one before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests import builders
from tests.workflows.world import World

STAGING = "stages.staging/1"
ATTEMPT = "fraud-detector-1-production-1"


async def registered(world: World) -> None:
    """Version 1 has been read and is registered."""
    world.register(1, notes={"limitations": ["Not evaluated outside the EU."]})
    await world.settle("fraud-detector-1")


async def in_staging(world: World) -> None:
    """Version 1 has passed the gates of Staging."""
    await registered(world)
    world.ask("r1", builders.stages(staging=(1,)), STAGING)
    await world.settle()


async def awaiting_votes(world: World) -> None:
    """Version 1 has been asked into Production and its gates have passed."""
    await in_staging(world)
    world.ask("r2", builders.stages(production=1, staging=(1,)), "stages.production")
    await world.settle()


async def in_production(world: World) -> None:
    """Two people have approved version 1, and its Deployment serves it."""
    await awaiting_votes(world)
    world.vote(ATTEMPT, builders.OWNER)
    world.vote(ATTEMPT, builders.REVIEWER)
    await world.settle()


async def with_a_candidate(world: World) -> None:
    """Version 2 is in Staging and asked into Production; version 1 is there."""
    await in_production(world)
    total = {"name": "auc", "value": "0.951", "dataset": "holdout"}
    segment = {**total, "value": "0.930", "segment": {"age_band": "18-25"}, "samples": 5120}
    world.register(2, metrics=[total, segment], label="gbm-device")
    surface = builders.stages(production=2, staging=(1, 2))
    world.ask("r3", surface, "stages.production", "stages.staging/2")
    await world.settle("fraud-detector-2")


@contextlib.asynccontextmanager
async def running(world: World, *touched: str) -> AsyncIterator[None]:
    """Let the controller and the cluster work while somebody waits."""

    async def work() -> None:
        while True:
            await world.look(*touched)
            world.run_gates()
            world.roll_out()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
