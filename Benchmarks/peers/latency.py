"""Latency at half load in an open loop: requests are due on schedule, and latency counts from then, so that no stall is hidden."""
import json
import subprocess
import sys

from comparison import say
from figures import spread, table
from goals import ALLOWED, verdict

# Weir, and the nginx that does as much; both get the same load, half of what this nginx takes.
PAIRS = [("weir-memory", "nginx-limit"), ("weir-redis", "nginx-lua-redis")]
PERCENTILES = {"p50_ms": "p50", "p99_ms": "p99", "p999_ms": "p99.9"}


def sample(bench, port, rate, options):
    """Milliseconds by percentile."""
    command = [bench, "--quiet", "--json", "-", "--connections", str(options.connections), "--rate", str(rate), "--warm-up", "200ms",
               "--duration", f"{options.seconds}s", "--tenants", "acme", f"http://127.0.0.1:{port}{ALLOWED}"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"weir-bench failed: {result.stderr}")
    report = json.loads(result.stdout)
    requests = report["requests"]
    if requests["errors"] > requests["unsent"] or requests["refused"] or requests["other"]:
        sys.exit(f"not all requests at {rate}/s were forwarded: {requests}")
    if requests["unsent"]:
        say(f"  {requests['unsent']} requests were due and never sent")
    for reason in report["usage"]["saturation"]:
        say(f"  weir-bench was at its limit: {reason}")
    return {key: report["latency"][key] for key in PERCENTILES}


def latencies(fleet, running, results, options):
    """By name: the rate that was asked for, and the samples of the rounds. Pairs that are not there whole are left out."""
    measured = {}
    for pair in PAIRS:
        if all(name in running for name in pair):
            rate = round(spread(results[ALLOWED][pair[1]], "rate").median / 2)
            measured |= {name: (rate, []) for name in pair}
    for number in range(1, options.rounds + 1):
        for name, (rate, samples) in measured.items():
            samples.append(sample(fleet.programs["weir-bench"], running[name][1], rate, options))
            say(f"round {number}/{options.rounds} at {rate:,}/s {name:16} "
                + ", ".join(f"{title} {samples[-1][key]:.2f} ms" for key, title in PERCENTILES.items()))
    return measured


def latency_table(measured, titles):
    return table(
        ["", "requests/s", *(f"{title}, ms" for title in PERCENTILES.values())],
        [[titles[name], f"{rate:,}", *(f"{spread(samples, key):.2f}" for key in PERCENTILES)]
         for name, (rate, samples) in measured.items()])


def latency_goals(measured, titles):
    """Rows for the table of goals: Weir is not worse, or the intervals overlap."""
    rows = []
    for weir, nginx in PAIRS:
        if weir not in measured:
            continue
        for key, title in PERCENTILES.items():
            own, other = (spread(measured[name][1], key) for name in (weir, nginx))
            rows.append([f"{title} at half load, ms: {titles[weir]} beside {titles[nginx]}".replace("*", ""), f"≤ {other:.2f}", f"{own:.2f}",
                         verdict(own.low <= other.high)])
    return rows
