"""The refusals of the Perspective API, in its exact words: clients take the messages apart."""

from collections.abc import Sequence

from app.compat._google import GoogleError

__all__ = [
    "comment_empty",
    "comment_too_long",
    "invalid_json",
    "invalid_request",
    "invalid_value",
    "language_not_supported",
    "missing_attributes",
    "score_type_not_supported",
    "unknown_attribute",
]

_ERROR = "google.commentanalyzer.v1alpha1.Error"
_QUOTED = 128  # most characters of a caller's word that a message gives back


def comment_empty() -> GoogleError:
    """The comment is missing, or nothing of it can be seen."""
    return _error("Comment must be non-empty.", "COMMENT_EMPTY")


def comment_too_long() -> GoogleError:
    """The comment is over its limit."""
    return _error("Comment text too long.", "COMMENT_TOO_LONG")


def missing_attributes() -> GoogleError:
    """No attribute is asked for."""
    return _error("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")


def unknown_attribute(name: str) -> GoogleError:
    """An attribute that is not scored here."""
    return invalid_request(f"Unknown requested attribute: {name[:_QUOTED]}")


def score_type_not_supported(score_type: str, attribute: str) -> GoogleError:
    """A score of another type than PROBABILITY is asked for."""
    return invalid_request(
        f"Requested score type {score_type} is not supported by attribute {attribute[:_QUOTED]}"
    )


def language_not_supported(attribute: str, languages: Sequence[str], *, requested: bool) -> GoogleError:
    """An attribute cannot be scored in these languages, which the caller requested or we detected."""
    told = [language[:_QUOTED] for language in languages[:_QUOTED]]
    source = "requestedLanguages" if requested else "detectedLanguages"
    return _error(
        f"Attribute {attribute} does not support request languages: {', '.join(told)}",
        "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        languageNotSupportedByAttributeError={source: told, "attribute": attribute},
    )


def invalid_json(place: str) -> GoogleError:
    """The body is no JSON object; `place` says why, without quoting it."""
    return invalid_request(f"Invalid JSON payload received. {place}")


def invalid_value(field: str, type_name: str) -> GoogleError:
    """A field holds a value of another type. The value, which may be a comment, is not quoted."""
    return invalid_request(f"Invalid value at '{field[:_QUOTED]}' ({type_name})")


def invalid_request(message: str) -> GoogleError:
    """Everything else that is wrong with a request."""
    return _error(message, "INVALID_REQUEST")


def _error(message: str, error_type: str, **more: object) -> GoogleError:
    return GoogleError(message, {"@type": _ERROR, "errorType": error_type, **more})
