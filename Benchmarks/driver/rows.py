"""What is measured: every row, its sides, and the table lines with their targets."""

import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

from process import (
    Failed,
    allow_many_files,
    finish,
    free_port,
    on_terminal,
    processor_seconds,
    run_json,
    run_measured,
    running_server,
    running_until_ready,
)


class Line:
    """One line of the table. `peer` None: the figure itself is compared with the target, not a ratio."""

    def __init__(self, title, metric, ours, peer, comparison="<=", target=None, unit="", scale=1.0):
        self.title = title
        self.metric = metric
        self.ours = ours
        self.peer = peer
        self.comparison = comparison
        self.target = target
        self.unit = unit
        self.scale = scale  # of the figures that are shown


class Row:
    def __init__(self, name, sides, lines, measure, needs_clients=False):
        self.name = name
        self.needs_clients = needs_clients or name.startswith(("client/", "tools/"))
        self.sides = sides
        self.lines = lines
        self.measure = measure


# Server rows


def server_row(name, arguments, lines):
    def measure(programs, side):
        with running_server(programs.servers[side]) as server:
            command = [programs.loadgen, *arguments, "--port", str(server.port), "--pid", str(server.process.pid)]
            return run_json(command)

    return Row(f"server/{name}", ["official", "ours"], lines, measure)


def both(title, metric, comparison="<=", target=None, unit="", scale=1.0):
    return Line(title, metric, "ours", "official", comparison, target, unit, scale)


def cpu(target):
    return both("CPU per message", "cpu_ns", "<=", target, "ns")


def rate(target=None):
    return both("rate", "rate", ">=", target, "k/s", 1e-3)


def stream_row(name, arguments, target, rate_target=None):
    lines = [cpu(target), rate(rate_target)]
    return server_row(name, ["stream", *arguments.split()], lines)


def startup_row(count):
    def measure(programs, side):
        samples = []
        for _ in range(count):
            port = free_port()
            server = [*programs.servers[side], "-a", "127.0.0.1", "-p", str(port)]
            samples.append(run_json([programs.loadgen, "startup", "--port", str(port), "--", *server]))
            if samples[-1]["status"] != 0:
                raise Failed(f"the server exits with {samples[-1]['status']}")
        return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}

    lines = [
        both("exec to PONG", "exec_to_pong_ns", "<=", 1.0, "ms", 1e-6),
        both("CPU of the start", "cpu_ns", "<=", None, "ms", 1e-6),
        both("resident at start", "rss", "<=", None, "MB", 1e-6),
        both("SIGTERM to exit", "term_to_exit_ns", "<=", None, "ms", 1e-6),
    ]
    return Row("server/startup", ["official", "ours"], lines, measure)


def server_rows(quick):
    seconds = f" --seconds {0.3 if quick else 1.5}"
    request_lines = [
        lambda target: both("CPU per request", "cpu_ns", "<=", target, "us", 1e-3),
        lambda target: both("latency p50", "p50_ns", "<=", target, "us", 1e-3),
    ]
    return [
        stream_row("1:1 16 B", "--size 16" + seconds, 0.20),
        stream_row("1:1 128 B", "--size 128" + seconds, 0.30),
        stream_row("1:1 1 KiB", "--size 1024" + seconds, 0.60),
        stream_row("1:4 128 B", "--size 128 --subscribers 4" + seconds, 0.30),
        stream_row("4:4 128 B", "--size 128 --publishers 4" + seconds, 0.30),
        stream_row("publish only 16 B", "--size 16 --subscribers 0" + seconds, 0.30),
        stream_row("1,000 subjects", "--size 16 --subjects 1000" + seconds, 0.20),
        stream_row("9,000 subjects", "--size 16 --subjects 9000" + seconds, 0.25),
        stream_row("100,000 subjects", "--size 16 --subjects 100000" + seconds, 0.60),
        stream_row("200 B writes", "--size 16 --write 200" + seconds, 1.0, 1.0),
        stream_row("queue group of 4", "--size 16 --subscribers 4 --queue" + seconds, None),
        server_row(
            "request, 1 in flight",
            ("request --in-flight 1" + seconds).split(),
            [request_lines[0](0.50), request_lines[1](0.80)],
        ),
        server_row(
            "request, 8 in flight",
            ("request --in-flight 8" + seconds).split(),
            [request_lines[0](0.70), request_lines[1](0.80)],
        ),
        server_row(
            "10,000 idle connections",
            ["idle", "--connections", "1000" if quick else "10000"],
            [
                both("resident per connection, required", "bytes_per_connection", "<=", 1.0, "KB", 1e-3),
                both("resident per connection, target", "bytes_per_connection", "<=", 0.35, "KB", 1e-3),
                both("CPU per connection opened", "cpu_ns_per_connection", "<=", None, "us", 1e-3),
            ],
        ),
        startup_row(3 if quick else 10),
        monitoring_row(500 if quick else 10000, 2 if quick else 5),
        server_row(
            "dead subscriber",
            ("dead --size 128" + seconds).split(),
            [
                Line("others keep of their rate", "other_ratio", "ours", None, ">=", 0.5),
                Line("others keep of their rate (official)", "other_ratio", "official", None),
                Line("same subject keeps of its rate", "same_ratio", "ours", None, ">=", 0.5),
                Line("same subject keeps of its rate (official)", "same_ratio", "official", None),
                both("resident growth", "growth", "<=", 1.0, "MB", 1e-6),
                both("longest life of a dead one", "longest_life_ms", "<=", None, "ms"),
                Line("messages lost", "lost", "ours", None, "<=", 0.0),
            ],
        ),
    ]


