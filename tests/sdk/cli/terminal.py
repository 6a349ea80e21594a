"""The program as a process on a terminal of its own."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 30.0  # Seconds, on a machine that is busy with other tests.
COMMAND = [sys.executable, "-m", "openintent.cli"]


class Terminal:
    """A terminal of so many columns, on which `openintent` runs. Use it in a `with` block."""

    def __init__(self, *arguments, columns=100, **environment):
        self.shown = ""
        inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        environment = {**inherited, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # Workers of pytest-xdist ignore it, which children inherit.
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            os.execve(COMMAND[0], [*COMMAND, *arguments], environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._end)

    @property
    def text(self):
        """The text shown so far, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.shown).replace("\r\n", "\n")

    def until(self, text):
        """Wait until it shows the text."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} in:\n{self.text}"
            assert self._read() or text in self.text, f"it has ended without {text!r}:\n{self.text}"
        return self

    def without_echo(self):
        """Wait until what is typed is not shown: what was typed before is lost."""
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._end)[3] & termios.ECHO:
            assert time.monotonic() < deadline, "it shows what is typed"
            self._read()
        return self

    def type(self, text):
        os.write(self._end, text.encode())

    def interrupted(self):
        """Press Ctrl-C until it ends, and return its exit code: Python loses one that comes between prompting and waiting."""
        return self.ended(press="\x03", every=5.0)

    def ended(self, press="", every=PATIENCE):
        """Wait until it ends, and return its exit code."""
        deadline = time.monotonic() + PATIENCE
        pressed = -every
        while self._read():
            if press and time.monotonic() >= pressed + every:
                pressed = time.monotonic()
                self.type(press)
            assert time.monotonic() < deadline, f"it goes on:\n{self.text}"
        pid, self._pid = self._pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _read(self):
        """Read its output, waiting a moment for it. Return False once it has ended."""
        if not select.select([self._end], [], [], 0.2)[0]:
            return True
        try:
            chunk = os.read(self._end, 65536)
        except OSError:  # EIO: nobody writes any more.
            return False
        self.shown += chunk.decode(errors="replace")
        return bool(chunk)
