"""What the form of an activity asks: each field with its label, what was filled in, and what is wrong with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from services.contracts import ParticipantClass
from services.kernel.country_codes import ASSIGNED
from services.registration.mail import catalogues
from services.registration.mail.languages import Language
from services.registration.people import agreements
from services.registration.people.rules import OF_AGE, PARTICIPATION
from services.registration.places.questions import Kind
from services.registration.places.rules import Mobility
from services.registration.places.tables import Places, Section

LONGEST_NAME: Final = 200
LONGEST_ANSWER: Final = 1000
_LONGEST_ADDRESS: Final = 254
_LONGEST_CARD: Final = 40
_CONTROLS: Final = {Kind.TEXT: "textarea", Kind.CHOICE: "select", Kind.NUMBER: "number", Kind.DATE: "date"}


@dataclass(frozen=True, slots=True)
class Option:
    """One of the choices of a field."""

    code: str
    text: str
    lang: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `lang` is that of its label where it is another than the page's, `tick` what a ticked box sends.

    `short` names it where it does not stand among its own: in the list of what is wrong.
    """

    name: str
    label: str
    control: str
    required: bool = True
    lang: str | None = None
    options: Sequence[Option] = ()
    completes: str | None = None
    longest: int | None = None
    hint: str | None = None
    tick: str = "yes"
    short: str | None = None
    value: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody sent, and what is wrong with it: by the name of its field, the name of a text."""

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """Every field, as they stand together on the page."""

    person: Sequence[Field]
    answers: Sequence[Field]
    guests: Sequence[Sequence[Field]]
    waiting: Sequence[Field]
    consents: Sequence[Field]
    guests_fault: str | None
    countries: Sequence[Option]

    @property
    def faulty(self) -> list[Field]:
        """The fields that something is wrong with, in the page's order."""
        guests = [each for guest in self.guests for each in guest]
        every = [*self.person, *self.answers, *guests, *self.waiting, *self.consents]
        return [each for each in every if each.fault]

    @property
    def brings_guests(self) -> bool:
        """Whether the guests' fields have to be in sight."""
        return any(each.value or each.fault for guest in self.guests for each in guest) or bool(self.guests_fault)


def asked(
    places: Places, language: Language, filled: Filled, *, waits: bool, hosts: Sequence[Section], card: bool
) -> Asked:
    """The fields of an activity's form; `waits` asks whether to wait for a place, `card` for an ESNcard."""
    made = _Maker(language, filled)
    text = language.text
    classes = [Option(each.value, text(f"form.{each}")) for each in ParticipantClass]
    person = [
        made("given_name", text("form.given_name"), "text", completes="given-name", longest=LONGEST_NAME),
        made("family_name", text("form.family_name"), "text", completes="family-name", longest=LONGEST_NAME),
        made("email", text("form.email"), "email", completes="email", longest=_LONGEST_ADDRESS,
             hint=text("form.email.hint")),
        made("participant_class", text("form.participant_class"), "select", options=classes),
        *made.more(places, hosts),
    ]  # fmt: skip
    if card:
        label, hint = text("form.esncard_number"), text("form.esncard_number.hint")
        person.append(made("esncard_number", label, "text", longest=_LONGEST_CARD, hint=hint, required=False))
    guests = [made.guest(number, classes) for number in range(1, places.guests_at_most + 1)]
    fault = filled.faults.get("guests")
    return Asked(
        person=person,
        answers=[made.question(question, places.language) for question in places.questions],
        guests=guests,
        waiting=[made("waiting_list", text("form.waiting_list"), "tick")] if waits else [],
        consents=[made.consent(purpose, places.youngest) for purpose in (PARTICIPATION, OF_AGE)],
        guests_fault=text(fault) if fault else None,
        countries=countries(language.tag),
    )


def changeable(
    places: Places, language: Language, filled: Filled, *, hosts: Sequence[Section], guests: int
) -> tuple[list[Field], list[Field], list[list[Field]]]:
    """What somebody may still change of a registration: about themselves, their answers, and whom they bring."""
    made = _Maker(language, filled)
    text = language.text
    tongues = [Option(tag, catalogues.catalogue(tag).locale.get_display_name(tag) or tag) for tag in catalogues.tags()]
    person = [
        made("given_name", text("form.given_name"), "text", completes="given-name", longest=LONGEST_NAME),
        made("family_name", text("form.family_name"), "text", completes="family-name", longest=LONGEST_NAME),
        *made.more(places, hosts),
        made("language", text("answers.language"), "select", options=tongues),
    ]
    answers = [made.question(question, places.language) for question in places.questions]
    return person, answers, [made.names(number, required=True) for number in range(1, guests + 1)]


