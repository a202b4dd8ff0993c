"""The settings of the encoders, applied to the models of a bundle."""

from copy import copy
from dataclasses import replace
from typing import Any

from sklearn.base import clone

from app.settings import Settings
from models import Bundle

__all__ = ["let_go", "with_encoder_settings"]


def with_encoder_settings(bundle: Bundle, settings: Settings) -> Bundle:
    """Return `bundle` with encoders of the settings' threads and memory; itself where they have these.

    The bundle that is given is left as it is. Encoders that models shared are still shared.
    """
    wanted = {"threads": settings.encoder_threads, "remembered": settings.encoder_remembered}
    made: dict[int, Any] = {}

    def adapted(model: Any) -> Any:
        encoder = model.encoder
        if encoder is None or wanted.items() <= encoder.get_params().items():
            return model
        if id(encoder) not in made:
            made[id(encoder)] = clone(encoder).set_params(**wanted)
        changed = copy(model)
        changed.encoder = made[id(encoder)]
        return changed

    stance, replies = adapted(bundle.stance), getattr(bundle.stance, "replies_", None)
    if replies is not None and (changed := adapted(replies)) is not replies:
        stance = copy(stance)
        stance.replies_ = changed
    if stance is not bundle.stance:
        stance.assess([("A premise.", "A comment.")])  # opens the session before the first comment comes
    return replace(bundle, civility=adapted(bundle.civility), stance=stance)


def let_go(bundle: Bundle) -> None:
    """Give up what the encoders of `bundle` need no more to score; it cannot be pickled afterwards."""
    for encoder in (bundle.civility.encoder, bundle.stance.encoder):
        if encoder is not None:
            encoder.let_go()
