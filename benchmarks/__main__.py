"""`python -m benchmarks`: time every case, print the table and write it to benchmarks/results.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.contest import Disagreement, contest
from benchmarks.dispatch import dispatch, first_compilation
from benchmarks.measure import FULL, QUICK
from benchmarks.report import report

RESULTS = Path(__file__).with_name("results.md")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Gradients against hand-written ones.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, and no file is written")
    parser.add_argument("--case", metavar="LETTERS", default="", help="only these cases, such as `ae`; writes no file")
    options = parser.parse_args()
    cases = [case for case in CASES if case.label[0] in (options.case or case.label[0])]
    if not cases:
        parser.error(f"no such case: {options.case}")
    effort = QUICK if options.quick else FULL

    first = first_compilation()
    try:
        results = [contest(case, effort) for case in cases]
    except Disagreement as disagreement:
        print(disagreement, file=sys.stderr)
        return 1
    text = report(results, dispatch(effort), first, effort)
    print(text, end="")
    if not options.quick and not options.case:
        RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
