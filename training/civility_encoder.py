"""The text encoder of the civility model: which part of the rows it is fine-tuned on."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from data import CivilityRow
from data.checks import CONTRAST_SOURCE
from data.denials import DENIAL_SOURCE
from data.identities import IDENTITY_SOURCE
from data.weak import CUT_SOURCE, PUBLISHED_SOURCE
from models.encoder import TextEncoder
from models.text import normalise
from training.civility_sets import TRAIN_ONLY
from training.finetuning import Example, FineTuning, Stage, fine_tune

__all__ = ["BROAD", "CONTRASTS", "encoder_course", "fine_tune_texts"]

BROAD = FineTuning(
    epochs=2.0, tokens_a_batch=2560, max_tokens=128, label_smoothing=0.02, seed=20261124, bfloat16=True
)
"""How the mixture of all sets is learnt."""

CONTRASTS = FineTuning(
    epochs=2.0,
    learning_rate=4e-5,
    tokens_a_batch=1280,
    max_tokens=128,
    label_smoothing=0.02,
    seed=20261125,
    bfloat16=True,
)
"""How the contrasts are learnt afterwards, with a part of the mixture that nothing be forgotten."""

_MOST_TOXIC, _MOST_CIVIL = 0, 1
_CAPS: dict[str, tuple[int, int]] = {
    "jigsaw-toxic-comments": (14_000, 30_000),
    "wiki-toxicity-context": (500, 2_500),
    "fox-news-comments": (500, 700),
    "reddit-incivility": (500, 1_500),
    "davidson-2017": (3_000, 1_500),
    "paradetox": (4_000, 4_000),
    "toxic-spans": (3_000, 0),
    CUT_SOURCE: (0, 2_000),
    PUBLISHED_SOURCE: (0, 2_000),
    "identity-templates": (0, 1_500),
    IDENTITY_SOURCE: (2_200, 4_200),
    DENIAL_SOURCE: (1_000, 1_000),
}
"""Most toxic and most civil rows drawn from a set; the sentences written as contrasts are taken whole."""

_CONTRAST_TIMES = 3
_REPLAYED = 0.2  # of the mixture
_BLEND = 0.9  # of what the contrasts teach; all of it costs the sets of comments more than it gives
_WEIGHTS = {"davidson-2017": 0.5, "paradetox": 0.5, CUT_SOURCE: 0.5, PUBLISHED_SOURCE: 0.5}
_MOST_CHARACTERS = 1_200  # of toxic texts: in longer ones the abuse may stand where the encoder does not read


def encoder_course(
    rows: Sequence[CivilityRow],
    broad: FineTuning = BROAD,
    contrasts: FineTuning = CONTRASTS,
    *,
    further: bool = False,
) -> list[Stage]:
    """Draw what is learnt, in two stages, from rows of the training split.

    First a mixture of all sets, then the sentences written as contrasts, those on identities and denials,
    comments that a newspaper has published, so that heat is not taken for incivility, and a part of the
    mixture.

    Args:
        rows: the training split of `civility_splits`.
        broad: how the mixture is learnt; its seed draws it.
        contrasts: how the contrasts are learnt; its seed draws the part of the mixture.
        further: whether an encoder that knows the mixture is taught the second stage alone.
    """
    written = [_example(row) for row in rows if row.source == CONTRAST_SOURCE]
    framed = _mixture([row for row in rows if row.source in TRAIN_ONLY], broad.seed)
    mixture = _mixture([row for row in rows if row.source not in TRAIN_ONLY], broad.seed)
    published = _mixture([row for row in rows if row.source == PUBLISHED_SOURCE], contrasts.seed)
    again = random.Random(contrasts.seed).sample(mixture, round(_REPLAYED * len(mixture)))
    stages = [Stage(_shuffled([*mixture, *framed, *written * _CONTRAST_TIMES], broad.seed), broad)]
    if written:
        contrasted = _shuffled([*again, *framed, *published, *written], contrasts.seed)
        stages.append(Stage(contrasted, contrasts, _BLEND))
    return stages[1:] if further else stages


def fine_tune_texts(
    course: Sequence[Stage],
    *,
    scratch: Path,
    start: bytes | None = None,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> TextEncoder:
    """Fine-tune on `course` and return the encoder; checkpoints lie in `scratch`.

    Args:
        course: what is learnt.
        scratch: a folder.
        start: the model of an encoder to teach further; None begins with MiniLM.
        progress: see `fine_tune`.

    Raises:
        MissingExtraError: the extra `train` is not installed.
        TrainingError: `start` cannot be taught further.
    """
    tuned = fine_tune(
        course,
        loss="any labels",
        checkpoint=scratch / "civility-encoder.pt",
        start=start,
        progress=progress,
    )
    return TextEncoder(tuned.onnx, tuned.tokenizer, max(stage.settings.max_tokens for stage in course))


def _mixture(rows: Sequence[CivilityRow], seed: int) -> list[Example]:
    by_kind: dict[tuple[str, bool], list[CivilityRow]] = defaultdict(list)
    for row in rows:
        toxic = any(known == 1.0 for known in row.attributes)
        if row.source in _CAPS and (not toxic or len(row.text) <= _MOST_CHARACTERS):
            by_kind[row.source, toxic].append(row)
    examples: list[Example] = []
    for (source, toxic), found in sorted(by_kind.items()):
        most = _CAPS[source][_MOST_TOXIC if toxic else _MOST_CIVIL]
        chance = random.Random(f"{seed}:{source}:{toxic}")
        examples += [_example(row) for row in chance.sample(found, min(most, len(found)))]
    return examples


def _shuffled(examples: list[Example], seed: int) -> list[Example]:
    return random.Random(seed).sample(examples, len(examples))


def _example(row: CivilityRow) -> Example:
    targets = tuple(None if math.isnan(known) else known for known in row.attributes)
    return Example(normalise(row.text), targets, weight=_WEIGHTS.get(row.source, 1.0))