def open_idle(stack, server, count):
    """Connections with a subscription each, that say nothing until `stack` ends."""
    allow_many_files()
    for number in range(count):
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
        connection.recv(4096)
        name = f'CONNECT {{"verbose":false,"name":"idle-{number}","lang":"python","version":"1"}}'
        connection.sendall(f"{name}\r\nSUB bench.{number} 1\r\nPING\r\n".encode())
        while b"PONG" not in connection.recv(4096):
            pass


def monitoring_row(connections, polls):
    """What a dashboard costs: /varz and a page of /connz once a second, as nats-top asks for them."""

    def measure(programs, side):
        monitor = free_port()
        with running_server(programs.servers[side], "-m", str(monitor)) as server, contextlib.ExitStack() as stack:
            open_idle(stack, server, connections)
            time.sleep(1.5)
            begin = processor_seconds(server.process.pid)
            for _ in range(polls):
                for page in ["varz", "connz?limit=1024&sort=cid"]:
                    with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/{page}", timeout=20) as answer:
                        document = json.load(answer)
                time.sleep(1)
            if document["num_connections"] != min(connections, 1024) or document["total"] != connections:
                raise Failed(f"/connz shows {document['num_connections']} of {document['total']} connections")
            return {"cpu_ns_per_poll": (processor_seconds(server.process.pid) - begin) * 1e9 / polls}

    line = both("CPU per poll", "cpu_ns_per_poll", "<=", 0.5, "ms", 1e-6)
    return Row(f"server/monitoring, {connections:,} connections", ["official", "ours"], [line], measure)


# Clusters


@contextlib.contextmanager
def running_pair(command):
    """Two servers of one cluster; the second one dials the first."""
    routes = free_port()
    name = ["--cluster_name", "bench"]
    first_arguments = ["--cluster", f"nats://127.0.0.1:{routes}", *name]
    with running_server(command, *first_arguments) as first:
        second_arguments = ["--cluster", f"nats://127.0.0.1:{free_port()}", *name]
        with running_server(command, *second_arguments, "--routes", f"nats://127.0.0.1:{routes}") as second:
            yield first, second


def route_row(name, arguments, target):
    """A publisher on one server, a subscriber on the other one; what both servers take."""

    def measure(programs, side):
        with running_pair(programs.servers[side]) as (first, second):
            command = [programs.loadgen, "stream", *arguments.split(), "--port", str(first.port)]
            there = ["--subscriber-port", str(second.port), "--second-pid", str(second.process.pid)]
            return run_json([*command, "--pid", str(first.process.pid), *there])

    return Row(f"server/route, {name}", ["official", "ours"], [cpu(target), rate()], measure)


class Session:
    """A client that says what it is told to."""

    def __init__(self, stack, port):
        self.socket = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        self.stream = stack.enter_context(self.socket.makefile("rb"))
        self.stream.readline()
        self.ask('CONNECT {"verbose":false,"protocol":0}\r\n')

    def ask(self, text):
        """Says something, and waits until the server has heard it."""
        self.socket.sendall(text.encode() + b"PING\r\n")
        while (line := self.stream.readline()) != b"PONG\r\n":
            if not line or line.startswith(b"-ERR"):
                raise Failed(f"the server says {line!r}")

    def has_message(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) != b""
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(60)


