"""What the measuring scripts share: programs, processes on loopback that end with the run, and the page that the tables go to."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
README = os.path.join(ROOT, "Benchmarks", "README.md")
PACKAGES = {
    "nginx": "nginx", "redis-server": "redis-server", "wrk": "wrk", "haproxy": "haproxy", "valgrind": "valgrind",
    "strip": "binutils",
    "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
    "/usr/share/lua/5.1/resty/core.lua": "lua-resty-core",
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def install(programs):
    """Installs what is missing of these programs, as Debian's packages."""
    install_packages([
        PACKAGES[p] for p in programs if not (os.path.exists(p) if p.startswith("/") else shutil.which(p))])


def install_packages(packages):
    if packages:
        say(f"installing {' '.join(packages)}")
        subprocess.run(["apt-get", "install", "-y", "-q", *packages], check=True, stdout=subprocess.DEVNULL)


def build(products, folder=None):
    """The paths of these products by name: in the folder, or built for release."""
    if not folder:
        say(f"building {' '.join(products)}")
        folder = subprocess.run(
            [os.path.join(ROOT, "scripts", "build"), *products], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    paths = {product: os.path.join(folder, product) for product in products}
    for path in paths.values():
        if not os.access(path, os.X_OK):
            sys.exit(f"{path} is not there; leave the folder out, and it is built")
    return paths


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port, path, fields=()):
    """All bytes of the answer to a GET, as a connection that stays open gets them."""
    more = "".join(f"{field}\r\n" for field in fields).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Tenant: acme\r\n%s\r\n" % (path.encode(), port, more))
        answer = b""
        while True:
            head, end, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"^content-length: *(\d+)", head, re.I | re.M)
            if end and length and len(body) >= int(length.group(1)):
                return answer
            received = connection.recv(1 << 16)
            if not received:
                return answer
            answer += received


class Cores:
    """Where things run: proxies with one worker on the first core, with two on the first two, everything else on the others."""

    def __init__(self, pinned):
        cores = sorted(os.sched_getaffinity(0))
        self.are_pinned = pinned and len(cores) > 1
        self.proxy = cores[:1] if self.are_pinned else cores
        self.two_workers = cores[:2] if self.are_pinned else cores
        self.others = (cores[2:] if len(cores) > 3 else cores[1:]) if self.are_pinned else cores

    def take_others(self):
        """Moves this process, and with it the load that it starts."""
        os.sched_setaffinity(0, self.others)


class Fleet:
    """The processes of one run; everything ends with it."""

    def __init__(self, programs=None, cores=None):
        self.programs = programs or {}
        self.cores = cores or Cores(pinned=False)
        self.run = tempfile.mkdtemp(prefix="weir-compare-")
        self.processes = []
        self.rendered = 0
        self.ports = {"@UPSTREAM@": free_port(), "@REDIS@": free_port()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(*self.processes)
        shutil.rmtree(self.run, ignore_errors=True)

    def stop(self, *processes):
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = [process for process in self.processes if process not in processes]

    def spawn(self, command, port, cores=None, environment=None):
        """Starts a process, on these cores or on those of everything but proxies, and waits until it listens."""
        log = os.path.join(self.run, "log")
        with open(log, "ab") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
                preexec_fn=lambda: os.sched_setaffinity(0, cores or self.cores.others))
        self.processes.append(process)
        self.wait(process, f"nothing listens on port {port}", lambda: probe(port))
        return process

    def wait(self, process, complaint, condition):
        """Until the condition holds, for 15 s at most and as long as the process lives."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and process.poll() is None:
            if condition():
                return
            time.sleep(0.02)
        with open(os.path.join(self.run, "log"), errors="replace") as log:
            say(log.read()[-2000:])
        sys.exit(f"{complaint}: {' '.join(process.args)}")

    def render(self, name, **values):
        """The path of a file of `conf` with its placeholders filled in."""
        with open(os.path.join(HERE, "conf", name)) as source:
            text = source.read()
        self.rendered += 1
        own = os.path.join(self.run, str(self.rendered))
        for key, value in {"@RUN@": own, "@DIR@": HERE, "@LOG@": "off", **self.ports, **values}.items():
            text = text.replace(key, str(value))
        os.mkdir(own)
        path = os.path.join(own, name)
        with open(path, "w") as target:
            target.write(text)
        return path

    def nginx(self, name, port, cores=None, log="off"):
        path = self.render(f"{name}.conf", **{"@PORT@": port, "@LOG@": log})
        return self.spawn(["nginx", "-e", os.path.join(self.run, f"{name}.err"), "-c", path, "-g", "daemon off;"], port, cores)

    def upstream(self):
        return self.nginx("upstream", self.ports["@UPSTREAM@"])

    def redis(self):
        port = self.ports["@REDIS@"]
        return self.spawn(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", self.run],
            port)

    def weir(self, configuration, store="memory", workers=1, mode="exact", **values):
        """Weir with a file of `conf`, and its port."""
        port = free_port()
        text = f"store:\n  redis: redis://127.0.0.1:{self.ports['@REDIS@']}" if store == "redis" else ""
        path = self.render(
            configuration,
            **{"@PORT@": port, "@CONTROL@": free_port(), "@WORKERS@": workers, "@STORE@": text, "@MODE@": mode, **values})
        command = [self.programs["weir"], "serve", "--config", path, "--log-level", "warning"]
        return self.spawn(command, port, self.cores.proxy if workers == 1 else self.cores.two_workers), port


def probe(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read()).group(1)
    return f"{os.cpu_count()} cores ({model})"


def write(section, text, readme=README):
    """Puts the text between the section's marks in that page."""
    start, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    with open(readme) as source:
        page = source.read()
    head, _, rest = page.partition(start)
    _, _, tail = rest.partition(end)
    if not rest or not tail:
        sys.exit(f"{readme} has no section {section}")
    with open(readme, "w") as target:
        target.write(f"{head}{start}\n{text}\n{end}{tail}")
