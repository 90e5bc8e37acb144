# Pipes are as ready as they are without the library, which asks the kernel less often
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import subprocess
from pathlib import Path

import pytest

from helpers import managed

ENDS = """
    def events(fd, wanted=select.POLLIN | select.POLLOUT | select.POLLRDNORM):
        poller = select.poll()
        poller.register(fd, wanted)
        return [found for _, found in poller.poll(0)]
    pipe = os.pipe()
    def show():
        chosen = select.select([pipe[0]], [pipe[1]], [], 0)
        print([events(fd) for fd in pipe], [len(fds) for fds in chosen])
"""
CASES = {
    "empty": "show()",
    "written": "os.write(pipe[1], b'abc'); show()",
    "nothing wanted": "os.write(pipe[1], b'abc'); print(events(pipe[0], 0))",
    "taken": "os.write(pipe[1], b'abc'); os.read(pipe[0], 2); show(); os.read(pipe[0], 9); show()",
    "written in parts": "os.writev(pipe[1], [b'ab', b'c']); os.readv(pipe[0], [bytearray(2)]);"
    " show()",
    "no writer": "os.write(pipe[1], b'a'); os.close(pipe[1]); print(events(pipe[0]));"
    " os.read(pipe[0], 1); print(events(pipe[0]))",
    "no reader": "os.close(pipe[0]); print(events(pipe[1]))",
    "second writer": "other = os.dup(pipe[1]); os.close(pipe[1]); os.write(other, b'a');"
    " print(events(pipe[0])); os.read(pipe[0], 1); print(events(pipe[0]));"
    " os.close(other); print(events(pipe[0]))",
    "full": "os.set_blocking(pipe[1], False)\n"
    "    while events(pipe[1]):\n"
    "        os.write(pipe[1], bytes(5000))\n"
    "    show(); os.read(pipe[0], 65536); show()",
    "fork": "pid = os.fork()\n"
    "    if not pid:\n"
    "        os.write(pipe[1], b'a'); os._exit(0)\n"
    "    os.waitpid(pid, 0); show()",
    "child": "subprocess.run(['/bin/sh', '-c', 'echo x >&%d' % pipe[1]], pass_fds=pipe); show()",
    "spawned child": "os.set_inheritable(pipe[1], True)\n"
    "    pid = os.posix_spawn('/bin/sh', ['sh', '-c', 'echo x >&%d' % pipe[1]], os.environ)\n"
    "    os.waitpid(pid, 0); show()",
    "child takes": "os.write(pipe[1], b'abc\\n')\n"
    "    subprocess.run(['/bin/sh', '-c', 'read x <&%d' % pipe[0]], pass_fds=pipe); show()",
}


@pytest.mark.parametrize("case", CASES)
def test_pipe_is_as_ready_as_it_is_without_the_library(tmp_path: Path, case: str) -> None:
    program = ENDS + f"    {CASES[case]}\n"
    done = subprocess.run(managed.python(program), capture_output=True, text=True, check=True)
    assert managed.output(tmp_path, program) == done.stdout != ""


def test_reader_of_a_blocking_pipe_waits_for_what_is_written(tmp_path: Path) -> None:
    program = """
        pipe = os.pipe()
        after(2, os.write, pipe[1], b"abc")
        after(3, os.write, pipe[1], b"d")
        print(slept(os.read, pipe[0], 2), slept(os.read, pipe[0], 2), slept(os.read, pipe[0], 2))
    """
    assert managed.seconds(tmp_path, program) == pytest.approx([2, 0, 1], abs=managed.TICKS_S)
