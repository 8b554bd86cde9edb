"""Medians with their intervals, and the tables made of them."""
import math
import statistics


class Spread:
    """The median of some rounds, and the interval between two of them that holds the true median with 95 % confidence, whatever
    the distribution: of nine rounds, from the second to the eighth. Of fewer than six rounds, all."""

    def __init__(self, values):
        ordered = sorted(values)
        count, left_out = len(ordered), 0
        while 2 * sum(math.comb(count, index) for index in range(left_out + 2)) <= 0.05 * 2**count:
            left_out += 1
        self.median = statistics.median(ordered)
        self.low, self.high = ordered[left_out], ordered[-1 - left_out]

    def __format__(self, form):
        return f"{self.median:{form}} ({self.low:{form}}–{self.high:{form}})"


def spread(samples, key):
    return Spread(sample[key] for sample in samples)


def ratio(samples, reference, key="cpu"):
    """Round by round, so that what slowed a whole round down cancels out."""
    return Spread(sample[key] / other[key] for sample, other in zip(samples, reference))


def table(heads, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def loads(results, titles):
    """The table of one kind of request: samples by name."""
    rows = []
    for name, samples in results.items():
        median = lambda key: spread(samples, key).median
        rows.append([
            titles[name], f"{spread(samples, 'cpu'):.1f}", f"{ratio(samples, results['nginx-limit']):.2f}", f"{median('rate'):,.0f}",
            f"{median('p50'):.2f}", f"{median('p99'):.2f}", f"{median('busy'):.0f} %"])
    return table(
        ["", "CPU a request, µs", "ratio to `limit_req`", "requests/s", "p50, ms", "p99, ms", "busy"], rows)
