"""Take the weights out of an exported encoder, so that what is in a bundle can be taught further.

The weights of a bundle's encoder have 7 bits: what is put together from them says nearly what it said, and a
stage of fine-tuning makes up for the rest.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError

__all__ = ["exported_weights"]

Array = NDArray[np.float32]
_EMBEDDINGS = ("word_embeddings", "token_type_embeddings", "position_embeddings")
_LIFTED = re.compile(r"lifted_tensor_(\d+)(_Transposed)?(_quantized)?$")
_PRODUCT = re.compile(r"val_(\d+)_quantized$")


def exported_weights(onnx: bytes, shapes: Mapping[str, Sequence[int]]) -> dict[str, Array]:
    """Return the parameters of a network that `training.finetuning` has exported, by name.

    The exporter numbers the parameters as the network lists them, but for the embeddings, which come in the
    order of their use; quantisation renames and transposes the matrices of products, and leaves their order.

    Args:
        onnx: the serialized, quantised model.
        shapes: name and shape of each parameter, in the network's order, the three embeddings first.

    Raises:
        TrainingError: the model is not of that shape.
    """
    from onnx import load_from_string, numpy_helper

    found = {one.name: numpy_helper.to_array(one) for one in load_from_string(onnx).graph.initializer}
    embeddings = [name for name in shapes if any(kind in name for kind in _EMBEDDINGS)]
    in_order = sorted(embeddings, key=lambda name: _EMBEDDINGS.index(name.split(".")[-2]))
    others = [name for name in shapes if name not in embeddings]
    numbered = {name: number for number, name in enumerate([*in_order, *others], 1)}
    lifted = {int(match[1]): name for name in found if (match := _LIFTED.match(name))}
    products = iter(sorted((int(match[1]), name) for name in found if (match := _PRODUCT.match(name))))
    weights: dict[str, Array] = {}
    for name, shape in shapes.items():
        source = lifted.get(numbered[name]) or next(products, (0, ""))[1]
        transposed = "_Transposed" in source or _PRODUCT.match(source)
        weights[name] = _plain(found, source).T if transposed else _plain(found, source)
        if weights[name].shape != tuple(shape):
            raise TrainingError(
                f"the encoder cannot be taught further: {name} is not of shape {tuple(shape)}"
            )
    if next(products, None) is not None:
        raise TrainingError("the encoder cannot be taught further: it has more matrices than the network")
    return weights


def _plain(found: Mapping[str, NDArray[Any]], name: str) -> Array:
    if not name:
        return np.zeros(0, dtype=np.float32)
    if not name.endswith("_quantized"):
        return np.asarray(found[name], dtype=np.float32)
    zero, scale = (found[name.replace("_quantized", f"_{part}")] for part in ("zero_point", "scale"))
    return np.asarray((found[name].astype(np.float32) - zero.astype(np.float32)) * scale, dtype=np.float32)
