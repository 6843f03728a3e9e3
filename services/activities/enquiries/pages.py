"""The form for organisations: plain HTML that loads nothing, runs nothing and needs no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from services.activities.enquiries.languages import LANGUAGES, Language
from services.kernel.page_policy import page_policy

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.75rem;line-height:1.2}label{display:block;font-weight:700;margin:1.25rem 0 .25rem}"
    "input,select,textarea{font:inherit;box-sizing:border-box;width:100%;padding:.5rem;border:1px solid;"
    "border-radius:.375rem}.consent{display:flex;gap:.75rem;align-items:start;font-weight:400}"
    ".consent input{width:1.5rem;height:1.5rem;flex:none}.fault{margin:.25rem 0;font-weight:700}"
    ".faults{border:3px solid #b3261e;border-radius:.5rem;padding:0 1rem;margin:1.5rem 0}"
    "button{font:inherit;font-weight:700;margin-top:1.5rem;padding:.75rem 1.5rem;border:0;border-radius:.5rem;"
    "cursor:pointer;background:#2e3192;color:#fff}"
    ":focus-visible{outline:3px solid #ec008c;outline-offset:3px}"
)
_HEADERS: Final = {
    "Content-Security-Policy": page_policy(_STYLE, forms=True),
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}
_COMPLETES: Final = {"organisation": "organization", "city": "address-level2", "name": "name", "email": "email"}
_LONGEST: Final = {"organisation": 200, "city": 200, "name": 200, "email": 254, "message": 5000}
_OPTIONAL: Final = frozenset({"city", "name"})


@dataclass(frozen=True, slots=True)
class Form:
    """What a form shows: to whom it goes, the countries to choose from, what was filled in, and its faults by field."""

    to: str
    section: str | None
    country: str | None
    countries: Sequence[tuple[str, str]]
    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    notice: str | None = None


def form(language: Language, shown: Form, *, status: int = 200) -> HTMLResponse:
    """The form; what is wrong with it stands above it and at each field."""
    title = language.title.format(to=shown.to)
    fields = "".join(_field(language, shown, name) for name in language.labels if name != "country")
    hidden = f'<input type="hidden" name="lang" value="{language.tag}">'
    if shown.section is not None and shown.country is not None:
        hidden += f'<input type="hidden" name="section" value="{escape(shown.section)}">'
        hidden += f'<input type="hidden" name="country" value="{escape(shown.country)}">'
    else:
        fields += _field(language, shown, "country")
    consent = (
        f'<label class="consent"><input type="checkbox" id="consent" name="consent" value="yes" required'
        f"{_state(shown, 'consent')}><span>{escape(language.consent.format(to=shown.to))}</span></label>"
        f"{_fault(shown, 'consent')}"
    )
    body = (
        f"<h1>{escape(title)}</h1>{_faults(language, shown)}<p>{escape(language.introduction)}</p>"
        f'<form method="post" action="enquire">{hidden}{fields}{consent}'
        f"<button>{escape(language.send)}</button></form>{_other_languages(language, shown)}"
    )
    return _page(language, f"{language.faults_title}: {title}" if shown.faults else title, body, status=status)


def thanks(language: Language, to: str) -> HTMLResponse:
    """That it is on its way."""
    words = f"<h1>{escape(language.thanks_title)}</h1><p>{escape(language.thanks.format(to=to))}</p>"
    return _page(language, language.thanks_title, words, status=200)


def _page(language: Language, title: str, body: str, *, status: int) -> HTMLResponse:
    page = (
        f'<!doctype html><html lang="{language.tag}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def _faults(language: Language, shown: Form) -> str:
    if shown.notice is not None:
        return f'<div class="faults" role="alert"><p>{escape(shown.notice)}</p></div>'
    if not shown.faults:
        return ""
    labels = {**language.labels, "consent": language.agree}
    listed = "".join(
        f'<li><a href="#{name}">{escape(labels[name])}</a></li>' for name in labels if name in shown.faults
    )
    return f'<div class="faults" role="alert"><h2>{escape(language.faults_title)}</h2><ul>{listed}</ul></div>'


def _field(language: Language, shown: Form, name: str) -> str:
    value = shown.values.get(name, "")
    optional = f" {language.optional}" if name in _OPTIONAL else ""
    label = f'<label for="{name}">{escape(language.labels[name])}{escape(optional)}</label>'
    told = f'id="{name}" name="{name}"{"" if name in _OPTIONAL else " required"}{_state(shown, name)}'
    if name == "kind":
        control = _choice(language, told, list(language.kinds.items()), value)
    elif name == "country":
        control = _choice(language, told, shown.countries, value, lang="en")
    elif name == "message":
        control = f'<textarea {told} rows="8" maxlength="{_LONGEST[name]}">{escape(value)}</textarea>'
    else:
        kind = "email" if name == "email" else "text"
        control = (
            f'<input {told} type="{kind}" autocomplete="{_COMPLETES[name]}" maxlength="{_LONGEST[name]}" '
            f'value="{escape(value)}">'
        )
    return f"{label}{control}{_fault(shown, name)}"


def _choice(
    language: Language, told: str, choices: Sequence[tuple[str, str]], chosen: str, *, lang: str | None = None
) -> str:
    told_language = f' lang="{lang}"' if lang else ""
    options = "".join(
        f'<option value="{escape(code)}"{told_language}{" selected" if code == chosen else ""}>{escape(name)}</option>'
        for code, name in choices
    )
    return f'<select {told}><option value="">{escape(language.choose)}</option>{options}</select>'


def _state(shown: Form, name: str) -> str:
    return f' aria-invalid="true" aria-describedby="{name}-fault"' if name in shown.faults else ""


def _fault(shown: Form, name: str) -> str:
    words = shown.faults.get(name)
    return f'<p class="fault" id="{name}-fault">{escape(words)}</p>' if words else ""


def _other_languages(language: Language, shown: Form) -> str:
    names = {"en": "English", "it": "Italiano", "es": "Español"}
    section = f"&section={shown.section}" if shown.section else ""
    links = " · ".join(
        f'<a href="{escape(f"enquire?lang={tag}{section}")}" lang="{tag}" hreflang="{tag}">{names[tag]}</a>'
        for tag in LANGUAGES
        if tag != language.tag
    )
    return f"<p>{links}</p>"
