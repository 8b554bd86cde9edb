"""Counts of one process: instructions by callgrind, allocations by a preloaded malloc."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


class Counting:
    """Wraps commands so that what they do is counted. `folder` takes the files that this needs."""

    def __init__(self, folder):
        self.folder = folder
        self.malloc = self.library("counting_malloc")
        self.sigsuspend = self.library("sigsuspend")

    def library(self, name):
        path = os.path.join(self.folder, f"{name}.so")
        compiler = shutil.which("clang") or "cc"
        subprocess.run(
            [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", path, os.path.join(HERE, f"{name}.c")], check=True)
        return path

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
        return ["env", "SWIFT_DETERMINISTIC_HASHING=1", f"LD_PRELOAD={self.malloc}", f"WEIR_COUNTS={counts}", *command]

    def under_callgrind(self, command, log):
        """The command with its instructions counted; their number stands in `log` when it has ended."""
        return ["env", "SWIFT_DETERMINISTIC_HASHING=1", f"LD_PRELOAD={self.sigsuspend}", "valgrind", "--tool=callgrind",
                "--callgrind-out-file=/dev/null", f"--log-file={log}", *command]

    @staticmethod
    def read_instructions(log):
        with open(log) as source:
            return int(re.search(r"Collected : (\d+)", source.read()).group(1))

    @staticmethod
    def read_allocations(counts):
        with open(counts, "rb") as source:
            numbers = source.read(16)
        # No process starts without an allocation.
        allocations = struct.unpack("=QQ", numbers)[0] if numbers else 0
        if allocations == 0:
            sys.exit("counts: the preloaded malloc counted nothing; is the program linked statically?")
        return allocations

    def allocations(self, command):
        counts = self.file()
        subprocess.run(self.under_malloc(command, counts), check=True)
        return self.read_allocations(counts)

    def instructions(self, command):
        log = self.file()
        subprocess.run(self.under_callgrind(command, log), check=True)
        return self.read_instructions(log)