def resident(process):
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def announced_row(count):
    """So many subscriptions of one client become known to another server; the last one proves that all are."""

    def measure(programs, side):
        with running_pair(programs.servers[side]) as (first, second), contextlib.ExitStack() as stack:
            subscriber, publisher = Session(stack, first.port), Session(stack, second.port)

            def wait_for(subject, number):
                subscriber.ask(f"SUB {subject} {number}\r\n")
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    publisher.ask(f"PUB {subject} 0\r\n\r\n")
                    if subscriber.has_message(0.001):
                        return
                raise Failed("the other server does not hear of subscriptions")

            wait_for("ready", 1)
            subscriber.ask("UNSUB 1\r\n")
            # What else was under way to it.
            subscriber.ask("")
            time.sleep(0.2)
            subscriber.ask("")
            lines = "".join(f"SUB bench.{number}.orders.created {number + 2}\r\n" for number in range(count))
            memory = resident(first.process) + resident(second.process)
            processor = sum(processor_seconds(server.process.pid) for server in (first, second))
            start = time.monotonic()
            subscriber.ask(lines)
            wait_for("done", count + 2)
            wall = time.monotonic() - start
            processor = sum(processor_seconds(server.process.pid) for server in (first, second)) - processor
            time.sleep(1)
            memory = resident(first.process) + resident(second.process) - memory
            return {"wall_ns": wall * 1e9, "cpu_ns": processor * 1e9, "bytes": memory}

    lines = [
        both("until the other server knows them", "wall_ns", "<=", 1.0, "ms", 1e-6),
        both("CPU of both servers", "cpu_ns", "<=", None, "ms", 1e-6),
        both("resident growth of both servers", "bytes", "<=", 1.0, "MB", 1e-6),
    ]
    return Row(f"server/route, {count:,} subscriptions", ["official", "ours"], lines, measure)


def route_rows(quick):
    seconds = f" --seconds {0.3 if quick else 1.5}"
    return [
        route_row("16 B", "--size 16" + seconds, 0.5),
        route_row("128 B", "--size 128" + seconds, 0.5),
        route_row("1 KiB", "--size 1024" + seconds, 0.7),
        announced_row(5_000 if quick else 100_000),
    ]


# Accounts


def accounts_text(count):
    """So many accounts that import a stream and a service of one, a user in each; and one with two users."""
    blocks = [
        """  HUB {
    users: [{user: hub, password: hub}]
    exports: [{stream: "bench.>"}, {service: "bench.request"}]
  }
  ONE { users: [{user: one, password: one}] }"""
    ]
    for number in range(count):
        blocks.append(
            f"""  A{number} {{
    users: [{{user: a{number}, password: a{number}}}]
    imports: [{{stream: {{account: HUB, subject: "bench.>"}}}}, {{service: {{account: HUB, subject: "bench.request"}}}}]
  }}"""
        )
    return "no_auth_user: one\naccounts {\n" + "\n".join(blocks) + "\n}\n"


def accounts_row(name, arguments, import_users, count, scale, unit):
    """One message from account to account among many accounts, against the same without any import ("plain")."""

    def measure(programs, side):
        publisher, subscriber = ("one", "one") if side == "plain" else import_users
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "server.conf"
            # Without import there is one account and no other.
            path.write_text(accounts_text(0 if side == "plain" else count), encoding="ascii")
            program = programs.servers["official" if side == "official" else "ours"]
            with running_server(program, "-c", str(path)) as server:
                command = [programs.loadgen, *arguments.split(), "--port", str(server.port)]
                users = ["--publisher-user", publisher, "--subscriber-user", subscriber]
                return run_json([*command, "--pid", str(server.process.pid), *users])

    lines = [
        Line("CPU against official", "cpu_ns", "ours", "official", "<=", 0.5, unit, scale),
        Line("CPU against one account, no import", "cpu_ns", "ours", "plain", "<=", 1.25, unit, scale),
    ]
    return Row(f"server/{name}", ["official", "ours", "plain"], lines, measure)


def account_rows(quick):
    seconds = f" --seconds {0.3 if quick else 1.5}"
    count = 50 if quick else 1000
    return [
        accounts_row(
            f"imported stream, {count:,} accounts", "stream --size 128" + seconds, ("hub", "a7"), count, 1.0, "ns"
        ),
        accounts_row(
            f"imported service, {count:,} accounts, 8 in flight",
            "request --in-flight 8" + seconds, ("a7", "hub"), count, 1e-3, "us",
        ),
    ]


# Today's server with permissions and monitoring on, against the one of Benchmarks/BASELINE

