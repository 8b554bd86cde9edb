"""Counts of whole requests through `weir serve`: one connection, one request after the other."""
import json
import os
import re
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers"))
from comparison import Fleet, free_port

BEFORE = 200
REQUESTS = 1000
READINESS_QUESTIONS = 20
# The store shall decide, however slow the machine is.
REDIS = "store:\n  redis: redis://127.0.0.1:{port}\n  deadline: 10s"
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: api.example.com\r\nX-Tenant: acme\r\nUser-Agent: weir-counts\r\nAccept: application/json\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.7\r\nCache-Control: no-cache\r\n"
    "Cookie: session=5f2c1b9e7d3a4c68b0e1f2a3d4c5b6a7\r\nReferer: https://www.example.com/\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n")
ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n"
    b"Connection: keep-alive\r\n\r\n" + b"x" * 100)


class Upstream:
    """Answers every request with the same 100 bytes."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()
        except OSError:
            return

    def serve(self, connection):
        with connection:
            waiting = b""
            while received := connection.recv(1 << 16):
                waiting += received
                *whole, waiting = waiting.split(b"\r\n\r\n")
                connection.sendall(ANSWER * len(whole))

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Client:
    """Asks on one connection, and expects the same status of every answer but the first: a limit of 1 lets that pass."""

    def __init__(self, port, path, status):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = REQUEST.format(path=path).encode()
        self.start = f"HTTP/1.1 {status} ".encode()
        self.asked = 0

    def ask(self, count):
        for _ in range(count):
            self.connection.sendall(self.request)
            answer = b""
            while not (match := re.search(rb"Content-Length: (\d+).*?\r\n\r\n", answer, re.S)) or (
                    len(answer) < match.end() + int(match.group(1))):
                received = self.connection.recv(1 << 16)
                if not received:
                    sys.exit("counts: the gateway closed the connection")
                answer += received
            self.asked += 1
            if self.asked > 1 and not answer.startswith(self.start):
                sys.exit(f"counts: expected {self.start.decode()}, the gateway answered {answer.decode()}")


class WholeRequest:
    """One kind of request; `count(weir)` counts it."""

    def __init__(self, counting, summary, store, path, status):
        self.counting, self.summary = counting, summary
        self.store, self.path, self.status = store, path, status

    def count(self, weir):
        def instructions(requests):
            log = self.counting.file()
            self.serve(self.counting.under_callgrind([weir], log), lambda client: client.ask(BEFORE + requests))
            return self.counting.read_instructions(log)
        counts, marks = self.counting.file(), []

        def between(client):
            for requests in (BEFORE, REQUESTS):
                client.ask(requests)
                marks.append(self.counting.read_allocations(counts))
        self.serve(self.counting.under_malloc([weir], counts), between)
        return {
            "instructions": round((instructions(2 * REQUESTS) - instructions(REQUESTS)) / REQUESTS),
            "allocations": round((marks[1] - marks[0]) / REQUESTS, 2)}

    def serve(self, command, ask):
        """Runs a gateway while `ask` runs."""
        with Fleet() as fleet:
            upstream = Upstream(fleet.ports["@UPSTREAM@"])
            if self.store == "redis":
                fleet.redis()
            port, control = free_port(), free_port()
            path = fleet.render("weir.yaml", **{
                "@PORT@": port, "@CONTROL@": control, "@WORKERS@": 1, "@MODE@": "exact",
                "@STORE@": REDIS.format(port=fleet.ports["@REDIS@"]) if self.store == "redis" else ""})
            fleet.spawn([*command, "serve", "--config", path, "--log-level", "warning"], port)
            self.wait_for_store(control)
            ask(Client(port, self.path, self.status))
            with urllib.request.urlopen(f"http://127.0.0.1:{control}/metrics") as metrics:
                degraded = re.findall(r'^weir_decisions_total\{.*degraded="true".*\} [1-9].*$', metrics.read().decode(), re.M)
            if degraded:
                sys.exit(f"counts: the store did not decide every request: {degraded}")
            upstream.close()

    def wait_for_store(self, control):
        """Always asks as many times, so that the answers cost every run the same."""
        expected = "memory" if self.store == "memory" else "shared"
        deadline = time.monotonic() + 60
        answers, is_ready = 0, False
        while not is_ready or answers < READINESS_QUESTIONS:
            if time.monotonic() > deadline:
                sys.exit("counts: the gateway's store did not get ready")
            if not is_ready:
                time.sleep(0.2)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{control}/readyz") as answer:
                    is_ready = json.load(answer)["store"] == expected
                answers += 1
            except urllib.error.HTTPError:
                answers += 1
            except OSError:
                pass  # It does not listen yet.


def whole_requests(counting):
    """By name."""
    return {
        "gateway-allowed": WholeRequest(counting, "a request of 10 fields forwarded, memory store", "memory", "/", 200),
        "gateway-allowed-redis": WholeRequest(counting, "the same, Redis store", "redis", "/", 200),
        "gateway-refused": WholeRequest(counting, "a request of 10 fields refused, memory store", "memory", "/deny", 429),
        "gateway-refused-redis": WholeRequest(counting, "the same, Redis store", "redis", "/deny", 429),
    }
