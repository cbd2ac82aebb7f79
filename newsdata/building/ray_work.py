"""What a worker of Ray runs: a function of the package, so that it is found by its name on every host."""

from __future__ import annotations

from ..graph.executors.ray_tasks import Done, Order, run_order
from .stages.functions import FUNCTIONS
from .tools import shaping_tools

__all__ = ["work"]


def work(order: Order) -> Done:
    """Run the tasks of an order.

    Raises:
        MachineError: as for `run_order`.
    """
    return run_order(order, FUNCTIONS, shaping_tools())
