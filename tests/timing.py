"""How the time of a call grows with its input."""

import time
from collections.abc import Callable

ATTEMPTS = 5


def growth(work: Callable[[int], object], small: int, large: int, limit: float) -> float:
    """How many times as long `work(large)` takes as `work(small)`, in seconds of the processor.

    Another process can only make a run longer, so each size counts with its shortest run. More runs are made only while
    the result is `limit` or more, up to ``ATTEMPTS`` of each size. Runs below 10 ms count as 10 ms.
    """
    shortest = {small: float("inf"), large: float("inf")}
    for _ in range(ATTEMPTS):
        for size in shortest:
            begin = time.process_time()
            work(size)
            shortest[size] = min(shortest[size], time.process_time() - begin)
        if shortest[large] < limit * max(shortest[small], 0.01):
            break
    return shortest[large] / max(shortest[small], 0.01)
