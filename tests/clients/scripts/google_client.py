"""google-api-python-client against the service at the given URL; prints what it gets."""

import json
import sys

from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

URL = sys.argv[1]
RUDE = "You are a stupid idiot."


def request(text: str, *names: str, **more: object) -> dict[str, object]:
    return {"comment": {"text": text}, "requestedAttributes": {name: {} for name in names}} | more


def told(error: HttpError) -> dict[str, object]:
    return {"text": str(error), "status": error.status_code, "details": error.error_details}


api = build(
    "commentanalyzer",
    "v1alpha1",
    developerKey="any-key",
    discoveryServiceUrl=f"{URL}/$discovery/rest?version=v1alpha1",
    static_discovery=False,
    cache_discovery=False,
)
comments = api.comments()
found = {"uri": comments.analyze(body={}).uri}
body = request(RUDE, "TOXICITY", "INSULT@6", clientToken="c1", doNotStore=True)
found["analyze"] = comments.analyze(body=body).execute()
found["partial"] = comments.analyze(body=body, fields="attributeScores/TOXICITY/summaryScore/type").execute()
suggestion = {
    "comment": {"text": RUDE},
    "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
    "clientToken": "google-1",
}
found["suggestscore"] = comments.suggestscore(body=suggestion).execute()

found["errors"] = {}
for name, wrong in {
    "empty": request("", "TOXICITY"),
    "unknown": request(RUDE, "SPAM"),
    "language": request(RUDE, "TOXICITY", languages=["om"]),
}.items():
    try:
        comments.analyze(body=wrong).execute()
    except HttpError as error:
        found["errors"][name] = told(error)

found["batch"] = []


def gather(request_id: str, response: object, exception: HttpError | None) -> None:
    answer = told(exception) if exception is not None else response
    found["batch"].append([request_id, answer])


def batch_of(size: int) -> BatchHttpRequest:
    batch = api.new_batch_http_request(callback=gather)
    for place in range(size):
        texts = {0: "", 1: RUDE}
        text = texts.get(place % 10, "Thank you for this careful report.")
        batch.add(
            comments.analyze(body=request(text, "TOXICITY", clientToken=str(place))), request_id=str(place)
        )
    return batch


batch_of(100).execute()
try:
    batch_of(101).execute()
except HttpError as error:
    found["errors"]["batch"] = told(error)
json.dump(found, sys.stdout)
