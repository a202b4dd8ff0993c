"""The discovery document: the two methods and their schemas, as Google's client generators read them.

The shapes are those of the API's own document (revision 20190414, with the later
dropUnsupportedAttributes); the descriptions are ours.
"""

from typing import Any

__all__ = ["REVISION", "discovery_document"]

REVISION = "20190414"

_TEXT_TYPES = ["TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML"]
_SCORE_TYPES = ["SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW"]
_SCOPE = "https://www.googleapis.com/auth/userinfo.email"
_Schema = dict[str, Any]


def discovery_document(root_url: str) -> dict[str, Any]:
    """Return the document of a service whose root is `root_url`, a slash at its end."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer",
        "canonicalName": "Comment Analyzer",
        "version": "v1alpha1",
        "version_module": True,
        "revision": REVISION,
        "title": "Perspective Comment Analyzer API",
        "description": "Scores comments as the Perspective API does; answered by Counterpoint.",
        "ownerDomain": "google.com",
        "ownerName": "Google",
        "protocol": "rest",
        "rootUrl": root_url,
        "baseUrl": root_url,
        "servicePath": "",
        "basePath": "",
        "batchPath": "batch",
        "auth": {"oauth2": {"scopes": {_SCOPE: {"description": "Accepted, never needed."}}}},
        "parameters": _PARAMETERS,
        "schemas": {name: {"id": name, **schema} for name, schema in _SCHEMAS.items()},
        "resources": {
            "comments": {
                "methods": {
                    "analyze": _method("analyze", "Scores a comment.", "AnalyzeComment"),
                    "suggestscore": _method(
                        "suggestscore", "Takes the scores that a comment should have.", "SuggestCommentScore"
                    ),
                }
            }
        },
    }


def _method(name: str, description: str, message: str) -> dict[str, Any]:
    path = f"v1alpha1/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}",
        "description": description,
        "httpMethod": "POST",
        "path": path,
        "flatPath": path,
        "parameterOrder": [],
        "parameters": {},
        "request": {"$ref": f"{message}Request"},
        "response": {"$ref": f"{message}Response"},
        "scopes": [_SCOPE],
    }


def _parameter(description: str, type_name: str = "string", **more: object) -> dict[str, Any]:
    return {"description": description, "location": "query", "type": type_name, **more}


def _choice(*values: str) -> dict[str, Any]:
    return {"enum": list(values), "enumDescriptions": list(values)}


def _message(description: str, **properties: _Schema) -> _Schema:
    return {"type": "object", "description": description, "properties": properties}


def _text(description: str) -> _Schema:
    return {"type": "string", "description": description}


def _flag(description: str) -> _Schema:
    return {"type": "boolean", "description": description}


def _of(name: str, description: str = "") -> _Schema:
    return {"$ref": name, "description": description} if description else {"$ref": name}


def _many(items: _Schema, description: str) -> _Schema:
    return {"type": "array", "items": items, "description": description}


def _map(name: str, description: str) -> _Schema:
    return {"type": "object", "additionalProperties": _of(name), "description": description}


_FLOAT = {"type": "number", "format": "float"}
_INT32 = {"type": "integer", "format": "int32"}
_SCORE_TYPE = {"type": "string", "description": "Only probabilities are given.", **_choice(*_SCORE_TYPES)}
_LANGUAGES = _many({"type": "string"}, "ISO 639 or BCP 47 codes; detected where none is given.")
_TOKEN = _text("Opaque; comes back in the answer.")
_SESSION = _text("Opaque; joins the calls of one session.")
_COMMUNITY = _text("Opaque; names the community.")

_PARAMETERS = {
    "key": _parameter("API key."),
    "alt": _parameter(
        "Format of the answer; only json is given.", default="json", **_choice("json", "media", "proto")
    ),
    "fields": _parameter("Which fields the answer should have."),
    "prettyPrint": _parameter("Whether the answer is indented.", "boolean", default="true"),
    "quotaUser": _parameter("Accepted, without effect."),
    "access_token": _parameter("Accepted, without effect."),
    "oauth_token": _parameter("Accepted, without effect."),
    "callback": _parameter("Accepted, without effect."),
    "uploadType": _parameter("Accepted, without effect."),
    "upload_protocol": _parameter("Accepted, without effect."),
    "$.xgafv": _parameter("Accepted, without effect.", **_choice("1", "2")),
}

_SCHEMAS: dict[str, _Schema] = {
    "TextEntry": _message(
        "A text.",
        text=_text("The text, in UTF-8."),
        type={"type": "string", "description": "Plain text where unspecified.", **_choice(*_TEXT_TYPES)},
    ),
    "ArticleAndParentComment": _message(
        "Where a comment stands.",
        article=_of("TextEntry", "What is commented on: a text, or its URL."),
        parentComment=_of("TextEntry", "The comment that is replied to."),
    ),
    "Context": _message(
        "What the comment is about. Only one of the two fields may be set.",
        entries=_many(_of("TextEntry"), "Texts, the article first."),
        articleAndParentComment=_of("ArticleAndParentComment", "The article and the comment replied to."),
    ),
    "AttributeParameters": _message(
        "How an attribute is wanted.",
        scoreType=_SCORE_TYPE,
        scoreThreshold={**_FLOAT, "description": "Lower scores are left out; none are where it is unset."},
    ),
    "Score": _message("A score.", value={**_FLOAT, "description": "In [0, 1]."}, type=_SCORE_TYPE),
    "SpanScore": _message(
        "The score of a part of the comment.",
        begin={**_INT32, "description": "First UTF-16 code unit."},
        end={**_INT32, "description": "UTF-16 code unit after the last."},
        score=_of("Score"),
    ),
    "AttributeScores": _message(
        "The scores of one attribute.",
        summaryScore=_of("Score", "Of the whole comment."),
        spanScores=_many(_of("SpanScore"), "Of its parts; one part, the whole, unless asked otherwise."),
    ),
    "AnalyzeCommentRequest": _message(
        "A comment to score.",
        comment=_of("TextEntry", "Required."),
        context=_of("Context", "Read by the stance attributes."),
        requestedAttributes=_map("AttributeParameters", "Required: attribute to parameters."),
        languages=_LANGUAGES,
        doNotStore=_flag("Whether nothing may be stored; nothing of an analysis ever is."),
        clientToken=_TOKEN,
        sessionId=_SESSION,
        communityId=_COMMUNITY,
        spanAnnotations=_flag("Whether each sentence gets a score."),
        dropUnsupportedAttributes=_flag("Whether attributes unknown in the language are left out silently."),
    ),
    "AnalyzeCommentResponse": _message(
        "The scores of a comment.",
        attributeScores=_map("AttributeScores", "Requested attribute to scores."),
        languages=_many({"type": "string"}, "As requested, else as detected."),
        detectedLanguages=_many({"type": "string"}, "As detected."),
        clientToken=_TOKEN,
    ),
    "SuggestCommentScoreRequest": _message(
        "Scores that a comment should have. Always stored, unless doNotStore says otherwise.",
        comment=_of("TextEntry", "Required."),
        context=_of("Context", "Stored with it."),
        attributeScores=_map("AttributeScores", "Required: attribute to scores."),
        languages=_LANGUAGES,
        communityId=_COMMUNITY,
        clientToken=_text("Opaque; comes back. A later suggestion of the same token replaces this one."),
        sessionId=_SESSION,
    ),
    "SuggestCommentScoreResponse": _message(
        "What was understood.",
        clientToken=_TOKEN,
        detectedLanguages=_many({"type": "string"}, "As detected."),
        requestedLanguages=_many({"type": "string"}, "As requested, else as detected."),
    ),
}
