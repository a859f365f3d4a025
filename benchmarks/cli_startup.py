"""What the command line costs before it does anything: CPU time of cold `embctl --help` and `embctl --version`.

`python benchmarks/cli_startup.py` prints a table and exits 1 when a median is over its budget. CPU time (user and
system, of the child alone), not wall time, so that a busy machine matters little.
"""

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

BUDGETS = {"--help": 0.250, "--version": 0.120}
RUNS = 15


def cpu_seconds(command: list[str]) -> float:
    """CPU seconds of one run of `command`."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Measure, print, judge."""
    program = shutil.which("embctl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        sys.exit("embctl is not installed: pip install -e .")
    within = True
    print(f"{'command':<20}{'median':>10}{'fastest':>10}{'slowest':>10}{'budget':>10}")
    for argument, budget in BUDGETS.items():
        cpu_seconds([program, argument])  # the first run may compile bytecode
        times = [cpu_seconds([program, argument]) for _ in range(RUNS)]
        median = statistics.median(times)
        within = within and median <= budget
        columns = "".join(f"{1000 * value:>7.0f} ms" for value in (median, min(times), max(times), budget))
        print(f"embctl {argument:<13}{columns}{'' if median <= budget else '  over budget'}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
