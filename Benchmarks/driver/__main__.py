"""`python3 Benchmarks/driver`: builds, runs every row alternating between us and the peers, prints a table, writes JSON."""

import argparse
import fnmatch
import sys
import time

import build
import report
import rows
import wakeup


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="Benchmarks/run", description="CPU per message of our programs and their peers, alternating in one run."
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds of every row (5)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="rows whose name matches, e.g. 'server/*' (repeatable)"
    )
    parser.add_argument("--quick", action="store_true", help="one round of short measurements: shows that everything runs")
    parser.add_argument("--no-build", action="store_true", help="use what an earlier run has built")
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--server", metavar="PATH", help="measure this server instead of the package's own")
    parser.add_argument("--output", default=str(build.DIRECTORY / "results.json"), metavar="FILE", help="the JSON file")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds wants a positive number")
    if options.quick:
        options.rounds = 1
    return options


class Progress:
    """One line that is rewritten, and only where somebody looks at it."""

    def __init__(self, begin):
        self.begin = begin
        self.terminal = sys.stderr.isatty()

    def show(self, text):
        if self.terminal:
            print(f"\r\x1b[K[{time.monotonic() - self.begin:4.0f} s] {text}", end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def main():
    options = parse_arguments()
    selected = rows.all_rows(quick=options.quick)
    if options.only:
        selected = [row for row in selected if any(fnmatch.fnmatch(row.name, f"*{only}*") for only in options.only)]
    elif not options.list:
        # These need the history and another build.
        selected = [row for row in selected if not row.name.startswith("baseline/")]
    if options.list:
        print("\n".join(row.name for row in selected))
        return 0
    if not selected:
        print("no row has such a name", file=sys.stderr)
        return 2
    needs_clients = any(row.needs_clients for row in selected)
    needs_baseline = any("baseline" in row.sides for row in selected)
    programs = build.everything(
        options.server, clients=needs_clients, skip=options.no_build, with_baseline=needs_baseline
    )

    results = report.Results(options.rounds)
    before = wakeup.microseconds()
    begin = time.monotonic()
    progress = Progress(begin)
    for number, row in enumerate(selected, 1):
        for turn in range(options.rounds):
            # The order changes with every round, so that nobody always runs on the warmer machine.
            sides = row.sides[turn % len(row.sides) :] + row.sides[: turn % len(row.sides)]
            for side in sides:
                progress.show(f"{number}/{len(selected)} {row.name}, round {turn + 1}, {side}")
                try:
                    results.add(row, side, turn, row.measure(programs, side))
                except Exception as problem:  # noqa: BLE001 - one failed measurement must not end the run
                    results.failed(row, side, turn, problem)
                    progress.clear()
                    print(f"{row.name}, round {turn + 1}, {side}: {problem}", file=sys.stderr)
    progress.clear()
    lines = results.lines(selected)
    report.print_table(lines)
    times = [before, wakeup.microseconds()]
    print(f"A byte to a sleeping process and back took {times[0]:.0f} us before the first row, {times[1]:.0f} us after the last.")
    report.write_json(options.output, programs, results, lines, times)
    print(f"\n{options.rounds} rounds in {time.monotonic() - begin:.0f} s, written to {options.output}")
    return 1 if results.errors else 0


sys.exit(main())
