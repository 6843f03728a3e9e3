"""What the version before knew of activities, reports and attendances is in every table that came since."""

from __future__ import annotations

from alembic import command

from services.impact.facts import actions
from services.kernel import db
from services.kernel.migrate import config
from services.registry import HISTORIES
from tests.harness import databases as harness
from tests.harness.databases import rows, value

IMPACT = HISTORIES["impact"]
BEFORE = """
INSERT INTO impact.activities (activity_id, revision, state, title, kind, programme, edition, areas, causes, sdgs,
  section, section_codes, country, starts_on, sample)
SELECT CAST(format('00000000-0000-7000-8000-%s', lpad(CAST(n AS text), 12, '0')) AS uuid), 2, 'held', 'Beach',
  'volunteering', 'socialerasmus', '2026-autumn', '{environment,animals}', '{inclusion}', '{13,14}', 'IT-MILA-STA',
  '{IT-MILA-STA}', 'IT', date '2026-07-31' + n, false
FROM generate_series(1, 4) AS n;
INSERT INTO impact.reports (activity_id, state, revision, source, outcome, international, hours, beneficiaries)
SELECT activity_id, 'verified', 1, 'organiser', CASE WHEN starts_on > '2026-08-01' THEN 'shrunk' ELSE 'cancelled' END,
  7, 2.5, 30 FROM impact.activities WHERE starts_on <= '2026-08-02';
INSERT INTO impact.report_quantities (activity_id, measure, unit, amount, qualifier)
SELECT activity_id, 'waste', 'kg', 12, 'exact' FROM impact.reports WHERE outcome <> 'cancelled';
INSERT INTO impact.activity_facts (activity_id, section, country, edition, starts_on, month, academic_year, area, cause,
  kind, programme, source, activities, cancelled, participants_international, participants_local,
  participants_esn_volunteer, participants_unclassified, attendances, hours)
SELECT activity_id, section, country, edition, starts_on, '2026-08', '2026/27', 'environment', 'inclusion', kind,
  programme, source, CAST(outcome = 'shrunk' AS int), CAST(outcome = 'cancelled' AS int),
  CASE outcome WHEN 'shrunk' THEN 7 ELSE 0 END, 0, 0, 0, 5, CASE outcome WHEN 'shrunk' THEN 2.5 ELSE 0 END
FROM impact.activities JOIN impact.reports USING (activity_id);
INSERT INTO impact.quantity_facts SELECT activity_id, measure, unit, amount FROM impact.report_quantities;
INSERT INTO impact.attendances (attendance_key, revision, activity_id, participant_class, present, hours)
SELECT gen_random_uuid(), 1, activity_id, CASE n WHEN 1 THEN 'local' ELSE 'international' END, n < 4, 1.5
FROM impact.activities CROSS JOIN generate_series(1, 4) AS n WHERE starts_on > '2026-08-01';
INSERT INTO events.log (id, name, aggregate, trace_id, payload)
SELECT gen_random_uuid(), 'activities.activity_held.v1', activity_id, repeat('0', 32),
  jsonb_build_object('activity', jsonb_build_object(
    'revision', 2, 'platform', 'SWEP', 'objectives', jsonb_build_array('respect')))
FROM impact.activities
"""


async def test_totals_labels_roll_ups_and_people_are_those_of_a_rebuild(database_url: str, redis_url: str) -> None:
    engine = db.create_engine(harness.settings(database_url, redis_url), role=None, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(IMPACT, sync), "0003"))
    for statement in BEFORE.split(";"):
        await rows(database_url, statement)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(IMPACT, sync), "head"))
    assert await value(database_url, "SELECT count(*) FROM impact.totals WHERE platform = 'SWEP'") == 4
    assert await value(database_url, "SELECT sum(attendances) FROM impact.totals") == 9
    of_network = "SELECT sum(shrunk) FROM impact.{} {}"
    for table, where in (("totals", ""), ("roll_ups", "WHERE grain = 'months' AND edition = '2026-autumn'")):
        assert await value(database_url, of_network.format(table, where)) == 1
    touched = "SELECT sum(activities) FROM impact.label_totals WHERE scheme = 'objective' AND label = 'respect'"
    assert await value(database_url, touched) == 1
    assert await value(database_url, "SELECT guests FROM impact.people_scopes WHERE kind = 'country' LIMIT 1") == 9
    assert await value(database_url, "SELECT count(*) FROM impact.quantity_roll_ups") == 6
    async with db.session_factory(engine).begin() as session:
        assert (await actions.rebuild(session)).differences == 0
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(IMPACT, sync), "0003"))
    assert await value(database_url, "SELECT sum(attendances) FROM impact.totals") == 3
    assert await value(database_url, "SELECT count(*) FROM impact.attendances") == 12
    await engine.dispose()
