"""A network of 600 sections with its activities and attendances, as many as are wanted, made by Postgres itself.

A few sections do most, half of all happens in the Weeks of the editions, and most students go where they study.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from tests.benchmarks import pairs
from tests.harness import databases as harness
from tests.harness.databases import Databases
from tests.harness.impact import Impact, attendance, impact_alone

PER_ACTIVITY = 20
_ACTIVITIES = """
WITH thrown AS (
  SELECT number, CAST(hashint8extended(number, 1) & 1048575 AS int) AS one,
    CAST(hashint8extended(number, 2) & 1048575 AS int) AS two,
    CAST(hashint8extended(number, 3) & 1048575 AS int) AS three FROM generate_series($1::bigint, $2::bigint) AS number
), placed AS (
  SELECT number, one, two, three, floor(600 * pow(one / 1048576.0, 2))::int AS section,
    2012 + two % 14 AS year, CASE WHEN three % 2 = 0 THEN CASE two % 2 WHEN 0 THEN 5 ELSE 11 END
      ELSE 1 + two / 14 % 12 END AS month FROM thrown
), told AS (
  SELECT number, one, two, three, section, make_date(year, month, 1 + three % 28) AS day,
    (ARRAY['IT', 'ES', 'PL', 'DE', 'PT', 'FR', 'SK', 'TR', 'FI', 'MT'])[1 + section % 10] AS country,
    (ARRAY['environment', 'education', 'health', 'animals'])[1 + one % 4] AS area,
    (ARRAY['inclusion', 'sustainability', 'skills', 'culture'])[1 + three % 4] AS cause FROM placed
)
INSERT INTO impact.activities (activity_id, revision, state, title, kind, programme, edition, areas, causes, sdgs,
  objectives, section, section_codes, country, platform, starts_on, capacity, sample, has_parts, partners)
SELECT CAST('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0') AS uuid), 1, 'held', 'Activity ' || number,
  (ARRAY['volunteering', 'visit', 'collection'])[1 + two % 3], 'socialerasmus',
  CASE extract(month FROM day) WHEN 5 THEN extract(year FROM day) || '-spring'
    WHEN 11 THEN extract(year FROM day) || '-autumn' END,
  CASE WHEN two % 3 = 0 AND area <> 'health' THEN ARRAY[area, 'health'] ELSE ARRAY[area] END, ARRAY[cause],
  ARRAY[CASE three % 3 WHEN 0 THEN 3 WHEN 1 THEN 4 ELSE 13 END], '{}', code, ARRAY[code], country,
  CASE WHEN country IN ('IT', 'ES', 'PT', 'FR', 'MT') THEN 'SWEP' ELSE 'CEP' END, day, 40, false, false, '{}'
FROM told CROSS JOIN LATERAL (SELECT country || '-S' || lpad(section::text, 3, '0') || '-ESN' AS code) AS coded
"""
_SECTIONS = """
INSERT INTO impact.sections (code, title, country, state)
SELECT DISTINCT section, section, country, 'active' FROM impact.activities ON CONFLICT DO NOTHING
"""
_EDITIONS = """
INSERT INTO impact.editions (code, series, starts_on, ends_on)
SELECT year || '-' || season, 'Week', make_date(year, month, 1), make_date(year, month, 28)
FROM generate_series(2012, 2025) AS year CROSS JOIN (VALUES ('spring', 5), ('autumn', 11)) AS half (season, month)
ON CONFLICT DO NOTHING
"""
# Of each section and academic year 150 students come again and again; one in ten goes elsewhere, one in twenty is a
# guest.
_PRESENT = """
SELECT activity_id, CAST(md5(activity_id::text || $3 || place) AS uuid) AS attendance_key, 1 AS revision,
  (ARRAY['international', 'international', 'local', 'esn_volunteer'])[1 + dice % 4] AS participant_class,
  true AS present, CAST(1 + dice % 4 AS numeric(7, 2)) AS hours,
  CASE WHEN dice % 20 > 0 THEN CAST(md5(
    CASE WHEN dice % 10 = 1 THEN country ELSE section END || extract(year FROM starts_on + 153) || dice / 20 % 150
  ) AS uuid) END AS person_key,
  'IT' AS home_country, CAST(NULL AS text) AS mobility
