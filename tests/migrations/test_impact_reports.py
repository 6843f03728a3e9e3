"""A database that has heard of activities, and has reports, from before ends and submissions were kept."""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import command

from services import registry
from services.kernel import db, migrate
from tests.harness import databases as harness
from tests.harness.databases import rows

BEFORE = """
INSERT INTO impact.activities (activity_id, revision, state, title, kind, programme, areas, causes, sdgs, section_codes,
    sample)
SELECT id, 2, 'held', 'Beach', 'volunteering', 'socialerasmus', '{}', '{}', '{}', '{}', false
FROM unnest(ARRAY['01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000002']::uuid[]) AS id;
INSERT INTO events.log (id, name, aggregate, trace_id, payload)
SELECT gen_random_uuid(), name, '01890000-0000-7000-8000-000000000001', repeat('0', 32),
    jsonb_build_object('activity', jsonb_build_object('revision', revision, 'ends_at', ends_at))
FROM (VALUES ('activities.activity_published.v1', 1, '2026-11-14T12:00:00Z'),
    ('activities.activity_held.v1', 2, '2026-11-14T13:00:00Z')) AS told (name, revision, ends_at);
INSERT INTO impact.reports (activity_id, state, revision, source, outcome)
VALUES ('01890000-0000-7000-8000-000000000001', 'submitted', 4, 'organiser', 'held');
INSERT INTO impact.report_history (activity_id, revision, verb, actor_role, at)
SELECT '01890000-0000-7000-8000-000000000001', revision, verb, 'local_coordinator', at
FROM (VALUES (1, 'write', timestamptz '2026-11-15T10:00:00Z'), (2, 'submit', '2026-11-15T11:00:00Z'),
    (3, 'return', '2026-11-16T10:00:00Z'), (4, 'submit', '2026-11-17T10:00:00Z')) AS done (revision, verb, at)
"""


async def test_ends_are_taken_from_the_log_and_the_first_submission_from_the_history(
    database_url: str, redis_url: str
) -> None:
    engine = db.create_engine(harness.settings(database_url, redis_url), role=None, pool_size=1)
    history = registry.HISTORIES["impact"]
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.downgrade(migrate.config(history, inner), "0003"))
    for statement in BEFORE.split(";\n"):
        await rows(database_url, statement)
    assert await migrate.upgrade(engine, registry.HISTORIES) == ["impact"]
    await engine.dispose()
    known = await rows(database_url, "SELECT ends_at, partners FROM impact.activities ORDER BY activity_id")
    assert [tuple(row) for row in known] == [(datetime(2026, 11, 14, 13, tzinfo=UTC), []), (None, [])]
    [report] = await rows(database_url, "SELECT submitted_at, acknowledged, photos FROM impact.reports")
    assert tuple(report) == (datetime(2026, 11, 15, 11, tzinfo=UTC), [], "[]")