class _Maker:
    """Makes fields in a language, with what was filled in."""

    def __init__(self, language: Language, filled: Filled) -> None:
        self._language = language
        self._filled = filled

    def __call__(self, name: str, label: str, control: str, **more: Any) -> Field:
        fault = self._filled.faults.get(name)
        said = self._language.text(fault) if fault else None
        return Field(name, label, control, value=self._filled.values.get(name, ""), fault=said, **more)

    def more(self, places: Places, hosts: Sequence[Section]) -> list[Field]:
        """Where somebody is from, who hosts them, and what they are here for: nobody has to say it."""
        text = self._language.text
        tag = self._language.tag
        home = self(
            "home_country", text("form.home_country"), "select", options=countries(tag), completes="country",
            required=False,
        )  # fmt: skip
        kinds = [Option(each.value, text(f"form.{each}")) for each in Mobility]
        hint = text("form.mobility.hint")
        mobility = self("mobility", text("form.mobility"), "select", options=kinds, hint=hint, required=False)
        options = sections(hosts, tag, first=places.country)
        host = self("host_section", text("form.host_section"), "select", options=options, required=False)
        return [home, mobility, *([host] if hosts else [])]

    def question(self, asks: Mapping[str, Any], own: str) -> Field:
        """What organisers ask."""
        lang, label = self._worded(asks["text"], own)
        worded = [(each["code"], self._worded(each["text"], own)) for each in asks["options"]]
        options = [Option(code, text, other) for code, (other, text) in worded]
        return self(
            f"answer.{asks['code']}",
            label,
            _CONTROLS.get(Kind(asks["kind"]), "tick"),
            required=asks["required"],
            lang=lang,
            options=options,
            longest=LONGEST_ANSWER if asks["kind"] == Kind.TEXT else None,
        )

    def guest(self, number: int, classes: Sequence[Option]) -> list[Field]:
        """Who comes along: no field is required, since nobody has to."""
        who = self._who(number)
        fields = self.names(number, required=False)
        label = self._language.text("form.guest_class")
        kind = f"guest.{number}.participant_class"
        classed = self(kind, label, "select", options=classes, required=False, short=f"{who}: {label}")
        home, label = f"guest.{number}.home_country", self._language.text("form.home_country")
        # One list for all guests: 250 choices for each would be a long page.
        country = self(home, label, "country", longest=LONGEST_NAME, required=False, short=f"{who}: {label}")
        return [*fields, classed, country]

    def names(self, number: int, *, required: bool) -> list[Field]:
        """What somebody who comes along is called."""
        return [
            self(
                f"guest.{number}.{name}", label, "text", longest=LONGEST_NAME, required=required,
                short=f"{self._who(number)}: {label}",
            )
            for name in ("given_name", "family_name")
            for label in [self._language.text(f"form.{name}")]
        ]  # fmt: skip

    def _who(self, number: int) -> str:
        return self._language.text("form.guest").format(number=number)

    def consent(self, purpose: str, age: int) -> Field:
        """A text to agree to, whose box sends the version that was read; that of the age is told which age."""
        version = current(purpose)
        text = agreements.agreement(purpose, version, self._language.tag)
        lang = None if text.language == self._language.tag else text.language
        short = self._language.text(f"form.consent.{purpose}")
        hint = self._language.counted("form.of_age", age).format(age=age) if purpose == OF_AGE else None
        return self(f"consent.{purpose}", text.text, "tick", lang=lang, tick=version, short=short, hint=hint)

    def _worded(self, texts: Mapping[str, str], own: str) -> tuple[str | None, str]:
        """What organisers wrote: in the page's language, else in English, in the activity's or any."""
        page = self._language.tag
        in_page = next((tag for tag in texts if tag.partition("-")[0] == page), page)
        tag = next((tag for tag in (page, in_page, "en", own) if tag in texts), next(iter(texts)))
        return (None if tag == page else tag), texts[tag]


def current(purpose: str) -> str:
    """The version of a text to ask with."""
    return list(agreements.known()[purpose])[-1]


@cache
def countries(tag: str) -> Sequence[Option]:
    """Every country in a language, in the order of its name there."""
    names = catalogues.catalogue(tag).locale.territories
    found = [Option(code, str(names.get(code, code))) for code in ASSIGNED]
    return sorted(found, key=lambda each: _plain(each.text))


def country_code(written: str, tag: str) -> str:
    """The code of a country from how somebody writes it: its name in their language, or the code; else as it is."""
    names = {_plain(each.text): each.code for each in countries(tag)}
    return names.get(_plain(written), written.upper() if len(written) == len("XX") else written)


def sections(known: Sequence[Section], tag: str, *, first: str | None) -> list[Option]:
    """The sections, by country in the order of its name, those of the activity's own before."""
    names = {each.code: each.text for each in countries(tag)}
    found = [
        Option(each.code, each.title or each.code, group=names.get(country, country))
        for each in known
        for country in [each.country or each.code.partition("-")[0]]
    ]
    own = names.get(first or "", "")
    return sorted(found, key=lambda each: (each.group != own, _plain(each.group or ""), _plain(each.text)))


def _plain(name: str) -> str:
    """A name without its accents, so that Österreich is not behind Zypern."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("ł", "l"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
