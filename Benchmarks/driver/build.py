"""Builds and fetches everything that a run needs, under .build/."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "Benchmarks"
DIRECTORY = ROOT / ".build" / "bench"
DEPENDENCIES = ROOT / ".build" / "test-dependencies"
OFFICIAL = DEPENDENCIES / "bin" / "nats-server-2.15.1"
BASELINE = DIRECTORY / "baseline"
WARNINGS = ["-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]


class Programs:
    """Command lines of all programs by name."""

    def __init__(self, server):
        self.servers = {
            "ours": [str(server)],
            "official": [str(OFFICIAL)],
            "baseline": [str(BASELINE / ".build" / "release" / "nats-server")],
        }
        self.loadgen = str(DIRECTORY / "loadgen")
        self.allocation_counter = str(DIRECTORY / "alloccount.so")
        self.tools = {name: str(ROOT / ".build" / "release" / name) for name in ("nats-pub", "nats-sub", "nats-bench", "nats-top")}
        swift = str(BENCHMARKS / ".build" / "release" / "client-bench")
        self.clients = {
            "swift": [swift],
            "swift-loop": [swift, "--executor", "loop"],
            "c": [str(DIRECTORY / "client-c")],
            "go": [str(DIRECTORY / "client-go")],
            "python": [str(DEPENDENCIES / "venv" / "bin" / "python"), str(BENCHMARKS / "peers" / "python" / "client.py")],
        }


def run(*command, **environment):
    print("+", *command, file=sys.stderr, flush=True)
    subprocess.run(
        [str(part) for part in command], check=True, cwd=ROOT, env={**os.environ, **environment}, stdout=sys.stderr
    )


def baseline():
    """The server of the commit in Benchmarks/BASELINE, in a work tree of its own."""
    commit = (BENCHMARKS / "BASELINE").read_text(encoding="ascii").strip()
    if not (BASELINE / ".git").exists():
        run("git", "worktree", "prune")
        run("git", "worktree", "add", "--force", "--detach", BASELINE, commit)
    run("git", "-C", BASELINE, "checkout", "--quiet", "--detach", commit)
    run("make", "-C", BASELINE, "release")


def everything(server, clients, skip, with_baseline=False):
    programs = Programs(server or ROOT / ".build" / "release" / "nats-server")
    if skip:
        return programs
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    run("Scripts/install-bench-dependencies")
    run("gcc", *WARNINGS, *sorted((BENCHMARKS / "loadgen").glob("*.c")), "-o", programs.loadgen)
    if server is None:
        run("make", "release")
    if with_baseline:
        baseline()
    if clients:
        source = BENCHMARKS / "alloccount" / "alloccount.c"
        run("gcc", *WARNINGS, "-shared", "-fPIC", source, "-o", programs.allocation_counter)
        source = BENCHMARKS / "peers" / "c" / "client.c"
        run("gcc", *WARNINGS, source, "-o", programs.clients["c"][0], "-lnats")
        source = BENCHMARKS / "peers" / "go" / "main.go"
        gopath = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
        run("go", "build", "-o", programs.clients["go"][0], source, **gopath)
        flags = subprocess.run([ROOT / "Scripts" / "release-flags", "--tool"], check=True, capture_output=True, text=True).stdout
        run("swift", "build", "-c", "release", "--static-swift-stdlib", *flags.split(), "--package-path", BENCHMARKS)
    return programs
