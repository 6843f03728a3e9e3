"""Activities and their reports entered straight into what impact knows, and folded by the product."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from services.impact.facts import actions as facts
from services.impact.projections.tables import Activity, Edition, Section
from services.impact.reports.tables import Report, ReportQuantity
from services.kernel.ids import new_id
from tests.harness.databases import Databases, settings
from tests.harness.network import Network, running

STATISTICS = "/impact/v1/statistics"

Row = dict[str, Any]


def held(section: str | None, starts_on: date | None, **fields: Any) -> Row:
    """An activity that took place, with a verified report of ten people and twenty hours."""
    default = {
        "country": section and section[:2],
        "platform": None,
        "edition": None,
        "areas": ["environment"],
        "causes": ["culture"],
        "sdgs": [],
        "objectives": [],
        "kind": "volunteering",
        "programme": "socialerasmus",
        "state": "held",
        "sample": False,
        "outcome": "held",
        "report": "verified",
        "source": "organiser",
        "international": 6,
        "local": 3,
        "esn_volunteer": 1,
        "unclassified": 0,
        "hours": Decimal(20),
        "beneficiaries": None,
        "quantities": {},
        "with_others": (),
    }
    return {**default, "section": section, "starts_on": starts_on, **fields}


@asynccontextmanager
async def network_with(
    databases: Databases,
    redis_url: str,
    rows: Iterable[Row],
    *,
    sections: Sequence[str],
    editions: Sequence[tuple[str, date | None, date | None]],
) -> AsyncIterator[Network]:
    """The services on a fresh database whose impact knows of these."""
    async with databases.fresh() as url, running(settings(url, redis_url), url) as network:
        await enter(network, rows, sections=sections, editions=editions)
        yield network


async def enter(
    network: Network,
    rows: Iterable[Row],
    *,
    sections: Sequence[str] = (),
    editions: Sequence[tuple[str, date | None, date | None]] = (),
) -> None:
    """Let impact know of these, as if it had heard of them, and count them."""
    async with network.runtimes["impact"].unit_of_work() as session:
        for code in sections:
            session.add(Section(code=code, title=f"ESN {code}", country=code[:2], state="active"))
        for code, first, last in editions:
            session.add(Edition(code=code, series="Social Impact Days", starts_on=first, ends_on=last))
        for row in rows:
            session.add_all(_rows(row))
            await session.flush()
    async with network.runtimes["impact"].unit_of_work() as session:
        await facts.rebuild(session)


def _rows(row: Row) -> list[Any]:
    identity = new_id()
    codes = [code for code in (row["section"], *row["with_others"]) if code]
    known = (
        *("section", "country", "platform", "edition", "areas", "causes", "sdgs", "objectives"),
        *("kind", "programme", "state", "sample"),
    )
    activity = Activity(
        activity_id=identity, revision=1, title="An activity", section_codes=codes, starts_at=None, capacity=None,
        part_of=None, relation=None, has_parts=False, starts_on=row["starts_on"],
        **{name: row[name] for name in known},
    )  # fmt: skip
    if row["report"] is None:
        return [activity]
    people = ("international", "local", "esn_volunteer", "unclassified")
    report = Report(
        activity_id=identity, state=row["report"], revision=1, outcome=row["outcome"], source=row["source"],
        hours=row["hours"], beneficiaries=row["beneficiaries"], **{name: row[name] for name in people},
    )  # fmt: skip
    quantities = [
        ReportQuantity(activity_id=identity, measure=measure, unit=unit, amount=amount, qualifier="exactly")
        for (measure, unit), amount in row["quantities"].items()
    ]
    return [activity, report, *quantities]
