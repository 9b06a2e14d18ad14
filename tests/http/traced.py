# SPDX-License-Identifier: Apache-2.0
"""The system calls of a running process, as strace sees them."""
import shutil
import signal
import subprocess

import pytest

from instance import PATIENCE


class Strace:
    """Traces a process while the block runs; what strace wrote can be read once it has ended."""

    def __init__(self, pid, path, *options):
        if not shutil.which("strace"):
            pytest.skip("strace is not installed: apt-get install strace")
        self.path = path
        self.child = subprocess.Popen(
            ["strace", "-f", *options, "-o", str(path), "-p", str(pid)], stderr=subprocess.PIPE,
            text=True)

    def __enter__(self):
        line = self.child.stderr.readline()
        if "attached" not in line:
            self.child.wait(PATIENCE)
            pytest.skip(f"strace may not attach here: {line.strip()}")
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGINT)
        self.child.communicate(timeout=PATIENCE)

    def lines(self):
        return self.path.read_text().splitlines()
