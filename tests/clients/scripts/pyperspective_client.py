"""PyPerspective, which knows the API's own host only; prints what it gets."""

import json
import sys

from PyPerspective import Perspective

SIX = ["TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT"]
client = Perspective.Perspective("any-key")  # tries the key with a POST that has neither body nor type
comment = client.get_score("You are a stupid idiot.", tests=SIX)
civil = client.get_score("Thank you for this careful report.", tests="TOXICITY")
spanned = client.get_score("Thank you. You are a stupid idiot.", tests={"TOXICITY": {"scoreThreshold": 0}})
found = {
    "scores": {name: comment[name].score for name in SIX},
    "types": sorted({attribute.score_type for attribute in comment.attributes}),
    "spans": {name: [str(span) for span in comment[name].spans] for name in SIX},
    "requested": comment.requests_langs,
    "detected": comment.detected_langs,
    "civil": civil["toxicity"].score,
    "span": [str(span) for span in spanned["TOXICITY"].spans],
    "errors": [],
}
for text, options in (
    ("Nu.", {"langs": ["ru"]}),
    ("You are a stupid idiot.", {"tests": "FLIRTATION"}),
    ("", {}),
):
    try:
        client.get_score(text, **options)
    except TypeError as error:  # it means ApiException, to which it gives an argument that this does not take
        found["errors"].append(str(error))

# As docs/migrating-from-perspective.md says.
Perspective.base_url = f"{sys.argv[1]}/v1alpha1/comments:analyze"
found["direct"] = Perspective.Perspective("any-key").get_score("You are a stupid idiot.")["TOXICITY"].score
json.dump(found, sys.stdout)
