"""What the page of an activity says, in three languages, and how dates are written in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from services.kernel.languages import best

LANGUAGES: Final = ("en", "es", "it")
"""The columns of the texts."""

_TEXTS: Final[dict[str, tuple[str, str, str]]] = {
    "when": ("When", "Cuándo", "Quando"),
    "where": ("Where", "Dónde", "Dove"),
    "who": ("Organised by", "Organiza", "Organizza"),
    "places": ("Places", "Plazas", "Posti"),
    "with": ("Together with", "En colaboración con", "In collaborazione con"),
    "causes": ("For", "Por", "Per"),
    "needs": ("Good to know", "Conviene saber", "Da sapere"),
    "cost": ("Cost", "Precio", "Costo"),
    "free_of_charge": ("Free", "Gratis", "Gratuito"),
    "accessibility": ("Accessibility", "Accesibilidad", "Accessibilità"),
    "age": ("From {n} years of age", "A partir de {n} años", "Dai {n} anni"),
    "languages_spoken": ("You need: {what}", "Necesitas: {what}", "Serve: {what}"),
    "resident": ("Only for people who live in {what}", "Solo para quien vive en {what}", "Solo per chi vive in {what}"),
    "documents": ("Have with you: {what}", "Lleva contigo: {what}", "Porta con te: {what}"),
    "bring": ("Bring along", "Trae", "Porta"),
    "contact": ("Contact", "Contacto", "Contatto"),
    "dates": ("{span} (dates: {n})", "{span} (fechas: {n})", "{span} (date: {n})"),
    "online": ("Online", "En línea", "Online"),
    "sample": ("Example", "Ejemplo", "Esempio"),
    "cancelled": ("Cancelled", "Cancelada", "Annullata"),
    "held": ("This activity took place.", "Esta actividad se ha celebrado.", "Questa attività si è svolta."),
    "calendar": ("Add to your calendar", "Añadir a tu calendario", "Aggiungi al calendario"),
    "more": ("All about it", "Toda la información", "Tutti i dettagli"),
    "source": ("Source", "Fuente", "Fonte"),
    "unknown_date": ("The date is not known.", "No se conoce la fecha.", "La data non è nota."),
    "free": ("{n} of {of} free", "{n} libres de {of}", "{n} liberi su {of}"),
    "capacity": ("{n}", "{n}", "{n}"),
    "unlimited": ("Unlimited", "Ilimitadas", "Illimitati"),
    "full": ("Fully booked", "Completo", "Al completo"),
    "closed": ("Sign-up is closed", "Inscripción cerrada", "Iscrizioni chiuse"),
    "sign_up": ("Sign up", "Inscribirse", "Iscriviti"),
    "not_yet_open": ("Sign-up opens {at}", "La inscripción se abre: {at}", "Le iscrizioni aprono: {at}"),
    "until": ("Sign-up until {at}", "Inscripción hasta: {at}", "Iscrizioni fino a: {at}"),
    "languages": ("This page in", "Esta página en", "Questa pagina in"),
    "not_found": ("There is no such activity.", "No existe esta actividad.", "Questa attività non esiste."),
    "not_found_why": (
        "It may have been withdrawn, or the address is not complete.",
        "Puede que se haya retirado o que la dirección no esté completa.",
        "Forse è stata ritirata, o l’indirizzo non è completo.",
    ),
}
_CODES: Final[dict[str, tuple[str, str, str]]] = {
    "step-free": ("Without steps", "Sin escalones", "Senza gradini"),
    "accessible-toilet": ("Accessible toilet", "Aseo accesible", "Bagno accessibile"),
    "accessible-parking": ("Accessible parking", "Aparcamiento accesible", "Parcheggio accessibile"),
    "hearing-loop": ("Hearing loop", "Bucle magnético", "Anello a induzione"),
    "sign-language": ("Sign language", "Lengua de signos", "Lingua dei segni"),
    "captions": ("Captions", "Subtítulos", "Sottotitoli"),
    "easy-language": ("Easy language", "Lectura fácil", "Linguaggio facile"),
    "quiet-room": ("Quiet room", "Sala tranquila", "Stanza tranquilla"),
    "seated": ("Can be done sitting", "Se puede hacer con asiento", "Si può fare da seduti"),
    "public-transport": ("Public transport leads there", "Se llega en transporte público",
                         "Si arriva con i mezzi pubblici"),
    "guide-dogs": ("Guide dogs are welcome", "Perros guía bienvenidos", "Cani guida benvenuti"),
    "assistant-free": ("An assistant comes along at no cost", "Un asistente entra gratis",
                       "Chi assiste entra gratis"),
    "identity_card": ("identity card or passport", "documento de identidad o pasaporte",
                      "carta d’identità o passaporto"),
    "student_card": ("student card", "carné de estudiante", "tessera studentesca"),
    "residence_permit": ("residence permit", "permiso de residencia", "permesso di soggiorno"),
    "criminal_record_certificate": ("certificate of the criminal record", "certificado de antecedentes penales",
                                    "certificato del casellario giudiziale"),
    "insurance_card": ("insurance card", "tarjeta sanitaria", "tessera sanitaria"),
    "parental_consent": ("consent of the parents", "autorización de los padres", "autorizzazione dei genitori"),
}  # fmt: skip
NAMES: Final = {"en": "English", "es": "español", "it": "italiano"}
_MONTHS: Final = {
    "en": [
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ],
    "es": [
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ],
    "it": [
        "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
        "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre",
    ],
}  # fmt: skip
_DAYS: Final = {
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "es": ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
    "it": ["lun", "mar", "mer", "gio", "ven", "sab", "dom"],
}


def chosen(asked: str | None, accepted: str) -> str:
    """The language of a page: the one asked for by its address, else the visitor's best, else English."""
    return best(LANGUAGES, asked=asked, accept=accepted, otherwise="en")


