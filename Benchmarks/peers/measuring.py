"""Load on one proxy, and what it costs: CPU time from the kernel's accounting in nanoseconds, and memory."""
import os
import re
import subprocess
import sys
import time

from comparison import say


def family(pid):
    """The process and its descendants: nginx works in a child."""
    pids = [pid]
    for parent in pids:
        for task in os.listdir(f"/proc/{parent}/task"):
            with open(f"/proc/{parent}/task/{task}/children") as children:
                pids += [int(child) for child in children.read().split()]
    return pids


def cpu_nanoseconds(pid):
    """CPU time of all threads of the family so far, those that ended included: the CPU clock of each process, whose
    number the kernel makes from its id (clock_getcpuclockid)."""
    return sum(time.clock_gettime_ns((~member << 3) | 2) for member in family(pid))


def memory_mib(pid, field="Pss"):
    kib = 0
    for member in family(pid):
        with open(f"/proc/{member}/smaps_rollup") as rollup:
            kib += sum(int(line.split()[1]) for line in rollup if line.startswith(f"{field}:"))
    return kib / 1024


def wrk(port, path, seconds, connections, more=()):
    """A load that runs by now; `more` are further arguments."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", "X-Tenant: acme", *more,
               f"http://127.0.0.1:{port}{path}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def measure(pid, port, path, seconds, connections, more=()):
    """One sample of a proxy under as much load as it takes."""
    before = cpu_nanoseconds(pid)
    text, complaint = (load := wrk(port, path, seconds, connections, more)).communicate()
    cpu = cpu_nanoseconds(pid) - before
    if load.returncode != 0:
        sys.exit(f"wrk failed: {complaint}")
    if errors := re.search(r"Socket errors: (.*)", text):
        say(f"  socket errors: {errors.group(1)}")
    count, duration = re.search(r"(\d+) requests in ([\d.]+\w+)", text).groups()
    requests, elapsed = int(count), milliseconds(duration) / 1000
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    refused = int(refused.group(1)) if refused else 0
    expected = requests if path == "/deny" else 0
    # A limit of 1 a second lets a few through.
    if requests == 0 or abs(refused - expected) > max(5 * seconds, requests * 0.001):
        sys.exit(f"{refused} of {requests} requests to {path} were refused; expected {expected}")
    return {
        "cpu": cpu / requests / 1e3, "rate": requests / elapsed, "busy": cpu / elapsed / 1e7,
        "p50": percentile(text, 50), "p99": percentile(text, 99),
    }


def percentile(text, number):
    return milliseconds(re.search(rf"^\s+{number}%\s+(\S+)$", text, re.M).group(1))


def milliseconds(text):
    for unit, factor in (("us", 0.001), ("ms", 1), ("s", 1000), ("m", 60_000)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    raise ValueError(f"{text} is no duration")


def memory_under_load(pid, port, paths, seconds, connections):
    """Pss in MiB while requests run, after each kind of request has run for a while; the greatest that was seen."""
    seen = []
    for path in paths:
        load = wrk(port, path, seconds, connections)
        while load.poll() is None:
            seen.append(memory_mib(pid))
            time.sleep(0.25)
        load.communicate()
    return max(seen)
