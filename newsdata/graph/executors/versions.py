"""A check that every host of a build has the same versions of what shapes the bytes of a version."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import MachineError

__all__ = ["check_same_versions"]


def check_same_versions(
    own: Mapping[str, str], wanted: Mapping[str, str], *, own_name: str, leader_name: str, path: str | None = None
) -> None:
    """Check that this host has the versions of the host that leads the build.

    Args:
        own: name -> version of everything on this host that shapes bytes.
        wanted: the same of the host that leads the build.
        own_name, leader_name: what the message calls the two hosts.
        path: what the message is about, or None.

    Raises:
        MachineError: the versions differ.

    >>> check_same_versions({"a": "1"}, {"a": "1"}, own_name="a worker", leader_name="here")
    >>> check_same_versions({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, own_name="rank 1", leader_name="rank 0")
    Traceback (most recent call last):
    newsdata.errors.MachineError: rank 1 has other versions of what shapes the bytes of a version: b 2 (rank 0: 3); ...
    """
    differing = sorted(name for name in {*own, *wanted} if own.get(name) != wanted.get(name))
    if differing:
        versions = (
            f"{name} {own.get(name, 'missing')} ({leader_name}: {wanted.get(name, 'missing')})" for name in differing
        )
        raise MachineError(
            f"{own_name} has other versions of what shapes the bytes of a version: {', '.join(versions)}",
            path=path,
            hint="install the same versions on every host",
        )