def said(key: str, language: str, **values: Any) -> str:
    """A text with its values put in."""
    return _TEXTS[key][LANGUAGES.index(language)].format(**values)


def named(code: str, language: str) -> str:
    """What a code of a closed list says: of accessibility, or of a document to have with one."""
    return _CODES[code][LANGUAGES.index(language)]


def spoken(tag: str, language: str) -> str:
    """The name of a language, or its tag where CLDR has none."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(language) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def country(code: str, language: str) -> str:
    """The name of a country, or its code where CLDR has none."""
    return str(Locale.parse(language).territories.get(code, code))


def pattern(key: str, language: str) -> str:
    """A text whose values are put in by the page's script."""
    return _TEXTS[key][LANGUAGES.index(language)]


def when(document: Mapping[str, Any], language: str) -> str:
    """The time of an activity as exactly as it is known, in its own zone."""
    precision = document["date_precision"]
    if (document.get("parts") or {}).get("relation") == "occurrence" and document["starts_on"] is not None:
        # From its first date to its last one, and not all the time between them.
        return said("dates", language, n=document["parts"]["count"], span=_days(document, language))
    if precision == "time":
        return _from_to(document, language)
    if document["starts_on"] is None or precision == "unknown":
        return said("unknown_date", language)
    first, last = _first_and_last(document)
    if precision == "year":
        return str(first.year) if first.year == last.year else f"{first.year}–{last.year}"
    if precision in {"month", "semester"}:
        begins, ends = _month(first, language), _month(last, language)
        return begins if begins == ends else f"{begins} – {ends}"
    return _days(document, language)


def _first_and_last(document: Mapping[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(document["starts_on"]), date.fromisoformat(document["ends_on"] or document["starts_on"])


def _days(document: Mapping[str, Any], language: str) -> str:
    first, last = _first_and_last(document)
    return _day(first, language) if first == last else f"{_day(first, language)} – {_day(last, language)}"


def moment(at: str, zone: str, language: str) -> str:
    """An instant on the clock of a zone, with the zone's short name."""
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    return f"{_day(local.date(), language)}, {local:%H:%M %Z}"


def _from_to(document: Mapping[str, Any], language: str) -> str:
    zone = ZoneInfo(document["time_zone"])
    start = datetime.fromisoformat(document["starts_at"]).astimezone(zone)
    end = datetime.fromisoformat(document["ends_at"] or document["starts_at"]).astimezone(zone)
    if (start.date(), start.tzname()) != (end.date(), end.tzname()):
        return (
            f"{moment(document['starts_at'], zone.key, language)} – {moment(document['ends_at'], zone.key, language)}"
        )
    clock = f"{start:%H:%M}" if start == end else f"{start:%H:%M}–{end:%H:%M}"
    return f"{_day(start.date(), language)}, {clock} {start.tzname()}"


def _day(day: date, language: str) -> str:
    of = " de " if language == "es" else " "
    return f"{_DAYS[language][day.weekday()]} {day.day}{of}{_MONTHS[language][day.month - 1]}{of}{day.year}"


def _month(day: date, language: str) -> str:
    of = " de " if language == "es" else " "
    return f"{_MONTHS[language][day.month - 1]}{of}{day.year}"
