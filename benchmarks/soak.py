"""A long mixture of requests to the service, and whether its memory grows.

python -m benchmarks.soak [--minutes 10] [--workers 2] [--per-second 60]

Single comments, batches, streams, other protocols, feedback, articles, refused bodies, and every half a
minute another bundle put to use. The first fifth of the time is warm-up. Exit status 1 where a request
failed, or where resident memory grew by more than 3 %.
"""

import argparse
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import httpx
import psutil
from rich.console import Console

from benchmarks.http import Served, serving
from data.examples import load_examples

__all__ = ["soak"]

_SAMPLE_S = 2.0
_ACTIVATE_EVERY_S = 30.0
_MOST_GROWTH = 0.03
_CALLERS = 8
_WARM_UP = 0.2


class _Mixture:
    """The requests, drawn anew for each caller, and the statuses that each may be answered with."""

    def __init__(self, http: httpx.Client, seed: int) -> None:
        self._http = http
        self._random = random.Random(seed)
        threads = load_examples()
        self._texts = [comment.text for thread in threads for comment in thread.comments]
        self.kinds: list[tuple[Callable[[], httpx.Response], set[int], int]] = [
            (self._score, {200}, 50),
            (self._batch, {200}, 3),
            (self._stream, {200}, 3),
            (self._analyze, {200}, 20),
            (self._moderate, {200}, 5),
            (self._feedback, {201}, 8),
            (self._register, {200, 201}, 3),
            (self._summary, {200, 404}, 2),
            (self._metrics, {200}, 1),
            (self._refused, {400, 404, 405, 415, 422}, 5),
        ]

    def ask(self) -> tuple[str, int, bool]:
        """Send one request; returns its kind, the status, and whether that is as it should be."""
        [(send, good, _)] = self._random.choices(self.kinds, [weight for *_, weight in self.kinds])
        status = send().status_code
        return send.__name__.strip("_"), status, status in good

    def _text(self) -> str:
        return f"{self._random.choice(self._texts)} {self._random.random()}"

    def _request(self) -> dict[str, object]:
        request: dict[str, object] = {"comment": {"text": self._text()}, "store": "digest"}
        if self._random.random() < 0.2:
            request["article"] = {"id": f"a{self._random.randrange(50)}"}
        if self._random.random() < 0.05:
            request["explain"] = True
        return request

    def _score(self) -> httpx.Response:
        return self._http.post("/v1/score", json=self._request())

    def _batch(self) -> httpx.Response:
        return self._http.post("/v1/score/batch", json={"items": [self._request() for _ in range(20)]})

    def _stream(self) -> httpx.Response:
        lines = httpx.Response(200, json=self._request()).content + b"\n"
        headers = {"Content-Type": "application/x-ndjson"}
        return self._http.post("/v1/score/stream", content=10 * lines, headers=headers)

    def _analyze(self) -> httpx.Response:
        body = {
            "comment": {"text": self._text()},
            "languages": ["en"],
            "requestedAttributes": {"TOXICITY": {}},
        }
        return self._http.post("/v1alpha1/comments:analyze", json=body)

    def _moderate(self) -> httpx.Response:
        return self._http.post("/v1/moderations", json={"input": "Well said, thank you for this report."})

    def _feedback(self) -> httpx.Response:
        body = {"comment": {"text": self._text()}, "labels": {"INSULT": self._random.random()}}
        return self._http.post("/v1/feedback", json=body)

    def _register(self) -> httpx.Response:
        premise = {"premise": "The city should close the square to cars."}
        return self._http.put(f"/v1/articles/a{self._random.randrange(50)}", json=premise)

    def _summary(self) -> httpx.Response:
        return self._http.get(f"/v1/articles/a{self._random.randrange(50)}/summary")

    def _metrics(self) -> httpx.Response:
        return self._http.get("/metrics")

    def _refused(self) -> httpx.Response:
        bodies = (b"{", b"[]", b'{"comment": {"text": ""}}', b"\xff", b'{"comment": 1}')
        path = self._random.choice(["/v1/score", "/v1/feedback", "/v1/nowhere", "/v1/models"])
        return self._http.post(path, content=self._random.choice(bodies))


def soak(served: Served, minutes: float, per_second: float) -> tuple[Counter[str], int, list[float], float]:
    """Send the mixture for so many minutes.

    Returns:
        The kinds and statuses with their counts, how many were not as they should be, the megabytes that the
        workers held at the end of warm-up and at the end (medians of a tenth of the time), the growth.
    """
    seen: Counter[str] = Counter()
    wrong = 0
    lock, ending = threading.Lock(), threading.Event()

    def call(seed: int) -> None:
        nonlocal wrong
        pause = random.Random(seed)
        with httpx.Client(base_url=served.url, timeout=60, trust_env=False) as http:
            mixture = _Mixture(http, seed)
            while not ending.wait(pause.expovariate(per_second / _CALLERS)):
                try:
                    kind, status, good = mixture.ask()
                except httpx.TransportError as error:
                    kind, status, good = type(error).__name__, 0, False
                with lock:
                    seen[f"{kind} {status}"] += 1
                    wrong += not good

    callers = [threading.Thread(target=call, args=(seed,)) for seed in range(_CALLERS)]
    for caller in callers:
        caller.start()
    held: list[float] = []
    began = time.monotonic()
    activated = began
    while time.monotonic() < began + 60 * minutes:
        time.sleep(_SAMPLE_S)
        held.append(_megabytes(served))
        if time.monotonic() >= activated + _ACTIVATE_EVERY_S:
            status = _activate_another(served.url)
            activated = time.monotonic()
            with lock:
                seen[f"activate {status}"] += 1
                wrong += status != 200
    ending.set()
    for caller in callers:
        caller.join()
    tenth = max(1, len(held) // 10)
    warm = int(_WARM_UP * len(held))
    told = [statistics.median(held[warm : warm + tenth]), statistics.median(held[-tenth:])]
    return seen, wrong, told, told[1] / told[0] - 1


def _activate_another(url: str) -> int:
    # A connection of its own: the server closes one that is idle.
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        models = http.get("/v1/models").json()["models"]
        [version] = [model["version"] for model in models if not model["active"]][-1:]
        return http.post(f"/v1/models/{version}/activate").status_code


def _megabytes(served: Served) -> float:
    first = psutil.Process(served.process)
    return float(sum(one.memory_info().rss for one in (first, *first.children(recursive=True)))) / 1e6


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Whether the service's memory grows under mixed requests.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--per-second", type=float, default=60, help="requests")
    asked = parser.parse_args()
    with serving({"COUNTERPOINT_ALLOW_ACTIVATE": "true"}, asked.workers) as served:
        seen, wrong, (warm, end), growth = soak(served, asked.minutes, asked.per_second)
    console = Console()
    for kind, count in sorted(seen.items()):
        console.print(f"{kind}: {count:,}", highlight=False)
    console.print(
        f"{sum(seen.values()):,} requests, {wrong} not as they should be; resident memory of {asked.workers} "
        f"workers {warm:,.0f} MB after warm-up, {end:,.0f} MB at the end: {growth:+.1%}",
        highlight=False,
    )
    if wrong or growth > _MOST_GROWTH:
        sys.exit(1)


if __name__ == "__main__":
    main()
