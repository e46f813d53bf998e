"""Checks many random programs and prints how many are right, refused, wrong, or make the compiler fail.

    python -m tests.random_programs --count 20000 --start-seed 0 --jobs 2
    python -m tests.random_programs --seed 17                                # one program: its text and its outcomes

The exit status is 1 where a program is wrong or the compiler fails.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.random_programs.check import MODES, Outcome, check
from tests.random_programs.functions import program_of
from tests.random_programs.program import Program
from tests.random_programs.shrink import shrink

CHUNK = 50


@dataclass(frozen=True)
class Finding:
    seed: int
    mode: str
    outcome: Outcome


def modes_of(seed: int) -> tuple[str, ...]:
    """All passes, and for some programs one or two modes more."""
    draw = random.Random(-1 - seed)
    more = [draw.choice(("none", *MODES[1:-1]))] if draw.random() < 0.4 else []
    return ("all", *more, *([MODES[-1]] if draw.random() < 0.15 else []))


def examine(seed: int) -> list[Finding]:
    """The outcomes of the modes of a seed; only the first where that is not right."""
    program = program_of(seed)
    found: list[Finding] = []
    for mode in modes_of(seed):
        found.append(Finding(seed, mode, check(program, mode)))
        if found[-1].outcome.kind != "right":
            break
    return found


def examine_chunk(seeds: Sequence[int]) -> list[Finding]:
    warnings.simplefilter("ignore")
    return [finding for seed in seeds for finding in examine(seed)]


def shrunk(finding: Finding) -> Program:
    warnings.simplefilter("ignore")
    return shrink(
        program_of(finding.seed), lambda candidate: check(candidate, finding.mode, 5.0).fails_like(finding.outcome)
    )


def examine_all(seeds: range, jobs: int) -> list[Finding]:
    chunks = [seeds[i : i + CHUNK] for i in range(0, len(seeds), CHUNK)]
    with multiprocessing.Pool(jobs, maxtasksperchild=10) as pool:
        return [finding for findings in pool.imap(examine_chunk, chunks) for finding in findings]


def report(findings: list[Finding], seconds: float, most: int, jobs: int, kind: str | None) -> int:
    programs = len({finding.seed for finding in findings})
    print(f"{programs} programs, {len(findings)} checks, {seconds:.0f} s, {1000 * seconds / programs:.0f} ms a program")
    for name, count in Counter(finding.outcome.kind for finding in findings).most_common():
        print(f"{count:7} {name}")
        alike = [f for f in findings if f.outcome.kind == name and f.outcome.key]
        for key, times in Counter(f.outcome.key for f in alike).most_common():
            modes = Counter(f.mode for f in alike if f.outcome.key == key)
            print(f"{times:15} {key}" + (f"  {dict(modes)}" if name in ("wrong", "internal") else ""))
    failures = [f for f in findings if f.outcome.kind in ("wrong", "internal")]
    shown = failures if kind is None else [f for f in findings if f.outcome.kind == kind]
    chosen = one_of_each(shown, most)
    with multiprocessing.Pool(jobs) as pool:
        for finding, program in zip(chosen, pool.imap(shrunk, chosen, 1), strict=True):
            outcome = check(program, finding.mode)
            print(f"\n--- seed {finding.seed}, mode {finding.mode}: {outcome.kind}: {outcome.key}")
            print(f"{program}\n{outcome.detail}")
    return 1 if failures else 0


def one_of_each(findings: list[Finding], most: int) -> list[Finding]:
    """In turn one of each key and mode, wrong ones first, until there are enough."""
    groups: dict[tuple[bool, str, str], list[Finding]] = {}
    for finding in findings:
        key = (finding.outcome.kind != "wrong", finding.outcome.key, finding.mode)
        groups.setdefault(key, []).append(finding)
    rounds = (group[i] for i in range(most) for _, group in sorted(groups.items()) if i < len(group))
    return [finding for finding, _ in zip(rounds, range(most), strict=False)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--start-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=12, help="how many failures to shrink and print")
    parser.add_argument("--kind", choices=("wrong", "internal", "refused"), help="what to show; else all failures")
    parser.add_argument("--seed", type=int, help="print one program and its outcomes")
    options = parser.parse_args()
    if options.seed is not None:
        print(program_of(options.seed))
        for finding in examine(options.seed):
            print(f"--- {finding.mode}: {finding.outcome.kind}: {finding.outcome.key}\n{finding.outcome.detail}")
        return 0
    start = time.perf_counter()
    findings = examine_all(range(options.start_seed, options.start_seed + options.count), options.jobs)
    return report(findings, time.perf_counter() - start, options.show, options.jobs, options.kind)


if __name__ == "__main__":
    sys.exit(main())
