"""A process of its own that calls newsdata with the hub's client pointed at a test hub.

`huggingface_hub` reads its settings when it is imported, so each client (token, cache) is one process; it
answers one call after the other, because starting Python costs more than most calls.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from .conftest import ROOT
from .hub_server import OWNER, Hub

__all__ = ["Client", "Failed"]


class Failed(Exception):
    """A call that raised an error of ours; `kind` is its class."""

    def __init__(self, kind: str, message: str, faults: list[str]) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind, self.message, self.faults = kind, message, faults


class Client:
    """The process; a context manager."""

    def __init__(self, hub: Hub, home: Path, token: str | None = OWNER, **variables: str) -> None:
        ignored = "ignore:Use 'content:DeprecationWarning"  # the client's own affair with its HTTP library
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-W", ignored, "-m", "tests.hub_client"],
            env=os.environ | hub.environment(home, token) | variables,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, function: str, *args: object, **options: object) -> None:
        """Begin a call, `module.function` of newsdata or of huggingface_hub.HfApi, and do not wait for it."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps([function, args, options], default=str) + "\n")
        self.process.stdin.flush()

    def finish(self, seconds: float = 600) -> Any:
        """The answer of the call that was started: plain data; it must come within so many seconds."""
        assert self.process.stdout
        assert select.select([self.process.stdout], [], [], seconds)[0], f"no answer within {seconds} seconds"
        line = self.process.stdout.readline()
        assert line, "the client process died; see its stderr"
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"], answer["message"], answer["faults"])
        return answer["value"]

    def __call__(self, function: str, *args: object, **options: object) -> Any:
        self.start(function, *args, **options)
        return self.finish()

    def kill(self) -> None:
        """SIGKILL: the process gets no chance to tidy up."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return vars(value) if hasattr(value, "__dict__") else dataclasses.asdict(value)
    return str(value)


def _call(function: str, args: list[Any], options: dict[str, Any]) -> Any:
    module, _, name = function.rpartition(".")
    if module == "api":
        from huggingface_hub import HfApi

        found = getattr(HfApi(), name)(*args, **options)
        return list(found) if name == "list_repo_tree" else found
    if name == "fetch":
        from newsdata.dataset.hub_revisions import HubRevision

        args[0] = HubRevision(**args[0])
    if name == "find_holders":
        from newsdata.publishing.holders import find_holders
        from newsdata.publishing.repository import open_repository

        repository = open_repository(args[0], token=None)
        holders = find_holders(repository, args[1], Path(args[2]), known={}, report=print)
        reached = [commit for commit in sorted(holders.histories) if holders.reaches(commit)]
        return {"commits": sorted(holders.commits), "reached": reached}
    said: list[str] = []
    if options.pop("listen", False):
        return {"value": _call(function, args, options | {"report": said.append}), "said": said}
    found = getattr(import_module(f"newsdata.{module}"), name)(*args, **options)
    if name == "load_pandas":
        return found.to_dict("records")
    return list(found) if name in ("load_dataset", "torch_dataset") else found


def main() -> None:
    """Answer the calls on stdin, one a line."""
    from newsdata.errors import NewsdataError

    for place, value in json.loads(os.environ.get("NEWSDATA_TEST_SETTINGS", "{}")).items():
        module, _, name = place.rpartition(".")
        setattr(import_module(f"newsdata.{module}"), name, value)
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        try:
            answer = {"value": _call(*json.loads(line))}
        except NewsdataError as error:
            faults = list(getattr(error, "faults", ()))
            answer = {"error": type(error).__name__, "message": str(error), "faults": faults}
        except Exception as error:
            answer = {"error": type(error).__name__, "message": str(error), "faults": []}
        print(json.dumps(answer, default=_plain), file=answers, flush=True)


if __name__ == "__main__":
    main()
