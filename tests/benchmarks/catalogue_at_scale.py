"""Fills a migrated database with a catalogue of any size: `python -m tests.benchmarks.catalogue_at_scale`.

The documents are rendered by the product; the rows go in by COPY. The same seed gives the same catalogue.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.activities.catalogue.rendering import render
from services.activities.catalogue.tables import Activity
from services.activities.taxonomies.rules import AREAS, CAUSES, KINDS, PROGRAMMES
from services.kernel.settings import Settings

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
SECTIONS = 600
# Country, zone, language, latitude, longitude, share of the activities.
COUNTRIES = [
    ("IT", "Europe/Rome", "it", 43.0, 12.0, 20), ("ES", "Europe/Madrid", "es", 40.0, -4.0, 15),
    ("PL", "Europe/Warsaw", "en", 52.0, 19.0, 15), ("DE", "Europe/Berlin", "de", 51.0, 10.0, 10),
    ("PT", "Europe/Lisbon", "pt", 40.0, -8.0, 10), ("FR", "Europe/Paris", "fr", 47.0, 2.0, 10),
    ("SK", "Europe/Bratislava", "en", 48.7, 19.0, 8), ("TR", "Europe/Istanbul", "tr", 39.0, 33.0, 7),
    ("FI", "Europe/Helsinki", "fi", 61.0, 25.0, 4), ("MT", "Europe/Malta", "en", 35.9, 14.4, 1),
]  # fmt: skip
WHAT = {
    "en": ["Beach cleaning", "Blood donation", "Dog walking", "Visit to the seniors' home", "Clothes collection"],
    "it": ["Pulizia della spiaggia", "Donazione di sangue", "Visita agli anziani", "Raccolta di vestiti"],
    "de": ["Bäume pflanzen", "Blutspende", "Besuch im Altersheim", "Kleidersammlung"],
    "es": ["Limpieza de la playa", "Donación de sangre", "Visita a los mayores", "Recogida de ropa"],
    "pt": ["Limpeza da praia", "Doação de sangue", "Visita ao lar", "Recolha de roupa"],
    "fr": ["Nettoyage de la plage", "Don du sang", "Visite à la maison de retraite", "Collecte de vêtements"],
    "tr": ["Sahil temizliği", "Kan bağışı", "Huzurevi ziyareti"],
    "fi": ["Rannan siivous", "Verenluovutus", "Vierailu vanhainkotiin"],
}
WORDS = [
    "students", "together", "local", "volunteers", "morning", "meet", "station", "gloves", "water", "lunch",
    "afterwards", "everybody", "welcome", "bring", "friends", "children", "school", "teach", "games",
    "shelter", "animals", "food", "kitchen", "evening", "people", "city", "park", "river", "forest", "plant",
    "trees", "library", "books", "language", "culture", "stories", "hospital", "help", "hours", "association",
    "project", "support", "community", "walk",
]  # fmt: skip
_COLUMNS = [column.name for column in Activity.__table__.columns if column.computed is None]


def sections(count: int) -> list[tuple[str, str, int]]:
    """Code, name and country's number of each section; countries have as many as they have activities."""
    dice = random.Random(1)
    numbers = dice.choices(range(len(COUNTRIES)), [country[5] for country in COUNTRIES], k=count)
    return [(f"{COUNTRIES[at][0]}-C{number:03}-ESN", f"ESN City {number}", at) for number, at in enumerate(numbers)]


def editions() -> list[tuple[str, datetime, datetime]]:
    """Two editions a year from 2010 on, of two weeks each."""
    found = []
    for year in range(2010, 2028):
        for season, month in (("spring", 5), ("autumn", 11)):
            start = datetime(year, month, 9, tzinfo=UTC)
            found.append((f"{year}-{season}", start, start + timedelta(days=14)))
    return found


def activities(count: int, settings: Settings) -> Iterator[tuple[Any, ...]]:
    """Rows of the table, in the order in which they would have been entered."""
    dice, groups, weeks = random.Random(2), sections(SECTIONS), editions()
    for number in range(count):
        row = _activity(number, count, dice, groups, weeks)
        render(row, settings, now=NOW)
        yield tuple(
            json.dumps(value) if isinstance(value, (dict, list)) and name in _JSON else value
            for name in _COLUMNS
            for value in [getattr(row, name)]
        )


_JSON = frozenset(
    {"organisers", "place", "requirements", "cost", "partners", "image", "contact", "translations", "documents"}
)


