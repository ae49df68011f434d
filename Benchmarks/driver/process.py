"""Servers and client programs as child processes; nothing outlives its `with` block."""

import contextlib
import fcntl
import json
import os
import pty
import resource
import signal
import socket
import ssl
import struct
import subprocess
import termios
import threading
import time

LIMIT = 120  # seconds for one measurement


class Failed(Exception):
    pass


def processor_seconds(pid):
    """User and system time of another process, all threads, to the nanosecond (the clock of clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def allow_many_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def read_line(connection):
    """Byte by byte, so that nothing behind it is taken."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise Failed("the server closes the connection")
        line += byte
    return line


def wait_until_ready(process, port):
    """Returns after a whole handshake, so the server's start-up is not part of any measurement."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(f"the server ended with status {process.returncode}")
        try:
            with contextlib.ExitStack() as stack:
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
                info = json.loads(read_line(connection).removeprefix(b"INFO "))
                if info.get("tls_required"):
                    context = ssl._create_unverified_context()  # noqa: S323 - it only has to be up
                    connection = stack.enter_context(context.wrap_socket(connection))
                stream = connection.makefile("rwb")
                stream.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
                stream.flush()
                if stream.readline().startswith(b"PONG"):
                    return
                raise Failed("the server did not answer PING")
        except ConnectionRefusedError:
            time.sleep(0.005)
    raise Failed("the server does not listen")


class Server:
    def __init__(self, process, port):
        self.process = process
        self.port = port
        self.url = f"nats://127.0.0.1:{port}"


@contextlib.contextmanager
def running_server(command, *arguments):
    port = free_port()
    process = subprocess.Popen(
        [*command, "-a", "127.0.0.1", "-p", str(port), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(process, port)
        yield Server(process, port)
        if process.poll() is not None:
            raise Failed(f"the server ended with status {process.returncode}")
    finally:
        stop(process)


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def last_json(text):
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise Failed("no result was printed")


def run_json(command, environment=None):
    """Runs to the end; the last line that is an object is the result."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode != 0:
        raise Failed(f"status {done.returncode}: {done.stderr.strip()[-500:]}")
    return last_json(done.stdout)


@contextlib.contextmanager
def running_until_ready(command, environment=None):
    """A program that prints READY; its result is read with `finish`."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    )
    # A program that hangs is killed, which ends the read of its output.
    watch = threading.Timer(LIMIT, process.kill)
    watch.start()
    try:
        if process.stdout.readline().strip() != "READY":
            raise Failed(f"{command[0]} did not become ready")
        yield process
    finally:
        watch.cancel()
        stop(process)
        process.stdout.close()


def finish(process):
    text = process.stdout.read()
    if process.wait() != 0:
        raise Failed(f"status {process.returncode}")
    return last_json(text)


def run_measured(command, stdin=subprocess.DEVNULL):
    """Wall and processor seconds of a whole process."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"status {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


class Terminal:
    """A program on a pseudo-terminal, whose output is read all the time."""

    def __init__(self, pid, descriptor):
        self.pid = pid
        self.descriptor = descriptor
        self.output = bytearray()
        self.changed = threading.Condition()
        self.ended = None
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                block = os.read(self.descriptor, 1 << 16)
            except OSError:  # the program closed its side
                block = b""
            with self.changed:
                self.output += block
                self.changed.notify_all()
            if not block:
                return

    def wait_for(self, text):
        with self.changed:
            if not self.changed.wait_for(lambda: text in self.output, 30):
                raise Failed(f"the screen does not show {text.decode()}")

    def clear(self):
        """Forgets what was shown."""
        with self.changed:
            self.output.clear()

    def redraw_until(self, text):
        """Asks for the whole screen (Ctrl-L) until it shows a text: what changes alone may be a part of it."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self.clear()
            self.send(b"\x0c")
            time.sleep(0.2)
            with self.changed:
                if text in self.output:
                    return
        raise Failed(f"the screen does not show {text.decode()}")

    def send(self, keys):
        os.write(self.descriptor, keys)

    def status(self):
        if self.ended is None:
            self.reader.join(20)
            if self.reader.is_alive():
                os.kill(self.pid, signal.SIGKILL)
            self.ended = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.ended


@contextlib.contextmanager
def on_terminal(command, rows, columns):
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(command[0], command)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    terminal = Terminal(pid, descriptor)
    try:
        yield terminal
    finally:
        if terminal.ended is None:
            os.kill(pid, signal.SIGKILL)
            terminal.status()
        os.close(descriptor)
