"""The contrary of a claim, by rules: what a comment for the claim is against.

A comment is learnt towards a premise and towards its contrary, so that the premise decides the side and
not the comment's mood. The rules put in or take out "not", swap one word for its antonym, or deny the
whole claim; they need not be elegant, but must be right.
"""

import random
import re

from training.contraries import contrary

__all__ = ["opposite"]

_NO = re.compile(r"\bnot\b")
_DEMAND = re.compile(r"\b(should|must|would)\b")
_ACTS = (
    ("ban", "allow"),
    ("abolish", "keep"),
    ("prohibit", "permit"),
    ("legalize", "outlaw"),
    ("legalise", "outlaw"),
    ("abandon", "keep"),
    ("end", "continue"),
    ("subsidize", "stop subsidizing"),
    ("adopt", "reject"),
    ("limit", "expand"),
    ("introduce", "rule out"),
    ("support", "oppose"),
    ("increase", "reduce"),
    ("raise", "lower"),
    ("encourage", "discourage"),
    ("protect", "give up"),
    ("close", "keep open"),
    ("require", "drop the requirement of"),
    ("fight", "welcome"),
    ("promote", "discourage"),
    ("stop", "go on with"),
    ("criminalize", "decriminalize"),
    ("strengthen", "weaken"),
    ("enforce", "waive"),
)
_QUALITIES = (
    ("more good than harm", "more harm than good"),
    ("good", "bad"),
    ("harmful", "beneficial"),
    ("right", "wrong"),
    ("justified", "unjustified"),
    ("better", "worse"),
    ("helpful", "harmful"),
    ("fair", "unfair"),
    ("legal", "illegal"),
    ("safe", "dangerous"),
    ("necessary", "unnecessary"),
    ("moral", "immoral"),
    ("possible", "impossible"),
    ("effective", "useless"),
    ("benefit", "harm"),
    ("helps", "hurts"),
    ("improves", "worsens"),
    ("too much", "too little"),
)
_DENIALS = (
    "It is not true that {}",
    "It is wrong to say that {}",
    "There is no case for the claim that {}",
    "The claim that {} is mistaken",
    "Nobody should believe that {}",
    "It is a myth that {}",
)
_ANTONYM_SHARE = 0.3
_DENIAL_SHARE = 0.15
_FEWEST_WORDS = 3
_FEWEST_WORDS_DENIED = 4


def opposite(claim: str, chance: random.Random) -> str | None:
    """Return a contrary of `claim`, one of several at random; None where the rules know none."""
    claim = claim.strip().rstrip(".")
    words = len(claim.split())
    if words < _FEWEST_WORDS:
        return None
    way = chance.random()
    antonym = _antonym(claim) if way < _ANTONYM_SHARE else None
    found = antonym or (contrary(claim) if way < 1 - _DENIAL_SHARE else None)
    if found is not None:
        return found
    if words < _FEWEST_WORDS_DENIED:
        return contrary(claim)
    return chance.choice(_DENIALS).format(_lowered(claim))


def _antonym(claim: str) -> str | None:
    if _NO.search(claim):
        return None
    for pairs in (_ACTS if _DEMAND.search(claim) else (), _QUALITIES):
        for one, other in pairs:
            for word, antonym in ((one, other), (other, one)):
                if found := re.search(rf"\b{word}\b", claim):
                    return claim[: found.start()] + antonym + claim[found.end() :]
    return None


def _lowered(claim: str) -> str:
    """A claim as it stands in the middle of a sentence; names keep their capitals."""
    named = re.match(r"(?:[A-Z]{2,}|I\b|[A-Z]\w+ [A-Z])", claim)
    return claim if named else claim[0].lower() + claim[1:]