RESTRICTED = """
no_auth_user: bench
authorization {
  users = [
    {user: bench, password: bench,
     permissions: {publish: ["bench.>", "_INBOX.>"], subscribe: ["bench.>", "_INBOX.>"]}}
  ]
}
"""


def baseline_row(name, arguments, key, target):
    def measure(programs, side):
        with tempfile.TemporaryDirectory() as folder:
            more = []
            if side == "ours":
                path = pathlib.Path(folder) / "server.conf"
                path.write_text(RESTRICTED, encoding="ascii")
                more = ["-c", str(path), "-m", str(free_port())]
            with running_server(programs.servers[side], *more) as server:
                command = [programs.loadgen, *arguments.split(), "--port", str(server.port)]
                return run_json([*command, "--pid", str(server.process.pid)])

    line = Line("CPU against the baseline", key, "ours", "baseline", "<=", target, "ns")
    return Row(f"baseline/{name}", ["baseline", "ours"], [line], measure)


def baseline_rows(quick):
    seconds = f" --seconds {0.3 if quick else 1.5}"
    return [
        baseline_row("1:1 16 B", "stream --size 16" + seconds, "cpu_ns", 1.15),
        baseline_row("1:1 128 B", "stream --size 128" + seconds, "cpu_ns", 1.15),
        baseline_row("1:4 128 B", "stream --size 128 --subscribers 4" + seconds, "cpu_ns", 1.15),
        baseline_row("9,000 subjects", "stream --size 16 --subjects 9000" + seconds, "cpu_ns", 1.15),
        baseline_row("request, 1 in flight", "request --in-flight 1" + seconds, "cpu_ns", 1.15),
    ]


# How clients reach a server


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself: the paths of certificate and key."""
    paths = [str(pathlib.Path(folder) / name) for name in ("certificate.pem", "key.pem")]
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=benchmark"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return paths


@contextlib.contextmanager
def server_for_clients(program, link="TCP", is_fed=False):
    """A server that lets a backlog grow, so that no client is cut off or throttled for being the slower one.

    Its `url` and `arguments` are for the link's clients; `is_fed` lets the load generator in as well, on plain TCP.
    """
    text, scheme, port, arguments = "max_pending: 1GB\n", "nats", None, []
    with tempfile.TemporaryDirectory() as folder:
        if link == "TLS":
            file, key = certificate(folder)
            text += f'tls {{ cert_file: "{file}", key_file: "{key}" }}\nallow_non_tls: {str(is_fed).lower()}\n'
            scheme, arguments = "tls", ["--ca", file]
        elif link == "WebSocket":
            scheme, port = "ws", free_port()
            text += f"websocket {{ host: 127.0.0.1, port: {port}, no_tls: true }}\n"
        path = pathlib.Path(folder) / "server.conf"
        path.write_text(text, encoding="ascii")
        with running_server(program, "-c", str(path)) as server:
            server.url = f"{scheme}://127.0.0.1:{port or server.port}"
            server.arguments = arguments
            yield server


def link_row(name, link, mode, count):
    """What messages over a link cost the server; the client is Go's, the other end plain TCP."""

    def measure(programs, side):
        with server_for_clients(programs.servers[side], link, is_fed=mode != "publish") as server:
            begin = processor_seconds(server.process.pid)
            if mode == "publish":
                run_json(client_command(programs, "go", mode, server, 128, count))
            else:
                receive_from(server, programs, "go", mode, 128, count)
            return {"cpu_ns": (processor_seconds(server.process.pid) - begin) * 1e9 / count}

    return Row(f"server/{name}", ["official", "ours"], [cpu(None)], measure, needs_clients=True)


def link_rows(quick):
    count = 100_000 if quick else 1_000_000
    return [
        link_row(f"{what} 128 B, {link}", link, mode, count)
        for link in ("TLS", "WebSocket")
        for what, mode in (("publish", "publish"), ("deliver", "subscribe"))
    ]


# Client rows

SUBJECT = "bench.stream0"


def with_cpu(result):
    if "user" in result:
        result["cpu_ns"] = (result["user"] + result["sys"]) * 1e9 / result["messages"]
        result["rate"] = result["messages"] / result["seconds"]
    return result


def client_command(programs, side, mode, server, size, count, *more):
    fixed = ["--mode", mode, "--url", server.url, "--size", str(size), "--count", str(count)]
    return [*programs.clients[side], *fixed, *getattr(server, "arguments", []), *more]


