"""The pair encoder of the stance model: fine-tuned on (premise, text) pairs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.encoder import ENCODER_CLASSES, PairEncoder
from training.finetuning import Example, FineTuning, Stage, fine_tune

__all__ = ["Pair", "fine_tune_pairs"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One training pair; `label` is one of `ENCODER_CLASSES`."""

    premise: str
    text: str
    label: str


def fine_tune_pairs(
    pairs: Sequence[Pair],
    settings: FineTuning,
    *,
    scratch: Path,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> PairEncoder:
    """Fine-tune on `pairs` and return the encoder; checkpoints lie in `scratch`.

    Raises:
        MissingExtraError: the extra `train` is not installed.
    """
    examples = [Example(pair.premise, _one_hot(pair.label), pair.text) for pair in pairs]
    tuned = fine_tune(
        [Stage(examples, settings)],
        loss="one label",
        checkpoint=scratch / "stance-encoder.pt",
        progress=progress,
    )
    return PairEncoder(tuned.onnx, tuned.tokenizer, settings.max_tokens)


def _one_hot(label: str) -> tuple[float, ...]:
    return tuple(float(name == label) for name in ENCODER_CLASSES)