def _activity(
    number: int,
    count: int,
    dice: random.Random,
    groups: list[tuple[str, str, int]],
    weeks: list[tuple[str, datetime, datetime]],
) -> Activity:
    # Each year has more activities than the one before, and half of them fall into an edition.
    edition, opens, _ = weeks[int(len(weeks) * (number / count) ** 0.5)]
    is_in_edition = dice.random() < 0.5
    starts_at = opens + timedelta(days=dice.randrange(14 if is_in_edition else 180), hours=dice.randrange(8, 20))
    code, name, at = dice.choice(groups)
    country, zone, language, latitude, longitude, _ = COUNTRIES[at]
    home = random.Random(code)
    place = {
        "name": dice.choice(["Porto Ferro", "Stadtpark", "Biblioteka", "Casa Azul", "Halle 7", "Košice dvor", "Ærø"]),
        "city": f"{name.removeprefix('ESN ')} {country}",
        "country": country,
        "latitude": latitude + home.uniform(-3, 3) + dice.uniform(-0.1, 0.1),
        "longitude": longitude + home.uniform(-3, 3) + dice.uniform(-0.1, 0.1),
    }
    public = "held" if starts_at < NOW - timedelta(days=30) else "published"
    state = dice.choices([public, "cancelled", "draft"], [90, 5, 5])[0]
    written_in = language if dice.random() < 0.4 else "en"
    return Activity(
        id=UUID(int=(int(opens.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number),
        state=state,
        revision=4,
        title=f"{dice.choice(WHAT[written_in])} {dice.choice(WORDS)} {number}",
        summary=" ".join(dice.choices(WORDS, k=dice.randrange(20, 120))),
        language=written_in,
        kind=dice.choices(list(KINDS), [50, 10, 10, 10, 8, 6, 4, 2])[0],
        programme=dice.choices(list(PROGRAMMES), [80, 15, 5])[0],
        mode="physical",
        edition=edition if is_in_edition else None,
        edition_set_by_hand=False,
        areas=dice.sample(list(AREAS), dice.choice([1, 1, 2])),
        causes=dice.sample(list(CAUSES), dice.choice([1, 1, 2])),
        sdgs=dice.sample(range(1, 18), dice.randrange(4)),
        objectives=[],
        organisers=[{"code": code, "name": name, "lead": True}],
        section_codes=[code],
        country=country,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=3),
        starts_on=starts_at.date(),
        ends_on=starts_at.date(),
        date_precision="time",
        time_zone=zone,
        place=place,
        online_url=None,
        capacity=40,
        takes_sign_ups=True,
        sign_up_opens_at=None,
        sign_up_closes_at=starts_at,
        requirements={},
        accessibility=["step-free"] if dice.random() < 0.1 else [],
        cost=None,
        partners=[{"name": dice.choice(["Red Cross", "Caritas", "Food bank", "WWF"])}],
        image=None,
        audience=[[], ["international_students"], ["everybody"]][number % 3],
        translations={},
        is_series=False,
        public_parts=0,
        reason=None,
        label_state="given",
        sample=False,
        source=None,
        source_id=None,
        source_url=None,
        has_places=dice.random() < 0.8,
        availability_revision=0,
        created_at=opens,
        updated_at=starts_at - timedelta(days=20),
    )


async def fill(database_url: str, settings: Settings, count: int) -> None:
    """Put the sections, the editions and so many activities into an empty, migrated database."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.copy_records_to_table(
            "sections",
            schema_name="activities",
            columns=["code", "name", "country", "cities", "state", "time_zone"],
            records=[
                (code, name, COUNTRIES[at][0], [name], "active", COUNTRIES[at][1])
                for code, name, at in sections(SECTIONS)
            ],
        )
        await connection.executemany(
            """INSERT INTO activities.editions (code, series, season, year, precision, certainty, source)
               VALUES ($1, 'Social Impact Days', $2, $3, 'unknown', 'stated', 'test') ON CONFLICT DO NOTHING""",
            [(code, code.partition("-")[2], starts.year) for code, starts, _ in editions()],
        )
        # An index is made in a tenth of the time that it takes to grow row by row.
        indexes = await connection.fetch(
            """SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
               WHERE indrelid = 'activities.activities'::regclass AND NOT indisunique"""
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['name']}")
        await connection.copy_records_to_table(
            "activities", schema_name="activities", columns=_COLUMNS, records=activities(count, settings)
        )
        for index in indexes:
            await connection.execute(index["definition"])
        await connection.execute("VACUUM (ANALYZE) activities.activities")
    finally:
        await connection.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--activities", type=int, default=100_000)
    parser.add_argument(
        "--database-url", default=os.environ.get("DATABASE_URL"), required="DATABASE_URL" not in os.environ
    )
    arguments = parser.parse_args()
    settings = Settings(
        environment="test",
        database_url=arguments.database_url,
        redis_url="redis://127.0.0.1/0",
        secret="0" * 40,
        base_url="http://localhost",
    )
    began = time.perf_counter()
    asyncio.run(fill(arguments.database_url, settings, arguments.activities))
    print(f"{arguments.activities} activities in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
