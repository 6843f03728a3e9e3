"""A database that has heard of activities before registration kept the names of their organisers."""

from __future__ import annotations

from alembic import command

from services import registry
from services.kernel import db, migrate
from tests.harness import databases as harness
from tests.harness.databases import rows

KNOWN = """
INSERT INTO registration.places (activity_id, revision, state, title, language, section_codes, time_zone,
    takes_sign_ups, taken, availability_revision, to_call_off, choosing, guests_at_most)
SELECT id::uuid, 1, 'published', 'Beach', 'en', '{IT-SASS-ESN}', 'Europe/Rome', true, 0, 0, false, 'first_come', 0
FROM unnest(ARRAY['01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000002']) AS told (id)
"""
TOLD = """
INSERT INTO events.log (id, name, aggregate, trace_id, payload)
SELECT gen_random_uuid(), name, id, repeat('0', 32), jsonb_build_object('activity', jsonb_build_object(
    'activity_id', id, 'revision', revision, 'organisers', organisers::jsonb))
FROM (VALUES
    ('activities.activity_revised.v1', '01890000-0000-7000-8000-000000000001', 10, '[{"name": "Z"}, {"name": "A"}]'),
    ('activities.activity_published.v1', '01890000-0000-7000-8000-000000000001', 9, '[{"name": "Old"}]'),
    ('activities.activity_published.v1', '01890000-0000-7000-8000-000000000003', 1, '[{"name": "Not here"}]'),
    ('activities.other.v1', '01890000-0000-7000-8000-000000000002', 1, '[{"name": "Not told"}]')
) AS told (name, id, revision, organisers)
"""


async def test_organisers_told_of_before_are_taken_over_as_they_were_told_last(
    database_url: str, redis_url: str
) -> None:
    engine = db.create_engine(harness.settings(database_url, redis_url), role=None, pool_size=1)
    history = registry.HISTORIES["registration"]
    async with engine.begin() as connection:
        await connection.run_sync(lambda inner: command.downgrade(migrate.config(history, inner), "0005"))
    await rows(database_url, KNOWN)
    await rows(database_url, TOLD)
    assert await migrate.upgrade(engine, registry.HISTORIES) == ["registration"]
    await engine.dispose()
    known = await rows(database_url, "SELECT organiser_names FROM registration.places ORDER BY activity_id")
    assert [row["organiser_names"] for row in known] == [["Z", "A"], None]
