"""Counts of one process: instructions by callgrind, allocations by a preloaded malloc."""
import os
import re
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


class Counting:
    """Wraps commands so that what they do is counted. `folder` takes the files that this needs."""

    def __init__(self, folder):
        self.folder = folder
        self.library = os.path.join(folder, "counting_malloc.so")
        compiler = "clang" if subprocess.run(["which", "clang"], capture_output=True).returncode == 0 else "cc"
        subprocess.run(
            [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", self.library, os.path.join(HERE, "counting_malloc.c")],
            check=True)

    def stripped(self, binary):
        """A copy without debug information, which valgrind up to 3.19 cannot read of Swift's programs."""
        copy = os.path.join(self.folder, os.path.basename(binary))
        subprocess.run(["strip", "--strip-debug", "-o", copy, binary], check=True)
        return copy

    def file(self):
        handle, path = tempfile.mkstemp(dir=self.folder)
        os.close(handle)
        return path

    def under_malloc(self, command, counts):
        """The command with its allocations counted in the file `counts`."""
        return ["env", "SWIFT_DETERMINISTIC_HASHING=1", f"LD_PRELOAD={self.library}", f"WEIR_COUNTS={counts}", *command]

    @staticmethod
    def read_allocations(counts):
        with open(counts, "rb") as source:
            return struct.unpack("=QQ", source.read(16))[0]

    def allocations(self, command):
        counts = self.file()
        subprocess.run(self.under_malloc(command, counts), check=True)
        return self.read_allocations(counts)

    def instructions(self, command):
        log = self.file()
        subprocess.run(
            ["env", "SWIFT_DETERMINISTIC_HASHING=1", "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             f"--log-file={log}", *command], check=True)
        with open(log) as source:
            return int(re.search(r"Collected : (\d+)", source.read()).group(1))
