"""The contrary of a claim, by rules: what a comment for the claim is against.

A comment is learnt towards a premise and towards its contrary, so that the premise decides the side and
not the comment's mood. The rules put in or take out "not", swap one word for its antonym, or deny the
whole claim; they need not be elegant, but must be right.
"""

import random
import re

__all__ = ["opposite", "toggled"]

_AUXILIARIES = (
    r"(?:should|must|can|could|will|would|may|might|is|are|was|were|has|have|had|does|do|did|ought)"
)
_NEGATED = re.compile(rf"\b({_AUXILIARIES}) (?:not|never)\b(?! only)", re.IGNORECASE)
_CONTRACTED = re.compile(
    r"\b(ca|wo|is|are|was|were|do|does|did|has|have|had|should|would|could|must)n['’]t\b", re.IGNORECASE
)
_CANNOT = re.compile(r"\bcannot\b", re.IGNORECASE)
_IRREGULAR = {"ca": "can", "wo": "will"}
_NOBODY = re.compile(r"\b(nobody|nothing|none|neither|nowhere|no one|no|hardly|few)\b", re.IGNORECASE)
_CONDITION = re.compile(r"(?:if|when|unless|because|although|while|as long as)\b[^,]*,", re.IGNORECASE)
_NOT_OF_A_CLAUSE = r"(?<!who )(?<!that )(?<!which )\b"
_OPENINGS = tuple(
    re.compile(rf"{_NOT_OF_A_CLAUSE}({verbs})\b(?! not)", re.IGNORECASE)
    for verbs in ("should|must|will|would|can|could|may|might|ought", "is|are|was|were")
)
_PERFECT = re.compile(r"\b(has|have|had)\b(?! not)(?= (?:been|become|gone|made|done|\w+ed)\b)", re.IGNORECASE)
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
    found = antonym or (toggled(claim) if way < 1 - _DENIAL_SHARE else None)
    if found is not None:
        return found
    if words < _FEWEST_WORDS_DENIED:
        return toggled(claim)
    return chance.choice(_DENIALS).format(_lowered(claim))


def toggled(claim: str) -> str | None:
    """Return `claim` with "not" put in, or taken out where it has one; None where it has no place.

    A question has none, nor has a claim about nobody or nothing.
    """
    if claim.rstrip().endswith("?") or _NOBODY.search(claim):
        return None
    if _NEGATED.search(claim):
        return _NEGATED.sub(r"\1", claim, count=1)
    if found := _CONTRACTED.search(claim):
        verb = _IRREGULAR.get(found[1].lower(), found[1])
        return claim[: found.start()] + verb + claim[found.end() :]
    if _CANNOT.search(claim):
        return _CANNOT.sub("can", claim, count=1)
    if claim.startswith("This house "):
        return _other_house(claim)
    begin = found.end() if (found := _CONDITION.match(claim)) else 0
    places = [found for opening in _OPENINGS if (found := opening.search(claim, begin))]
    first = min(places, key=lambda found: found.start()) if places else _PERFECT.search(claim, begin)
    return None if first is None else f"{claim[: first.end()]} not{claim[first.end() :]}"


def _other_house(motion: str) -> str | None:
    for verb, other in (("supports", "opposes"), ("would", "would not"), ("believes", "does not believe")):
        if motion.startswith(f"This house {verb} "):
            return motion.replace(f" {verb} ", f" {other} ", 1)
    return None


def _antonym(claim: str) -> str | None:
    if _NO.search(claim):
        return None
    for pairs in (_ACTS if _DEMAND.search(claim) else (), _QUALITIES):
        for one, other in pairs:
            for word, contrary in ((one, other), (other, one)):
                if found := re.search(rf"\b{word}\b", claim):
                    return claim[: found.start()] + contrary + claim[found.end() :]
    return None


def _lowered(claim: str) -> str:
    """A claim as it stands in the middle of a sentence; names keep their capitals."""
    named = re.match(r"(?:[A-Z]{2,}|I\b|[A-Z]\w+ [A-Z])", claim)
    return claim if named else claim[0].lower() + claim[1:]
