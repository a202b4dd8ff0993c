"""What `models.evasion` restores of disguised words, what it changes in ordinary text, and how fast.

python -m benchmarks.deobfuscation PATH  # one comment a line; the first half is learned from
"""

import random
import sys
import time
from collections import Counter
from pathlib import Path

from models.evasion import Deobfuscator
from models.text import normalise
from training.evasions import EVASIONS, disguise

__all__ = ["changed", "microseconds", "restored"]


def restored(deobfuscator: Deobfuscator, texts: list[str], kind: str, share: float = 0.5) -> float:
    """Share of the disguised words that are words of the transformed text again, in [0, 1]."""
    lost, disguised = 0, 0
    clean = deobfuscator.transform(texts)
    for seed, (text, wanted) in enumerate(zip(texts, clean, strict=True)):
        hidden = disguise(text, kind, share, seed)
        found = deobfuscator.transform([hidden])[0]
        disguised += _missing(text, hidden)
        lost += _missing(wanted, found)
    return 1 - lost / max(disguised, 1)


def changed(deobfuscator: Deobfuscator, texts: list[str]) -> list[tuple[str, str]]:
    """The texts, normalised and transformed, that are more than normalised."""
    pairs = zip(map(normalise, texts), deobfuscator.transform(texts), strict=True)
    return [(plain, found) for plain, found in pairs if plain != found]


def microseconds(deobfuscator: Deobfuscator, texts: list[str], repeat: int = 5) -> float:
    """Best time a text, on one thread, after a first pass."""
    deobfuscator.transform(texts)
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        deobfuscator.transform(texts)
        times.append(time.perf_counter() - began)
    return min(times) / len(texts) * 1e6


def _missing(wanted: str, found: str) -> int:
    words = Counter(word for word in _words(wanted) if len(word) > 2)
    words.subtract(_words(found))
    return sum(count for count in words.values() if count > 0)


def _words(text: str) -> list[str]:
    return [word.strip(".,;:!?\"'()[]") for word in text.split()]


def main(path: Path) -> None:
    """Print the figures."""
    texts = path.read_text(encoding="utf-8").splitlines()
    random.Random(0).shuffle(texts)
    half = len(texts) // 2
    deobfuscator = Deobfuscator().fit(texts[:half])
    held_out = texts[half:]
    print(f"changed {len(changed(deobfuscator, held_out)) / len(held_out):.2%} of ordinary comments")
    for kind in EVASIONS:
        print(f"{kind:22} {restored(deobfuscator, held_out, kind):.1%} restored")
    print(f"{microseconds(deobfuscator, held_out):.1f} microseconds a comment")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
