"""The pair encoder of the stance model: fine-tuned on (premise, text) pairs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.rows import mirrored_label
from models.encoder import ENCODER_CLASSES, PairEncoder
from training.finetuning import Counterpart, Example, FineTuning, Stage, fine_tune

__all__ = ["BROAD", "READERS_BLEND", "READERS_LESSON", "READ_TOKENS", "Pair", "fine_tune_pairs"]

BROAD = FineTuning(epochs=1.0, learning_rate=8e-5, max_tokens=224, bfloat16=True)
"""How arguments of every kind are learnt."""

READERS_LESSON = FineTuning(learning_rate=5e-5, epochs=1.0, max_tokens=192, seed=20261130, bfloat16=True)
"""How readers' comments are learnt afterwards."""

READERS_BLEND = 0.85
"""Weight of what the readers' lesson makes of each parameter, the rest being that of what it was before."""

READ_TOKENS = 256
"""Longest pair that the encoder reads once it is taught."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One training pair.

    `label` is one of `ENCODER_CLASSES`. `opposite` is a premise towards which the sides swap: a contrary, or
    another one on which the text takes the other side.
    """

    premise: str
    text: str
    label: str
    opposite: str | None = None
    weight: float = 1.0


def fine_tune_pairs(
    course: Sequence[tuple[Sequence[Pair], FineTuning, float]],
    *,
    scratch: Path,
    start: bytes | None = None,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> PairEncoder:
    """Fine-tune on one list of pairs after the other and return the encoder; checkpoints lie in `scratch`.

    Args:
        course: pairs, how they are learnt, and the part of the parameters that they give, in (0, 1].
        scratch: a folder.
        start: the model of an encoder to teach further; None begins with MiniLM.
        progress: see `fine_tune`.

    Raises:
        MissingExtraError: the extra `train` is not installed.
        TrainingError: `start` cannot be taught further.
    """
    stages = [Stage([_example(pair) for pair in pairs], settings, blend) for pairs, settings, blend in course]
    tuned = fine_tune(
        stages,
        loss="one label",
        checkpoint=scratch / "stance-encoder.pt",
        start=start,
        progress=progress,
    )
    return PairEncoder(tuned.onnx, tuned.tokenizer, READ_TOKENS)


def _example(pair: Pair) -> Example:
    other = pair.opposite and Counterpart(pair.opposite, _one_hot(mirrored_label(pair.label)))
    return Example(pair.premise, _one_hot(pair.label), pair.text, pair.weight, other or None)


def _one_hot(label: str) -> tuple[float, ...]:
    return tuple(float(name == label) for name in ENCODER_CLASSES)
