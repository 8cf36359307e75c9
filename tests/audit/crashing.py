"""A process that creates one object in a folder and kills itself at the n-th call of the kernel.

    python crashing.py FOLDER KEY CONTENT N

Calls are counted from the store's first one on, twice each: before it is made and after. With N
too high nothing is killed; the exit code is then 0 if the object was created and 1 if it was there.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from modelwarden.audit.directory import DirectoryStore

CALLS = frozenset({"open", "write", "flush", "fsync", "link", "unlink", "close", "mkdir"})


def kill_at(count: int) -> None:
    seen = 0

    def look(_: Any, event: str, called: Any) -> None:
        nonlocal seen
        if event in ("c_call", "c_return") and getattr(called, "__name__", "") in CALLS:
            seen += 1
            if seen == count:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(look)


def main(folder: str, key: str, content: str, count: str) -> int:
    kill_at(int(count))
    store = DirectoryStore.open(Path(folder))
    created = store.put_if_absent(key, content.encode())
    sys.setprofile(None)
    return 0 if created else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
