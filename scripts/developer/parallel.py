# Run long tasks a few at a time and print what they say meanwhile
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import concurrent.futures
import multiprocessing
import os
import sys
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple


class Task(NamedTuple):
    """A function of a module, called with the arguments and a say(text) function."""

    function: Callable[..., Any]
    arguments: Tuple[Any, ...]


def _run(name: str, task: Task, said: Any) -> Any:
    return task.function(*task.arguments, lambda text: said.put("%-19s %s" % (name, text)))


def run_tasks(tasks: Dict[str, Task], jobs: Optional[int] = None) -> Dict[str, Any]:
    """Run the tasks in processes of their own, `jobs` at a time; returns their results by name.

    The default is as many as there are CPUs. The first exception of a task is raised here.
    """
    workers = min(len(tasks), jobs or os.cpu_count() or 1)
    with multiprocessing.Manager() as manager:
        said = manager.Queue()
        with concurrent.futures.ProcessPoolExecutor(workers) as pool:
            running = {name: pool.submit(_run, name, task, said) for name, task in tasks.items()}
            pending = set(running.values())
            while pending:
                done, pending = concurrent.futures.wait(
                    pending, timeout=0.2, return_when=concurrent.futures.FIRST_EXCEPTION
                )
                while not said.empty():
                    print(said.get(), file=sys.stderr, flush=True)
                if any(run.exception() for run in done):
                    for run in pending:
                        run.cancel()
                    break
            return {name: run.result() for name, run in running.items()}
