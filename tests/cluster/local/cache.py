"""Where the cluster's programs, images and data live, and how two processes share the place."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def folder(*parts: str) -> Path:
    """The per-user cache folder of this project, or a folder in it; made if absent."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = root.joinpath("modelwarden", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """Holds an exclusive lock that the kernel releases when this process ends, however it ends."""
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