FROM (
  SELECT *, hashtextextended(activity_id::text || $3, place) & 1048575 AS dice
  FROM impact.activities CROSS JOIN generate_series(1, $4::int) AS place
  WHERE activity_id > CAST('00000000-0000-7000-8000-' || lpad(to_hex($1::bigint - 1), 12, '0') AS uuid)
    AND activity_id <= CAST('00000000-0000-7000-8000-' || lpad(to_hex($2::bigint), 12, '0') AS uuid)
) AS thrown
"""
# As they are checked in: at two hundred activities at the same time, everywhere one after the other.
_TOLD = f"""
INSERT INTO events.log (id, name, aggregate, trace_id, payload)
SELECT gen_random_uuid(), $5, activity_id, repeat('0', 32), CAST($6::text AS jsonb) || to_jsonb(told)
FROM ({_PRESENT}) AS told JOIN (
  SELECT activity_id, row_number() OVER (ORDER BY activity_id) / 200 AS block FROM impact.activities
) AS ordered USING (activity_id) ORDER BY block, attendance_key
"""


@dataclass(eq=False)
class Scale:
    """One database that grows; `owner` has the rights and the patience of a command."""

    impact: Impact
    owner: Impact
    connection: asyncpg.Connection
    activities: int = 0

    async def add_activities(self, count: int) -> tuple[int, int]:
        """More activities that nobody was at; answers the first and the last of their numbers."""
        first, self.activities = self.activities + 1, self.activities + count
        await self.connection.execute(_ACTIVITIES, first, self.activities, timeout=600)
        await self.connection.execute(_SECTIONS)
        await self.connection.execute(_EDITIONS)
        await self.connection.execute("ANALYZE impact.activities")
        return first, self.activities

    async def grow(self, facts: int) -> None:
        """Put more activities and their attendances into the projections and fold nothing."""
        first, last = await self.add_activities((facts - self.activities * PER_ACTIVITY) // PER_ACTIVITY)
        statement = f"INSERT INTO impact.attendances {_PRESENT}"
        await self.connection.execute(statement, first, last, "", PER_ACTIVITY, timeout=1200)
        await self.connection.execute("ANALYZE impact.attendances")

    async def rebuild(self) -> tuple[float, int]:
        """Seconds, and how much was different."""
        began = time.perf_counter()
        made = await self.owner.rebuild()
        took = time.perf_counter() - began
        await self.connection.execute("VACUUM (ANALYZE)", timeout=600)
        return took, made.differences

    async def tell(self, first: int, last: int, each: int, turn: str) -> int:
        """Put attendances at these activities into the log, `each` at each; answers how many."""
        sample = attendance(UUID(int=0), UUID(int=0))
        payload = json.dumps(sample.model_dump(mode="json"))
        tag = await self.connection.execute(_TOLD, first, last, turn, each, sample.name, payload, timeout=600)
        return int(tag.split()[-1])

    async def bare(self, first: int, last: int, each: int, turn: str) -> list[tuple[object, ...]]:
        """The same attendances as plain rows."""
        return [tuple(row) for row in await self.connection.fetch(_PRESENT, first, last, turn, each)]


@asynccontextmanager
async def scale() -> AsyncIterator[Scale]:
    """A database of its own, on the server that the environment names."""
    made = Databases(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
    await made.make_template()
    try:
        async with made.fresh() as url:
            connection = await asyncpg.connect(url)
            settings = harness.settings(url, os.environ["REDIS_URL"], log_level="WARNING")
            async with impact_alone(settings, url) as impact, impact_alone(settings, url, role=None) as owner:
                yield Scale(impact, owner, connection)
            await connection.close()
    finally:
        await made.drop_template()


async def server_cpu(connection: asyncpg.Connection) -> int:
    """The number of the server's first process, of which all others are children; 0 where it can't be seen."""
    own = await connection.fetchval("SELECT pg_backend_pid()")
    return await asyncio.to_thread(_parent, own)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def cpu_seconds(server: int) -> float:
    """What this process and all of a server's have used of the processor."""
    children = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(int(path.name)) == server]
    return time.process_time() + sum(map(pairs.cpu_seconds, children if server else []))
