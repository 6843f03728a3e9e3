"""The query parameters of the market of ideas, and what of them can't be."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query

from services.activities.ideas.schemas import Season, Setting
from services.activities.ideas.store import Wanted
from services.activities.taxonomies import words
from services.kernel.problems import Invalid
from services.kernel.runtime import Running
from services.kernel.texts import AssignedCountryCode, Code, Currency, LanguageTag, Line


async def wanted(
    runtime: Running,
    cause: Annotated[Code | None, Query()] = None,
    area: Annotated[Code | None, Query()] = None,
    kind: Annotated[Code | None, Query()] = None,
    free: Annotated[bool | None, Query(description="Whether it costs the organisers nothing.")] = None,
    cost_max: Annotated[
        Decimal | None,
        Query(ge=0, max_digits=9, decimal_places=2, description="At most so much in `currency`; free ones too."),
    ] = None,
    currency: Annotated[Currency | None, Query()] = None,
    group_size: Annotated[int | None, Query(ge=1, le=1_000_000, description="Works for so many people.")] = None,
    season: Annotated[Season | None, Query()] = None,
    setting: Annotated[Setting | None, Query(description="as welfare_state, small_city, online")] = None,
    country: Annotated[AssignedCountryCode | None, Query(description="Where it was held.")] = None,
    language: Annotated[LanguageTag | None, Query(description="pt also finds pt-BR; pt-BR only itself")] = None,
    q: Annotated[Line | None, Query(description="Words, or similar ones when there are none.")] = None,
) -> Wanted:
    """The ideas that a reader wants, or a 422 that names the parameter at fault."""
    named = {"causes": cause, "areas": area, "kinds": kind}
    coded = {scheme: [code] for scheme, code in named.items() if code is not None}
    if faults := await words.faults_of(runtime, coded, repeated=False):
        raise Invalid(errors=faults)
    if cost_max is not None and currency is None:
        raise Invalid.at("query/currency", "`cost_max` needs a currency: amounts in others can't be compared.")
    if currency is not None and cost_max is None:
        raise Invalid.at("query/currency", "A currency needs `cost_max`.")
    return Wanted(
        cause=cause,
        area=area,
        kind=kind,
        is_free=free,
        cost_max=cost_max,
        currency=currency,
        group_size=group_size,
        season=season,
        setting=setting,
        country=country,
        language=language,
        q=q,
    )


Sought = Annotated[Wanted, Depends(wanted)]
"""Which ideas a reader wants."""
