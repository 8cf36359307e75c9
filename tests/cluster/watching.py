"""Every state of a namespace's objects that the API server tells of, from one kubectl each."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .running import RunningCluster, TooLateError

Answer = TypeVar("Answer")


class Watched:
    """All that was told of the objects of one kind, in its order, and how each is now."""

    def __init__(self) -> None:
        self.states: list[dict[str, Any]] = []
        self.now: dict[str, dict[str, Any]] = {}
        self._news = threading.Condition()

    def until(self, look: Callable[[], Answer], *, what: str, within: float) -> Answer:
        """Give the first answer that is not empty, asked again at everything that is told."""
        deadline = time.monotonic() + within
        with self._news:
            while not (answer := look()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TooLateError(f"{what}: not within {within:.0f} s")
                # What is asked may hang on more than what is told here.
                self._news.wait(min(left, 0.5))
            return answer

    def read(self, stream: Any) -> None:
        """Take in everything until the stream ends: each line is an event."""
        for line in stream:
            self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        state = event["object"]
        with self._news:
            self.states.append(state)
            if event["type"] == "DELETED":
                self.now.pop(state["metadata"]["name"], None)
            else:
                self.now[state["metadata"]["name"]] = state
            self._news.notify_all()


@contextmanager
def watched(cluster: RunningCluster, kind: str, namespace: str) -> Iterator[Watched]:
    """Watch the objects of a kind in a namespace for as long as the caller is busy."""
    words = ("get", kind, f"--namespace={namespace}", "--watch", "--output-watch-events")
    command = cluster.command(None, *words, "--output=json")
    told = Watched()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        reading = threading.Thread(target=told.read, args=(watching.stdout,))
        reading.start()
        try:
            yield told
        finally:
            watching.terminate()
            reading.join()
