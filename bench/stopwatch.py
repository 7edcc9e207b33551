"""Runs one command and writes what it cost: python -I -S stopwatch.py FILE COMMAND...

A process that is started counts its parent's memory as its own until it becomes another program, so the parent must be
small: this one imports next to nothing.
"""

import os
import sys
import time


def main() -> int:
    report, *command = sys.argv[1:]
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    with open(report, "w") as file:  # noqa: PTH123 - pathlib alone would double this process
        file.write(f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss * 1024}")
    return os.waitstatus_to_exitcode(status) % 256


if __name__ == "__main__":
    sys.exit(main())
