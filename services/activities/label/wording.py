"""The label's checklist in the words that coordinators read, in English, Italian and Spanish."""

from __future__ import annotations

from typing import Final

Wording = dict[str, str]

INTRODUCTION: Final[Wording] = {
    "en": "An activity is SocialErasmus when it raises awareness, collects goods or money, or takes action for one of "
    "the causes, with a positive impact on the local community or society.",
    "it": "Un'attività è SocialErasmus quando sensibilizza, raccoglie beni o denaro oppure agisce concretamente per "
    "una delle cause, con un effetto positivo sulla comunità locale o sulla società.",
    "es": "Una actividad es SocialErasmus cuando sensibiliza, recoge bienes o dinero o pasa a la acción por una de las "
    "causas, con un efecto positivo en la comunidad local o en la sociedad.",
}

QUESTIONS: Final[dict[str, Wording]] = {
    "action_modes": {
        "en": "How does it help? Choose all that apply.",
        "it": "In che modo aiuta? Scegli tutte le risposte adatte.",
        "es": "¿De qué manera ayuda? Elige todas las que correspondan.",
    },
    "for_a_cause": {
        "en": "Is it done for one of the causes, and not only to have a good time?",
        "it": "Si fa per una delle cause, e non solo per divertirsi?",
        "es": "¿Se hace por una de las causas y no solo para pasarlo bien?",
    },
    "community_impact": {
        "en": "What does it change for the local community? One sentence.",
        "it": "Che cosa cambia per la comunità locale? Una frase.",
        "es": "¿Qué cambia para la comunidad local? Una frase.",
    },
    "student_part": {
        "en": "What do the students do themselves? One sentence.",
        "it": "Che cosa fanno gli studenti in prima persona? Una frase.",
        "es": "¿Qué hacen los propios estudiantes? Una frase.",
    },
}

CHOICES: Final[dict[str, Wording]] = {
    "awareness": {"en": "It raises awareness", "it": "Sensibilizza", "es": "Sensibiliza"},
    "collection": {
        "en": "It collects goods or money",
        "it": "Raccoglie beni o denaro",
        "es": "Recoge bienes o dinero",
    },
    "action": {
        "en": "It takes action on the spot",
        "it": "Agisce sul campo",
        "es": "Pasa a la acción sobre el terreno",
    },
}
