"""The views of the figures as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse

from services.contracts import IMPACT
from services.impact.pages.describing import Shown, Table, question
from services.impact.pages.languages import Language, languages
from services.impact.pages.rules import CLASSES, HEADLINES, TABLED, TOLD, View, written
from services.impact.statistics.measures import MEASURES, QUANTITIES
from services.kernel.page_policy import page_policy

SHAPES: Final = {"JSON": "", "CSV": ".csv", "Excel": ".xlsx", "JSON-stat": ".jsonstat", "Parquet": ".parquet"}
"""What the statistics can be downloaded as, and how their address ends then."""

WORDS: Final = ("report", "period_before", "academic_year", "main_cause", "completeness", "source")
"""What the page of definitions explains besides the measures."""

_STYLE: Final = Path(__file__).with_name("style.css").read_text().replace("\n", "")
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "public, no-cache",
    "Vary": "Accept-Language",
}
_NOTHING: Final = {"absolute": None, "ratio": None}
_templates = Environment(loader=PackageLoader("services.impact.pages", "."), autoescape=True)


class Reader:
    """Who reads: the language, whether its address asks for it, and where this installation is."""

    def __init__(self, language: Language, lang: str | None, base_url: str) -> None:
        self.language = language
        self.lang = language.tag if lang else None
        self.base_url = base_url


def view(reader: Reader, shown: Shown) -> HTMLResponse:
    """The page of a view."""
    language, told = reader.language, shown.view
    name = _name(language, shown)
    return _page(
        "view.html",
        reader,
        address=told.address(),
        title=name or language.text("site"),
        shown=shown,
        scope=_scope(language, shown),
        headlines=[_headline(language, shown, each) for each in HEADLINES],
        people=_people(language, shown),
        quantities=_quantities(language, shown),
        tables=[_table(language, shown, table, name) for table in shown.tables],
        tabled=TABLED,
        about=_about(language, shown),
        shapes=_shapes(told, None, TOLD),
        bar=_bar,
        **_choices(language, shown),
    )


def definitions(reader: Reader) -> HTMLResponse:
    """What every figure counts."""
    others = [(code, measure) for code, measure in MEASURES.items() if code not in TOLD]
    return _page("definitions.html", reader, address="definitions", told=TOLD, words=WORDS, others=others)


def missing(reader: Reader, *, below: bool) -> HTMLResponse:
    """That there is no such page."""
    return _page("missing.html", reader, address=None, below=below, status=404)


def _page(
    template: str, reader: Reader, *, address: str | None, below: bool = False, status: int = 200, **more: Any
) -> HTMLResponse:
    root = "../" if below or "/" in (address or "") else "./"

    def link(to: str) -> str:
        return _in_language(root + to, reader.lang) if reader.lang else root + to

    page = _templates.get_template(template).render(
        language=reader.language,
        text=reader.language.text,
        style=_STYLE,
        root=root,
        here=address,
        canonical=None if address is None else f"{reader.base_url}/{IMPACT}/{address}",
        in_language=_in_language,
        tongues=languages(),
        link=link,
        lang=reader.lang,
        **more,
    )
    headers = {**_HEADERS, "Content-Language": reader.language.tag}
    return HTMLResponse(page, status_code=status, headers=headers)


def _in_language(address: str, tag: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'lang': tag})}"


def _called(language: Language, shown: Shown, name: str, code: str | None) -> str:
    """What a code of a dimension is called."""
    if code is None:
        return language.text("not_stated")
    if name == "section":
        return shown.sections[code][0] if code in shown.sections else code
    if name == "academic_year":
        return language.text("year", year=code.replace("/", "–"))
    named: str = getattr(language, name)(code)
    return named


def _row_name(language: Language, shown: Shown, by: str, code: str | None) -> str:
    called = _called(language, shown, by, code)
    return language.text("under_way", period=called) if shown.is_under_way(by, code) else called


def _name(language: Language, shown: Shown) -> str:
    order = ("section", "country", "cause", "edition", "academic_year")
    codes = shown.view.codes
    return " · ".join(_called(language, shown, name, codes[name]) for name in order if name in codes)


def _scope(language: Language, shown: Shown) -> str:
    codes = shown.view.codes
    told = []
    for name, code in codes.items():
        called = _called(language, shown, name, code)
        if name == "section":
            called = f"{called}, {language.country(shown.sections[code][1])} ({code})"
        edition = shown.choices.editions.get(code) if name == "edition" else None
        if edition is not None:
            days = [edition.series] if edition.series else []
            if edition.starts_on and edition.ends_on:
                days.append(language.days(edition.starts_on, edition.ends_on))
            called = f"{called} ({', '.join(days)})" if days else called
        if shown.is_under_way(name, code):
            called = language.text("under_way", period=called)
        told.append(f"{language.text(f'label.{name}')}: {called}")
    return language.text("scope.some", what="; ".join(told)) if told else language.text("scope.all")


def _headline(language: Language, shown: Shown, name: str) -> dict[str, str]:
    return {
        "title": language.text(f"measure.{name}"),
        "value": language.number(shown.total[name]),
        "change": _change(language, shown, name),
        "definition": language.text(f"measure.{name}.definition"),
    }


def _change(language: Language, shown: Shown, name: str) -> str:
    period = shown.view.period
    if period is None:
        return ""
    if shown.before is None:
        return language.text("change.no_period")
    change = language.change(shown.total["growth"][name])
    than = _called(language, shown, period[0], shown.before)
    return language.text("change.against", change=change, period=than) if change else language.text("unknown")


def _people(language: Language, shown: Shown) -> list[dict[str, Any]]:
    everybody = shown.total["participants"]
    return [
        {
            "title": language.text(f"measure.{name}"),
            "value": language.number(shown.total[name]),
            "share": language.share(shown.total[name], everybody),
            "part": shown.total[name] / everybody,
        }
        for name in CLASSES
        if everybody and (shown.total[name] or not name.endswith("unclassified"))
    ]


def _quantities(language: Language, shown: Shown) -> list[tuple[str, str, str]]:
    grown = {
        (each["measure"], each["unit"]): each
        for each in (shown.total["growth"][QUANTITIES] if shown.before is not None else ())
    }
    return [
        (
            language.quantity(each["measure"]),
            language.amount(each["measure"], each["unit"], Decimal(each["amount"])),
            _part(language, grown.get((each["measure"], each["unit"]), _NOTHING)),
        )
        for each in shown.total[QUANTITIES]
    ]


def _table(language: Language, shown: Shown, table: Table, name: str) -> dict[str, Any]:
    most = max(row["activities"] for row in table.rows)
    parts = [name or language.text("scope.network")]
    if table.is_grown:
        period = shown.view.period
        if period is None:
            parts.append(language.text("table.change.before"))
        elif shown.before is not None:
            before = _called(language, shown, period[0], shown.before)
            parts.append(language.text("table.change.period", period=before))
    parts.append(language.text("table.bars"))
    return {
        "by": table.by,
        "title": language.text(f"by.{table.by}"),
        "head": language.text(f"label.{table.by}"),
        "caption": ". ".join(part.rstrip(".") for part in parts) + ".",
        "rows": [
            {
                "name": _row_name(language, shown, table.by, row[table.by]),
                "address": _leads_to(shown.view, table.by, row[table.by]),
                "part": row["activities"] / most if most else 0,
                "cells": [
                    (language.number(row[each]), _part(language, row["growth"][each] if table.is_grown else _NOTHING))
                    for each in TABLED
                ],
            }
            for row in table.rows
        ],
        "shapes": _shapes(shown.view, table.by, TABLED),
    }


def _part(language: Language, grown: Any) -> str:
    """Growth in little room: in per cent, and as a number where it was nothing before."""
    if grown["ratio"] is not None:
        return language.part(grown["ratio"])
    absolute = float(grown["absolute"] or 0)
    return language.change({"absolute": absolute, "ratio": None}) if absolute else ""


def _leads_to(of: View, by: str, code: str | None) -> str | None:
    return None if code is None or by == "month" else of.of(by, code).address()


def _about(language: Language, shown: Shown) -> list[str]:
    reporting, active = shown.completeness
    numbers = {"reporting": language.number(reporting), "active": language.number(active)}
    found = [language.text("about.completeness" if active else "about.no_section", **numbers)]
    told = [
        f"{language.text(f'source.{source}')}: {language.number(held)}"
        for source, held in shown.sources.items()
        if held
    ]
    if told:
        found.append(language.text("about.sources", sources="; ".join(told)))
    if "cause" in shown.view.codes or any(table.by == "cause" for table in shown.tables):
        found.append(language.text("word.main_cause.definition"))
    if shown.as_of is not None:
        found.append(language.text("about.as_of", moment=language.moment(shown.as_of)))
    return found


def _shapes(of: View, by: str | None, measures: Sequence[str]) -> list[tuple[str, str]]:
    """Where the same figures are as data."""
    asked = question(of, by, tuple(measures))
    told: dict[str, Any] = {"by": by} if by else {}
    told |= {**asked.filters(), "measures": ",".join(measures)}
    if of.period and by != "month":
        told["compare"] = "previous"
    return [(name, f"v1/statistics{ending}?{urlencode(told)}") for name, ending in SHAPES.items()]


def _choices(language: Language, shown: Shown) -> dict[str, Any]:
    choices, codes = shown.choices, shown.view.codes

    def options(name: str) -> list[tuple[str, str, bool]]:
        listed = list(getattr(choices, name))
        return [(written(code), _called(language, shown, name, code), codes.get(name) == code) for code in listed]

    periods = [(language.text(f"by.{name}"), options(name)) for name in ("edition", "academic_year")]
    countries = sorted(options("country"), key=lambda each: each[1].casefold())
    return {
        "periods": [group for group in periods if group[1]],
        "countries": countries,
        "causes": options("cause"),
        "section": codes.get("section"),
    }


def _bar(part: float) -> Markup:
    """A bar beside a number that is written out, and so nothing to read aloud."""
    width = f"{max(part, 0) * 100:.1f}"
    shape = '<svg class="bar" aria-hidden="true" focusable="false"><rect width="{}%" height="100%" rx="2"/></svg>'
    return Markup(shape).format(width)  # noqa: S704  # What is formatted in is escaped, and is a number.
