"""The contrary of a claim, by rules: towards it a comment's sides swap.

The rules put in "not" or take it out. They need not be elegant, but must be right.
"""

import re

__all__ = ["contrary"]

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


def contrary(claim: str) -> str | None:
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
