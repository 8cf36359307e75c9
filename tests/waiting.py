"""Waiting for a claim to come true, with a deadline instead of a pause."""

import asyncio
from collections.abc import Callable


async def eventually(claim: Callable[[], object], *, seconds: float = 5.0) -> None:
    """Wait until the claim holds; TimeoutError after the deadline."""
    async with asyncio.timeout(seconds):
        while True:
            if claim():
                return
            await asyncio.sleep(0.01)
