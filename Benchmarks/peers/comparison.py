"""What the measuring scripts share: processes on loopback that end with the run, and the page that the tables go to."""
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
    "nginx": "nginx", "redis-server": "redis-server", "wrk": "wrk", "valgrind": "valgrind", "strip": "binutils",
    "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
    "/usr/share/lua/5.1/resty/core.lua": "lua-resty-core",
}

# What is measured has the first core for itself; load, upstream and Redis share the others.
CORES = sorted(os.sched_getaffinity(0))
MEASURED_CORE = {CORES[0]}
OTHER_CORES = set(CORES[1:] or CORES)


def say(text):
    print(text, file=sys.stderr, flush=True)


def install(programs):
    """Installs what is missing of these programs, as Debian's packages."""
    missing = [
        PACKAGES[p] for p in programs if not (os.path.exists(p) if p.startswith("/") else shutil.which(p))]
    if missing:
        say(f"installing {' '.join(missing)}")
        subprocess.run(["apt-get", "install", "-y", "-q", *missing], check=True, stdout=subprocess.DEVNULL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"compare: nothing listens on port {port}: {' '.join(process.args)}")


class Fleet:
    """The processes of one run; everything ends with it."""

    def __init__(self, weir=None):
        self.weir = weir
        self.run = tempfile.mkdtemp(prefix="weir-compare-")
        self.processes = []
        self.ports = {"@UPSTREAM@": free_port(), "@REDIS@": free_port()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.run, ignore_errors=True)

    def spawn(self, command, port, cores=OTHER_CORES):
        log = open(os.path.join(self.run, "log"), "ab")
        command = ["taskset", "-c", ",".join(map(str, cores)), *command]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        wait_for(port, process)
        return process

    def render(self, name, **values):
        with open(os.path.join(HERE, "conf", name)) as source:
            text = source.read()
        for key, value in {"@RUN@": self.run, "@DIR@": HERE, **self.ports, **values}.items():
            text = text.replace(key, str(value))
        path = os.path.join(self.run, f"{len(self.processes)}-{name}")
        with open(path, "w") as target:
            target.write(text)
        return path

    def nginx(self, name, cores=OTHER_CORES, **values):
        port = values.get("@PORT@", self.ports["@UPSTREAM@"])
        path = self.render(f"{name}.conf", **values)
        command = ["nginx", "-e", os.path.join(self.run, f"{name}.err"), "-c", path, "-g", "daemon off;"]
        return self.spawn(command, port, cores)

    def redis(self):
        port = self.ports["@REDIS@"]
        return self.spawn(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", self.run],
            port)

    def gateway(self, store, workers=1):
        port, control = free_port(), free_port()
        text = f"store:\n  redis: redis://127.0.0.1:{self.ports['@REDIS@']}" if store == "redis" else ""
        path = self.render(
            "weir.yaml", **{"@PORT@": port, "@CONTROL@": control, "@WORKERS@": workers, "@STORE@": text})
        command = [self.weir, "serve", "--config", path, "--log-level", "warning"]
        return self.spawn(command, port, MEASURED_CORE), port

    def proxy(self, name):
        if name == "weir-memory":
            return self.gateway("memory")
        if name == "weir-redis":
            return self.gateway("redis")
        port = free_port()
        return self.nginx(name, MEASURED_CORE, **{"@PORT@": port}), port


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read()).group(1)
    return f"{os.cpu_count()} cores ({model})"


def write(section, text):
    start, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    with open(README) as source:
        page = source.read()
    head, _, rest = page.partition(start)
    _, _, tail = rest.partition(end)
    if not rest or not tail:
        sys.exit(f"compare: {README} has no section {section}")
    with open(README, "w") as target:
        target.write(f"{head}{start}\n{text}\n{end}{tail}")
