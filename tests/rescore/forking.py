"""Runs `counterpoint` again and again in forks of one process that has imported everything once.

A line of JSON on standard input, {"arguments": […], "log": PATH}, starts one; its process id is printed, and
when it has ended its exit status as the shell counts it.
"""

import json
import os
import sys
import traceback

import distributed  # noqa: F401 - imported here once for every fork

import app.cli
import app.rescore
import app.rescore.models  # noqa: F401
from app.cli import main


def run(arguments: list[str], log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["counterpoint", *arguments]
    try:
        main()
        os._exit(0)
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    except BaseException:
        traceback.print_exc()
        os._exit(70)


if __name__ == "__main__":
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            run(order["arguments"], order["log"])
        os.write(1, f"{pid}\n".encode())
        os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n".encode())