def scaled(count, side):
    """The Python client is about two orders slower; it gets fewer messages."""
    return max(count // 20, 1000) if side == "python" else count


def publish_row(name, swift_mode, size, count, sides, lines, through="official", link="TCP"):
    def measure(programs, side):
        mode = swift_mode if side.startswith("swift") else "publish"
        with server_for_clients(programs.servers[through], link) as server:
            return with_cpu(run_json(client_command(programs, side, mode, server, size, scaled(count, side))))

    return Row(f"client/{name}", sides, lines, measure)


def receive_from(server, programs, side, mode, size, count, environment=None):
    """A client that receives what the load generator sends; the count is checked on both sides."""
    command = client_command(programs, side, mode, server, size, count)
    with running_until_ready(command, environment) as process:
        feed = [programs.loadgen, "feed", "--port", str(server.port), "--subject", SUBJECT]
        fed = run_json([*feed, "--size", str(size), "--count", str(count)])
        result = finish(process)
        if fed["messages"] != count or result["messages"] != count:
            raise Failed(f"{result['messages']} of {fed['messages']} messages were received")
        return with_cpu(result)


def receive(programs, side, mode, size, count, environment=None, through="official", link="TCP"):
    with server_for_clients(programs.servers[through], link, is_fed=True) as server:
        return receive_from(server, programs, side, mode, size, count, environment)


def subscribe_row(name, size, count, sides, target, through="official", link="TCP"):
    lines = [Line("CPU per message, against Go", "cpu_ns", "swift", "go", "<=", target, "ns")]
    if "c" in sides:
        lines.append(Line("CPU per message, against C", "cpu_ns", "swift", "c", "<=", target, "ns"))
    lines.append(Line("rate, against Go", "rate", "swift", "go", ">=", None, "k/s", 1e-3))
    if "python" in sides:
        lines.append(Line("CPU per message, against Python", "cpu_ns", "swift", "python", "<=", None, "ns"))

    def measure(programs, side):
        return receive(programs, side, "subscribe", size, scaled(count, side), through=through, link=link)

    return Row(f"client/{name}", sides, lines, measure)


def pending_row(count):
    def measure(programs, side):
        return receive(programs, side, "pending", 128, count)

    lines = [
        Line("resident per message, against Go", "bytes_per_message", "swift", "go", "<=", 1.0, "B"),
        Line("resident per message, against C", "bytes_per_message", "swift", "c", "<=", None, "B"),
    ]
    return Row("client/100,000 pending 128 B", ["go", "c", "swift"], lines, measure)


def request_row(name, server_side, in_flight, count, sides, lines):
    def measure(programs, side):
        with running_server(programs.servers[server_side]) as server:
            responder = [programs.loadgen, "respond", "--port", str(server.port), "--subject", "bench.request"]
            with running_until_ready(responder):
                total = max(scaled(count, side), 1000)
                more = ["--in-flight", str(in_flight), "--subject", "bench.request"]
                return with_cpu(run_json(client_command(programs, side, "request", server, 16, total, *more)))

    return Row(f"client/{name}", sides, lines, measure)


def once_row(count):
    def measure(programs, side):
        with running_server(programs.servers["official"]) as server:
            samples = [run_measured(client_command(programs, side, "once", server, 16, 1)) for _ in range(count)]
        return {
            "wall_ms": statistics.median(wall for wall, _ in samples) * 1e3,
            "cpu_ms": statistics.median(used for _, used in samples) * 1e3,
        }

    lines = [
        Line("wall, against Go", "wall_ms", "swift", "go", "<=", 1.0, "ms"),
        Line("CPU, against Go", "cpu_ms", "swift", "go", "<=", 1.0, "ms"),
        Line("wall, against C", "wall_ms", "swift", "c", "<=", None, "ms"),
    ]
    return Row("client/connect, publish, flush, exit", ["go", "c", "swift"], lines, measure)


def allocation_row(count):
    """Two runs with N and 2 N messages: the difference has no start-up in it.

    What is left belongs to the flushes and reads, some for hundreds of messages each, so the target of none for a message is
    below one for a hundred.
    """

    def counted(programs, mode, count):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "allocations"
            environment = {"LD_PRELOAD": programs.allocation_counter, "ALLOCATION_COUNT_FILE": str(path)}
            if mode == "subscribe":
                receive(programs, "swift", mode, 16, count, environment)
            else:
                with running_server(programs.servers["official"]) as server:
                    run_json(client_command(programs, "swift", mode, server, 16, count), environment)
            return int(path.read_text(encoding="ascii"))

    def measure(programs, _):
        result = {}
        for mode in ("publish-sync", "publish-async", "subscribe"):
            few, many = counted(programs, mode, count), counted(programs, mode, 2 * count)
            result[mode] = (many - few) / count
        return result

    lines = [
        Line("publish, non-async", "publish-sync", "swift", None, "<=", 0.01),
        Line("publish, async", "publish-async", "swift", None, "<=", 0.01),
        Line("receive, AsyncSequence", "subscribe", "swift", None, "<=", 0.1),
    ]
    return Row("client/allocations per message", ["swift"], lines, measure)


def client_rows(quick):
    part = 10 if quick else 1
    peers = ["c", "go", "swift"]
    against_c = lambda target: Line("CPU per message, against C", "cpu_ns", "swift", "c", "<=", target, "ns")
    against_go = Line("CPU per message, against Go", "cpu_ns", "swift", "go", "<=", None, "ns")
    against_python = Line("CPU per message, against Python", "cpu_ns", "swift", "python", "<=", None, "ns")
    publish_rate = Line("rate, against C", "rate", "swift", "c", ">=", None, "k/s", 1e-3)

    def p50(side, target):
        title = "latency p50, loop executor, against Go" if side == "swift-loop" else "latency p50, against Go"
        return Line(title, "p50_us", side, "go", "<=", target, "us")

    def request_rate(side, target):
        title = "rate, loop executor, against Go" if side == "swift-loop" else "rate, against Go"
        return Line(title, "rate", side, "go", ">=", target, "k/s", 1e-3)

    def request_cpu(side):
        title = "CPU per request, loop executor, against Go" if side == "swift-loop" else "CPU per request, against Go"
        return Line(title, "cpu_ns", side, "go", "<=", None, "us", 1e-3)

    requesters = ["c", "go", "swift", "swift-loop"]
    return [
        publish_row(
            "publish, non-async, 16 B", "publish-sync", 16, 4000000 // part, ["c", "go", "python", "swift"],
            [against_c(0.70), against_go, against_python, publish_rate],
        ),
        publish_row(
            "publish, async, 16 B", "publish-async", 16, 4000000 // part, peers,
            [against_c(1.1), against_go, publish_rate],
        ),
        publish_row(
            "publish, async, 128 B", "publish-async", 128, 2000000 // part, peers,
            [against_c(1.0), against_go, publish_rate],
        ),
        publish_row(
            "publish, async, 128 B, our server", "publish-async", 128, 2000000 // part, [*peers, "python"],
            [against_c(None), against_go, against_python, publish_rate], through="ours",
        ),
        subscribe_row("AsyncSequence, 16 B", 16, 2000000 // part, ["go", "c", "python", "swift"], 0.35),
        subscribe_row("AsyncSequence, 128 B", 128, 1500000 // part, ["go", "c", "swift"], 0.40),
        subscribe_row("AsyncSequence, 1 KiB", 1024, 500000 // part, ["go", "c", "swift"], 0.50),
        subscribe_row(
            "AsyncSequence, 128 B, our server", 128, 1500000 // part, ["go", "c", "python", "swift"], None, through="ours"
        ),
        publish_row(
            "publish, async, 128 B, TLS", "publish-async", 128, 2000000 // part, [*peers, "python"],
            [against_c(None), against_go, against_python], link="TLS",
        ),
        subscribe_row(
            "AsyncSequence, 128 B, TLS", 128, 1500000 // part, ["go", "python", "swift"], None, link="TLS"
        ),
        # The C client knows no WebSocket, and no TLS where the server does not demand it.
        publish_row(
            "publish, async, 128 B, WebSocket", "publish-async", 128, 2000000 // part, ["go", "python", "swift"],
            [against_go, against_python], link="WebSocket",
        ),
        subscribe_row(
            "AsyncSequence, 128 B, WebSocket", 128, 1500000 // part, ["go", "python", "swift"], None, link="WebSocket"
        ),
        request_row(
            "request, 1 in flight", "official", 1, 8000 // part, ["c", "go", "python", "swift", "swift-loop"],
            [
                p50("swift", 1.1), p50("swift-loop", 1.0), request_cpu("swift"), request_cpu("swift-loop"),
                Line("latency p50, against C", "p50_us", "swift", "c", "<=", None, "us"),
                Line("latency p50, against Python", "p50_us", "swift", "python", "<=", None, "us"),
            ],
        ),
        request_row(
            "request, 1 in flight, our server", "ours", 1, 8000 // part, requesters,
            [p50("swift", 1.0), p50("swift-loop", 0.9)],
        ),
        request_row(
            "request, 64 in flight", "official", 64, 100000 // part, requesters,
            [
                request_rate("swift", 1.3), request_rate("swift-loop", None), request_cpu("swift"),
                request_cpu("swift-loop"), Line("rate, against C", "rate", "swift", "c", ">=", None, "k/s", 1e-3),
            ],
        ),
        request_row(
            "request, 64 in flight, our server", "ours", 64, 100000 // part, requesters,
            [request_rate("swift", None), request_rate("swift-loop", None)],
        ),
        allocation_row(200000 // part),
        pending_row(100000),
        once_row(3 if quick else 10),
    ]


# Tools, through our server: each against a Go program of the same task

LINE = 100


@contextlib.contextmanager
def watched_server(programs):
    """A server with monitoring that lets a backlog grow; `page` reads a page of it."""
    with tempfile.TemporaryDirectory() as folder:
        monitoring = free_port()
        path = pathlib.Path(folder) / "server.conf"
        path.write_text(f"max_pending: 1GB\nhttp: 127.0.0.1:{monitoring}\n", encoding="ascii")
        with running_server(programs.servers["ours"], "-c", str(path)) as server:

            def page(name):
                with urllib.request.urlopen(f"http://127.0.0.1:{monitoring}/{name}", timeout=20) as answer:
                    return json.load(answer)

            server.page = page
            yield server


def tool_once_row(count):
    def measure(programs, side):
        with running_server(programs.servers["ours"]) as server:
            command = client_command(programs, "go", "once", server, 16, 1)
            if side == "ours":
                command = [programs.tools["nats-pub"], "-s", server.url, "foo", "hi"]
            samples = [run_measured(command) for _ in range(count)]
        return {
            "wall_ms": statistics.median(wall for wall, _ in samples) * 1e3,
            "cpu_ms": statistics.median(used for _, used in samples) * 1e3,
        }

    lines = [
        Line("wall, against Go", "wall_ms", "ours", "go", "<=", 1.0, "ms"),
        Line("CPU, against Go", "cpu_ms", "ours", "go", "<=", 1.0, "ms"),
    ]
    return Row("tools/nats-pub foo hi", ["go", "ours"], lines, measure)


def line_lines():
    return [
        Line("rate, against Go", "rate", "ours", "go", ">=", 3.0, "k/s", 1e-3),
        Line("rate", "rate", "ours", None, ">=", 1000, "k/s", 1e-3),
        Line("CPU per line, against Go", "cpu_ns", "ours", "go", "<=", None, "ns"),
    ]


def lines_in_row(count):
    """Lines of a pipe become messages; the server says how many came."""

    def measure(programs, side):
        with watched_server(programs) as server:
            command = client_command(programs, "go", "lines-in", server, 16, 1)
            if side == "ours":
                command = [programs.tools["nats-pub"], "-s", server.url, "-l", SUBJECT]
            # A source that takes little of the two cores itself.
            with tempfile.NamedTemporaryFile(dir="/dev/shm") as lines:
                block = ("x" * LINE + "\n").encode("ascii") * 1000
                for _ in range(count // 1000):
                    lines.write(block)
                lines.flush()
                with subprocess.Popen(["cat", lines.name], stdout=subprocess.PIPE) as source:
                    wall, used = run_measured(command, stdin=source.stdout)
            published = server.page("varz")["in_msgs"]
            if published != count:
                raise Failed(f"{published} of {count} messages")
        return {"rate": count / wall, "cpu_ns": used * 1e9 / count}

    return Row("tools/nats-pub -l", ["go", "ours"], line_lines(), measure)


def lines_out_row(count):
    """Messages become lines of a pipe; its other end counts the bytes."""

    def measure(programs, side):
        with watched_server(programs) as server:
            command = client_command(programs, "go", "lines-out", server, 16, count)
            if side == "ours":
                limit = ["--pending-limit", str(count)]
                command = [programs.tools["nats-sub"], "-s", server.url, "--raw", *limit, "-n", str(count), SUBJECT]
            feed = [programs.loadgen, "feed", "--port", str(server.port), "--subject", SUBJECT]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                end = time.monotonic() + 20
                while not any(each["subscriptions"] for each in server.page("connz")["connections"]):
                    if time.monotonic() > end:
                        raise Failed("no subscription")
                    time.sleep(0.01)
                feeding = subprocess.Popen([*feed, "--size", str(LINE), "--count", str(count)], stdout=subprocess.DEVNULL)
                # Always into the same memory: a reader that takes little of the two cores itself.
                block = memoryview(bytearray(1 << 20))
                length = process.stdout.raw.readinto(block)
                begin = time.monotonic()
                while more := process.stdout.raw.readinto(block):
                    length += more
                wall = time.monotonic() - begin
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                feeding.wait()
            if process.returncode != 0 or length != count * (LINE + 1):
                raise Failed(f"status {process.returncode}, {length} bytes")
        return {"rate": count / wall, "cpu_ns": (usage.ru_utime + usage.ru_stime) * 1e9 / count}

    return Row("tools/nats-sub --raw", ["go", "ours"], line_lines(), measure)


def top_row(connections, seconds):
    """What the dashboard takes of a core while somebody looks at it, at a refresh a second."""

    def measure(programs, _):
        monitor = free_port()
        with running_server(programs.servers["ours"], "-m", str(monitor)) as server, contextlib.ExitStack() as stack:
            open_idle(stack, server, connections)
            command = [programs.tools["nats-top"], "-s", "127.0.0.1", "-m", str(monitor), "-n", str(connections)]
            with on_terminal(command, rows=50, columns=200) as terminal:
                terminal.wait_for(b"idle-")
                used, begin = processor_seconds(terminal.pid), time.monotonic()
                time.sleep(seconds)
                used, passed = processor_seconds(terminal.pid) - used, time.monotonic() - begin
                terminal.send(b"q")
                if terminal.status() != 0:
                    raise Failed("nats-top does not end well")
        return {"share": used / passed * 100}

    line = Line("of a core", "share", "ours", None, "<=", 2.0, "%")
    return Row(f"tools/nats-top, {connections:,} connections", ["ours"], [line], measure)


def versus_row(name, arguments, count):
    """Our nats-bench, which measures both servers by turns itself."""

    def measure(programs, _):
        with running_server(programs.servers["official"]) as official, running_server(programs.servers["ours"]) as ours:
            command = [programs.tools["nats-bench"], "-s", ours.url, "--versus", official.url, "--json", "--no-progress"]
            command += ["-n", str(count), "--runs", "3", *arguments.split(), SUBJECT]
            return {"ratio": run_json(command)["ratio"]}

    line = Line("rate to the official server's", "ratio", "ours", None, ">=", 1.0, "")
    return Row(f"tools/nats-bench --versus, {name}", ["ours"], [line], measure, needs_clients=True)


def refresh_row(connections, count):
    """From a key that asks the server anew until the screen shows the answer; nothing else makes it ask."""

    def measure(programs, side):
        monitor = free_port()
        samples = []
        with running_server(programs.servers[side], "-m", str(monitor)) as server, contextlib.ExitStack() as stack:
            open_idle(stack, server, connections)
            address = ["-s", "127.0.0.1", "-m", str(monitor)]
            command = [programs.tools["nats-top"], *address, "-n", str(connections), "-d", "3600"]
            with on_terminal(command, rows=50, columns=200) as terminal:
                terminal.wait_for(f"Polled: {connections}".encode())
                for _ in range(count):
                    # One fewer: the title says of how many.
                    terminal.clear()
                    begin = time.monotonic()
                    terminal.send(f"n{connections - 1}\r".encode())
                    terminal.wait_for(f"of {connections}".encode())
                    samples.append(time.monotonic() - begin)
                    terminal.send(f"n{connections}\r".encode())
                    terminal.redraw_until(f"Polled: {connections}".encode())
                terminal.send(b"q")
                if terminal.status() != 0:
                    raise Failed("nats-top does not end well")
        return {"refresh": statistics.median(samples)}

    lines = [
        Line("refresh, our server", "refresh", "ours", None, "<=", 300.0, "ms", 1e3),
        Line("refresh, official server", "refresh", "official", None, "<=", None, "ms", 1e3),
    ]
    return Row(f"tools/nats-top, refresh at {connections:,} connections", ["official", "ours"], lines, measure)


def tool_rows(quick):
    count = 100_000 if quick else 2_000_000
    return [
        tool_once_row(3 if quick else 10),
        lines_in_row(count),
        lines_out_row(count),
        versus_row("1:1 16 B", "-np 1 -ns 1 -ms 16", count // 2),
        versus_row("1:4 128 B", "-np 1 -ns 4 -ms 128", count // 8),
        top_row(1000, 2 if quick else 10),
        refresh_row(1000 if quick else 10_000, 2 if quick else 5),
    ]


def all_rows(quick):
    return [
        *server_rows(quick),
        *link_rows(quick),
        *route_rows(quick),
        *account_rows(quick),
        *client_rows(quick),
        *tool_rows(quick),
        *baseline_rows(quick),
    ]
