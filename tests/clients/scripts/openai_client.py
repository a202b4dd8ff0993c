"""openai against the service at the given URL; prints what it gets."""

import json
import sys

from openai import BadRequestError, OpenAI

client = OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="any-key", max_retries=0)
RUDE, CIVIL = "You are a stupid idiot.", "Thank you for this careful report."
found = {
    "one": client.moderations.create(input=RUDE).model_dump(by_alias=True),
    "many": client.moderations.create(input=[CIVIL, RUDE], model="omni-moderation-latest").model_dump(
        by_alias=True
    ),
    "parts": client.moderations.create(input=[{"type": "text", "text": RUDE}]).model_dump(by_alias=True),
}
try:
    client.moderations.create(input=[CIVIL, "x" * 20_481])
except BadRequestError as error:
    found["error"] = {"code": error.code, "param": error.param, "message": str(error), "body": error.body}
json.dump(found, sys.stdout)
