"""A tiny bundle, trained in seconds on sentences written here: real models for tests of the rest."""

from itertools import product
from pathlib import Path

import numpy as np

from models import ATTRIBUTES, CivilityModel, StanceModel, save_bundle
from models.features import HashedNgrams
from models.linear import LinearCivility

CIVIL = (
    "Thank you for this careful report.",
    "I see this differently, but it is well argued.",
    "Where can I read the full study?",
    "The bus came late again this morning.",
    "My neighbours welcome the new park.",
    "That claim needs better evidence.",
)
UNCIVIL = {
    "INSULT": ("You are a stupid idiot.", "What a moron, a complete fool."),
    "PROFANITY": ("This is bloody crap.", "Damn this shit."),
    "THREAT": ("I will hurt you.", "You will be killed, we will find you."),
    "IDENTITY_ATTACK": ("Those foreigners are vermin.", "Such immigrants are animals."),
}
PREMISES = ("The city should close the square to cars.", "School phones ought to be banned.")
PORTUGUESE = {
    0.0: ("Obrigado pela boa reportagem.", "O ônibus atrasou de novo hoje.", "Onde está o estudo completo?"),
    1.0: ("Você é um idiota completo.", "Que imbecil, um idiota total.", "Cala a boca, seu burro."),
}
REPLIES = {
    "agree": ("I agree with the author.", "Well said, exactly right.", "Yes, this is a good idea."),
    "disagree": ("I disagree with the author.", "Nonsense, this is simply wrong.", "No, a terrible idea."),
    "neutral": ("When does the council vote?", "It depends, perhaps both.", "I walked there on Monday."),
}


def fit_civility(seed: int = 0) -> CivilityModel:
    """Fit on a few hundred variations of the sentences above."""
    random = np.random.RandomState(seed)
    texts, labels = [], []
    for tail, sentence in product(CIVIL, CIVIL):
        texts.append(f"{sentence} {tail}")
        labels.append([0.0] * len(ATTRIBUTES))
    for attribute, sentences in UNCIVIL.items():
        for sentence, tail in product(sentences, CIVIL):
            texts.append(f"{tail} {sentence}")
            labels.append([float(name in {"TOXICITY", attribute}) for name in ATTRIBUTES])
    for sentence in UNCIVIL["THREAT"]:
        texts.append(f"{sentence} {UNCIVIL['INSULT'][0]}")
        labels.append([1.0] * len(ATTRIBUTES))
    order = random.permutation(len(texts))
    model = CivilityModel(LinearCivility(ATTRIBUTES, features=HashedNgrams(n_bits=12), C=20.0))
    model.fit([texts[i] for i in order], np.array(labels)[order])
    model.others_["pt"] = fit_portuguese()
    return model


def fit_portuguese() -> LinearCivility:
    """Fit TOXICITY alone on a few sentences."""
    rows = [(f"{one} {two}", label) for label, said in PORTUGUESE.items() for one, two in product(said, said)]
    model = LinearCivility(features=HashedNgrams(n_bits=10), C=20.0)
    return model.fit([text for text, _ in rows], np.array([[label] for _, label in rows]))


def fit_stance(seed: int = 0) -> StanceModel:
    """Fit without a pair encoder on every premise with every reply."""
    pairs, labels = [], []
    for premise, (label, replies) in product(PREMISES, REPLIES.items()):
        for reply, tail in product(replies, CIVIL[2:]):
            pairs += [(premise, f"{reply} {premise.split()[-1]} {tail}"), (premise, reply)]
            labels += [label, label]
    for premise, tail in product(PREMISES, CIVIL):
        pairs.append((premise, f"{tail} {CIVIL[3]}"))
        labels.append("unrelated")
    model = StanceModel(C=10.0, features=HashedNgrams(n_bits=10, char_ngrams=(0, 0))).fit(pairs, labels)
    _fit_threads(model)
    return model


def _fit_threads(model: StanceModel) -> None:
    """Teach that a reply's own words are towards its parent: who disagrees with a disagreeing one agrees."""
    opposite = {"agree": "disagree", "disagree": "agree"}
    said = [(label, text) for label, texts in REPLIES.items() for text in texts]
    pairs = [((parent, reply), label) for _, parent in said for label, reply in said]
    pairs += [((parent, f"{tail} {CIVIL[3]}"), "unrelated") for _, parent in said for tail in CIVIL]
    model.fit_replies(*zip(*pairs, strict=True))
    triples = [
        (
            (premise, parent, reply),
            "neutral" if "neutral" in (side, label) else side if label == "agree" else opposite[side],
        )
        for premise in PREMISES
        for side, parent in said
        for label, reply in said
    ]
    model.fit_chain(*zip(*triples, strict=True))


def make_bundle(folder: Path, version: str, seed: int = 0) -> Path:
    """Save a tiny bundle; bundles of different seeds score differently."""
    civility, stance = fit_civility(seed), fit_stance(seed)
    civility.fast_.intercept_ = civility.fast_.intercept_ + 0.5 * seed
    save_bundle(folder / version, civility, stance, version=version, languages=["en", "pt"])
    return folder / version
