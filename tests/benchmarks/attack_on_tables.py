"""Attacks the tables of many made-up years: `python -m tests.benchmarks.attack_on_tables --years 200`."""

from __future__ import annotations

import argparse
import random

from services.impact.disclosure.adding import protect_with
from services.impact.disclosure.protection import protect
from tests.harness.attacker import SHAPES, disclosures, network


def main() -> None:
    """Attack years of all sizes; what was learnt is printed and ends with status 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=100)
    parser.add_argument("--from-seed", type=int, default=1000)
    asked = parser.parse_args()
    told = withheld = of_sections = 0
    learnt = []
    for seed in range(asked.from_seed, asked.from_seed + asked.years):
        dice = random.Random(seed)
        shape = {"countries": dice.randint(1, 6), "sections": dice.randint(1, 10), "labels": dice.randint(2, 9)}
        made = network(seed, people=int(10 ** dice.uniform(0.8, 2.8)), tables=SHAPES[: dice.randint(2, 4)], **shape)
        released, primary = protect(made, SHAPES), protect(made, SHAPES, complementary=False)
        told, withheld = told + len(released.counts), withheld + len(primary.counts) - len(released.counts)
        learnt += [f"{seed}: {what}" for what in disclosures(made, released)]
        beside = protect_with(made, SHAPES[:3], SHAPES[3])
        of_sections += sum(row.table == SHAPES[3].table for row, _ in beside.counts)
        learnt += [f"{seed}, sections beside: {what}" for what in disclosures(made, beside)]
    print(*learnt, sep="\n")
    print(f"{asked.years} years, {told} counts told, {withheld} withheld beside small ones, {len(learnt)} learnt")
    print(f"{of_sections} counts told of sections that were added to the other tables")
    raise SystemExit(bool(learnt))


if __name__ == "__main__":
    main()
