"""The goals that the data path is held to, and whether a run reached them."""
from figures import ratio, spread, table

ALLOWED, REFUSED = "/", "/deny"
# What is divided by what, of which requests, and the most that it may be.
RATIOS = [
    ("allowed: Weir, memory ÷ nginx, `limit_req`", ALLOWED, "weir-memory", "nginx-limit", 1.0),
    ("allowed: Weir, Redis ÷ nginx, `limit_req`", ALLOWED, "weir-redis", "nginx-limit", 1.25),
    ("allowed: Weir, Redis ÷ nginx, Lua and Redis", ALLOWED, "weir-redis", "nginx-lua-redis", 0.6),
    ("allowed: Weir, Redis ÷ Traefik, Redis", ALLOWED, "weir-redis", "traefik-redis", 0.25),
    ("allowed: Weir, leased ÷ memory", ALLOWED, "weir-leased", "weir-memory", 1.05),
    ("allowed: Weir, memory, two workers ÷ one worker", ALLOWED, "weir-memory-2", "weir-memory", 1.1),
    ("refused: Weir, memory ÷ nginx, `limit_req`", REFUSED, "weir-memory", "nginx-limit", 1.1),
    ("refused: Weir, memory ÷ the bare echo", REFUSED, "weir-memory", "echo", 1.3),
]
LEAST_BUSY = 95
MEMORY_RATIO = 3
MIB_AT_REST = 48


def verdict(is_reached):
    return "reached" if is_reached else "**missed**"


def goals(results, memory, latency):
    """The table. `results`: samples by path and name; `memory`: MiB at rest and under load by name; `latency`: rows for it.
    What was not measured has no verdict."""
    rows = []
    for title, path, name, reference, most in RATIOS:
        samples, others = results[path].get(name), results[path].get(reference)
        if samples and others:
            measured = ratio(samples, others)
            rows.append([title, f"≤ {most:.2f}", f"{measured:.3f}", verdict(measured.median <= most)])
        else:
            rows.append([title, f"≤ {most:.2f}", "", "not measured"])
    rows += latency
    if "weir-memory" in memory:
        under_load = memory["weir-memory"][1] / memory["nginx-limit"][1]
        rows.append(["memory under load: Weir, memory ÷ nginx, `limit_req`", f"≤ {MEMORY_RATIO}", f"{under_load:.1f}",
                     verdict(under_load <= MEMORY_RATIO)])
    if "weir-memory-2" in memory:
        at_rest = memory["weir-memory-2"][0]
        rows.append(["memory at rest: Weir with two workers, MiB", f"< {MIB_AT_REST}", f"{at_rest:.0f}",
                     verdict(at_rest < MIB_AT_REST)])
    # Two workers share a core with the load; the bare ones may be faster than it.
    idlest = min(
        spread(samples, "busy").median
        for by_name in results.values() for name, samples in by_name.items()
        if name not in ("weir-memory-2", "upstream", "echo"))
    rows.append(["each proxy with one worker was busy", f"≥ {LEAST_BUSY} %", f"{idlest:.0f} %", verdict(idlest >= LEAST_BUSY)])
    return table(["goal", "", "measured", ""], rows)
