"""Medians, ratios, the table and the JSON file."""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import time

from build import OFFICIAL, ROOT


class Results:
    """What every side of every row measured in every round."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.samples = {}
        self.errors = []

    def add(self, row, side, turn, result):
        self.samples.setdefault((row.name, side), {})[turn] = result

    def failed(self, row, side, turn, problem):
        self.errors.append({"row": row.name, "side": side, "round": turn, "error": str(problem)})

    def values(self, row, side, metric):
        found = self.samples.get((row.name, side), {})
        return {turn: result[metric] for turn, result in found.items() if metric in result}

    def lines(self, rows):
        return [self._line(row, line) for row in rows for line in row.lines]

    def _line(self, row, line):
        result = {
            "row": row.name, "title": line.title, "metric": line.metric, "unit": line.unit, "ours": None, "peer": None,
            "peer_name": line.peer, "ratio": None, "ratio_low": None, "ratio_high": None, "target": line.target,
            "comparison": line.comparison, "verdict": "",
        }
        ours = self.values(row, line.ours, line.metric)
        if ours:
            result["ours"] = statistics.median(ours.values()) * line.scale
        judged = result["ours"]
        if line.peer is not None:
            peer = self.values(row, line.peer, line.metric)
            if peer:
                result["peer"] = statistics.median(peer.values()) * line.scale
            # Each round has its own ratio, because both of its halves saw the same state of the machine.
            ratios = [ours[turn] / peer[turn] for turn in ours if peer.get(turn)]
            judged = statistics.median(ratios) if ratios else None
            if ratios:
                result.update(ratio=judged, ratio_low=min(ratios), ratio_high=max(ratios))
        failures = [error for error in self.errors if error["row"] == row.name and error["side"] in (line.ours, line.peer)]
        if judged is None or failures:
            result["verdict"] = "ERROR"
        elif line.target is not None:
            met = judged <= line.target if line.comparison == "<=" else judged >= line.target
            result["verdict"] = "pass" if met else "MISS"
        return result


def figure(value):
    if value is None:
        return "-"
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def print_table(lines):
    table = [("row", "figure", "unit", "ours", "peer", "ratio", "spread", "target", "")]
    previous = None
    for line in lines:
        ratio = line["ratio"]
        target = "" if line["target"] is None else f"{line['comparison']} {line['target']:g}"
        table.append(
            (
                line["row"] if line["row"] != previous else "", line["title"], line["unit"], figure(line["ours"]),
                figure(line["peer"]) if line["peer_name"] else "", "" if ratio is None else f"{ratio:.2f}",
                "" if ratio is None else f"{line['ratio_low']:.2f}-{line['ratio_high']:.2f}", target, line["verdict"],
            )
        )
        previous = line["row"]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
    for cells in table:
        shown = [
            cell.rjust(width) if 3 <= column <= 7 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths))
        ]
        print("  ".join(shown).rstrip())
    judged = [line["verdict"] for line in lines if line["verdict"]]
    print(f"\n{judged.count('pass')} targets met, {judged.count('MISS')} missed, {judged.count('ERROR')} not measured")


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip()


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def write_json(path, programs, results, lines, wakeup):
    document = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": output_of("git", "rev-parse", "HEAD"),
        "changed": bool(output_of("git", "status", "--porcelain")),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "kernel": platform.release(), "wakeup_us": wakeup},
        "versions": {
            "official server": output_of(str(OFFICIAL), "-v"),
            "our server": output_of(*programs.servers["ours"], "-v"),
            "swift": output_of("swift", "--version").split("\n")[0],
            "go": output_of("go", "version"),
            "nats.go": output_of("dpkg-query", "-W", "-f", "${Version}", "golang-github-nats-io-go-nats-dev"),
            "nats.c": output_of("dpkg-query", "-W", "-f", "${Version}", "libnats-dev"),
        },
        "rounds": results.rounds,
        "lines": lines,
        "errors": results.errors,
        "samples": [
            {"row": row, "side": side, "rounds": [rounds[turn] for turn in sorted(rounds)]}
            for (row, side), rounds in results.samples.items()
        ],
    }
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
