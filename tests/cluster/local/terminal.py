"""Progress for people: what is being done, and how long it has taken."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(line: str) -> None:
    """Writes one line to standard error, so that standard output stays for answers."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Shows a step with the seconds it has run so far, then one line when it is done or failed."""
    began = time.monotonic()
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(title, began, ended), daemon=True)
    ticker.start()
    outcome = "failed after"
    try:
        yield
        outcome = ""
    finally:
        ended.set()
        ticker.join()
        seconds = f"{time.monotonic() - began:.0f} s"
        say(f"{_start_of_line()}  {title:<44} {outcome} {seconds}".replace("  failed", " failed"))


def _tick(title: str, began: float, ended: threading.Event) -> None:
    if not _is_terminal():
        return
    while not ended.wait(1):
        sys.stderr.write(f"{_start_of_line()}  {title:<44} {time.monotonic() - began:.0f} s ...")
        sys.stderr.flush()


def _start_of_line() -> str:
    return "\r\033[K" if _is_terminal() else ""


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
