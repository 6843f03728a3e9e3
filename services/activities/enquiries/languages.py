"""The words of the form for organisations, in English, Italian and Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.activities.enquiries.rules import KEPT_AFTER_SENDING
from services.activities.partners.rules import KINDS
from services.kernel.languages import best


@dataclass(frozen=True, slots=True)
class Language:
    """Everything the form says in one language; `{to}` is the section, or ESN."""

    tag: str
    title: str
    introduction: str
    labels: Mapping[str, str]
    optional: str
    kinds: Mapping[str, str]
    choose: str
    consent: str
    send: str
    faults_title: str
    fill_in: str
    check: str
    check_email: str
    agree: str
    thanks_title: str
    thanks: str
    no_mailbox: str
    too_many: str
    not_understood: str

    def __post_init__(self) -> None:
        if set(self.kinds) != set(KINDS) or set(self.labels) != set(FIELDS):
            raise ValueError(f"{self.tag} lacks a word")


FIELDS: Final = ("organisation", "kind", "city", "country", "message", "name", "email")
_DAYS: Final = KEPT_AFTER_SENDING.days

_ENGLISH = Language(
    tag="en",
    title="Become a partner of {to}",
    introduction="You have a place, things to do, knowledge or time to share? Tell us, and we will write to you.",
    labels={
        "organisation": "Your organisation",
        "kind": "What it is",
        "city": "City",
        "country": "Country",
        "message": "What we could do together",
        "name": "Your name",
        "email": "E-mail address for our answer",
    },
    optional="(optional)",
    kinds=KINDS,
    choose="Please choose",
    consent=f"I agree that {{to}} gets this by mail, and that it is kept here for {_DAYS} days after that.",
    send="Send",
    faults_title="Something is missing",
    fill_in="Please fill this in.",
    check="Please check this.",
    check_email="Please give an address that can receive mail, as name@example.org.",
    agree="Without your consent we can’t send it.",
    thanks_title="Thank you",
    thanks="Your words are on their way to {to}, who will answer by mail. We send no mail to confirm it.",
    no_mailbox="Nobody has said yet where enquiries go. Please write to the section itself; its website says how.",
    too_many="There were too many enquiries today. Please try again tomorrow.",
    not_understood="We could not read what was sent. Please try again.",
)

_ITALIAN = Language(
    tag="it",
    title="Diventa partner di {to}",
    introduction="Hai uno spazio, attività, competenze o tempo da condividere? Raccontacelo e ti scriveremo.",
    labels={
        "organisation": "La tua organizzazione",
        "kind": "Che cos’è",
        "city": "Città",
        "country": "Paese",
        "message": "Che cosa potremmo fare insieme",
        "name": "Il tuo nome",
        "email": "Indirizzo e-mail per la risposta",
    },
    optional="(facoltativo)",
    kinds={
        "charity": "Ente benefico",
        "association": "Associazione",
        "school": "Scuola",
        "university": "Università",
        "institution": "Ente pubblico",
        "company": "Azienda",
        "other": "Altro",
    },
    choose="Scegli",
    consent=f"Acconsento a che {{to}} riceva tutto questo per e-mail e che resti qui per {_DAYS} giorni dopo l’invio.",
    send="Invia",
    faults_title="Manca qualcosa",
    fill_in="Compila questo campo.",
    check="Controlla questo campo.",
    check_email="Indica un indirizzo che può ricevere posta, come nome@example.org.",
    agree="Senza il tuo consenso non possiamo inviarlo.",
    thanks_title="Grazie",
    thanks="Il tuo messaggio è in viaggio verso {to}, che risponderà per e-mail. Non inviamo e-mail di conferma.",
    no_mailbox="Non è ancora indicato a chi inviare le richieste. Scrivi alla sezione: il suo sito dice come.",
    too_many="Oggi ci sono state troppe richieste. Riprova domani.",
    not_understood="Non siamo riusciti a leggere quanto inviato. Riprova.",
)

_SPANISH = Language(
    tag="es",
    title="Colabora con {to}",
    introduction="¿Tienes un espacio, actividades, conocimientos o tiempo que compartir? Cuéntalo y te escribiremos.",
    labels={
        "organisation": "Tu organización",
        "kind": "Qué es",
        "city": "Ciudad",
        "country": "País",
        "message": "Qué podríamos hacer juntos",
        "name": "Tu nombre",
        "email": "Correo electrónico para la respuesta",
    },
    optional="(opcional)",
    kinds={
        "charity": "Entidad benéfica",
        "association": "Asociación",
        "school": "Escuela",
        "university": "Universidad",
        "institution": "Institución pública",
        "company": "Empresa",
        "other": "Otra",
    },
    choose="Elige",
    consent=f"Acepto que {{to}} reciba todo esto por correo y que se guarde aquí {_DAYS} días después del envío.",
    send="Enviar",
    faults_title="Falta algo",
    fill_in="Rellena este campo.",
    check="Revisa este campo.",
    check_email="Indica una dirección que pueda recibir correo, como nombre@example.org.",
    agree="Sin tu consentimiento no podemos enviarlo.",
    thanks_title="Gracias",
    thanks="Tu mensaje va de camino a {to}, que responderá por correo. No enviamos correos de confirmación.",
    no_mailbox="Aún no se sabe a quién enviar las consultas. Escribe a la sección: su web dice cómo.",
    too_many="Hoy ha habido demasiadas consultas. Vuelve a intentarlo mañana.",
    not_understood="No hemos podido leer lo enviado. Vuelve a intentarlo.",
)

LANGUAGES: Final = MappingProxyType({language.tag: language for language in (_ENGLISH, _ITALIAN, _SPANISH)})


def choose(wanted: str | None, accept_language: str) -> Language:
    """The language that was asked for, else the visitor's best, else English."""
    return LANGUAGES[best(LANGUAGES, asked=wanted, accept=accept_language, otherwise=_ENGLISH.tag)]
