"""What all estimators of this room have in common: they read strings."""

from typing import Any

__all__ = ["ReadsStrings"]


class ReadsStrings:
    """Mixin that tells scikit-learn that an estimator's input is a list of strings, or of pairs of them.

    Attributes:
        needs_fit: whether `fit` must come before anything else.
        has_labels: whether `fit` takes a row of labels for each input.
    """

    needs_fit = True
    has_labels = False

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = self.needs_fit
        if self.has_labels:
            tags.target_tags.required = True
            tags.target_tags.two_d_labels = True
        return tags
