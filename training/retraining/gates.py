"""The gates: what a challenger must not lose, and what it must win.

A loss up to its limit is allowed. One beyond it is refused where it is clear that it is not chance, and
one beyond its bound in any case. It is clear where chance alone would refuse a challenger that lost
nothing in fewer than `chance_of_refusal` of all runs, all gates of its kind together (Bonferroni).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.civility_sets import NATURAL
from training.retraining.paired import Chance
from training.retraining.settings import GateSettings

__all__ = ["Gate", "Verdict", "civility_gates", "feedback_gate", "stance_gates"]

_SAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Gate:
    """One comparison.

    Attributes:
        group: "auc", "ece", "bpsn", "check", "feedback" or "stance".
        name: of what.
        champion: the champion's figure; NaN where there is only a difference.
        challenger: the challenger's.
        loss: by how much the challenger is worse.
        limit: by how much it may be.
        passed: whether it may pass.
        note: what else there is to say.
        bound: by how much it may not be even where that may be chance.
        by_chance: how probable so large a loss is by chance alone; None where that was not asked.
    """

    group: str
    name: str
    champion: float | None
    challenger: float | None
    loss: float
    limit: float
    passed: bool
    note: str = ""
    bound: float = 0.0
    by_chance: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gates say of one model."""

    task: str
    gates: list[Gate]

    @property
    def passed(self) -> bool:
        """Whether every gate is passed, and there is one for feedback."""
        return all(gate.passed for gate in self.gates) and any(
            gate.group == "feedback" for gate in self.gates
        )

    @property
    def failed(self) -> list[Gate]:
        """The gates that are not passed."""
        return [gate for gate in self.gates if not gate.passed]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"passed": self.passed, "gates": [asdict(gate) for gate in self.gates]}


def civility_gates(
    champion: dict[str, Any], challenger: dict[str, Any], chance: Chance, settings: GateSettings
) -> list[Gate]:
    """Compare what `judge_civility_model` says of both; `chance` is asked where something is worse."""
    gates = []
    for source, of_source in champion["held_out"].items():
        for attribute, before in of_source.items():
            after = challenger["held_out"][source][attribute]
            fewest = min(before["positives"], before["n"] - before["positives"])
            if fewest < settings.fewest_of_a_class or "roc_auc" not in before:
                continue
            name = f"{source} {attribute}"
            allowed = settings.auc_drop, settings.auc_bound
            gates.append(_falls("auc", name, before["roc_auc"], after["roc_auc"], allowed))
            if source in NATURAL:  # calibration means something where comments come as in the wild
                allowed = settings.ece_rise, settings.ece_bound
                gates.append(_rises("ece", name, before["ece"], after["ece"], allowed))
    allowed = settings.bpsn_drop, settings.bpsn_bound
    for identity, auc in champion["bias"].items():
        gates.append(_falls("bpsn", identity, auc, challenger["bias"][identity], allowed))
    before, after = champion["checks"], challenger["checks"]
    allowed = settings.checks_drop, settings.checks_bound
    gates.append(_falls("check", "all", before["rate"], after["rate"], allowed))
    allowed = settings.check_drop, settings.check_bound
    for name, one in before["functions"].items():
        gates.append(_falls("check", name, one["rate"], after["functions"][name]["rate"], allowed))
    return _decided(gates, chance, settings)


def stance_gates(
    champion: dict[str, Any], challenger: dict[str, Any], chance: Chance, settings: GateSettings
) -> list[Gate]:
    """Compare what `judge_stance_model` says of both, set by set."""
    gates = []
    for source, before in champion.items():
        after = challenger[source]
        if before["n"] < settings.fewest_of_a_class:
            continue
        for name in ("macro_f1", "agree_disagree_auc"):
            if name in before:
                allowed = settings.stance_drop, settings.stance_bound
                gates.append(_falls("stance", f"{source} {name}", before[name], after[name], allowed))
        allowed = settings.stance_ece_rise, settings.stance_ece_bound
        gates.append(_rises("stance", f"{source} ece", before["ece"], after["ece"], allowed))
    return _decided(gates, chance, settings)


def feedback_gate(
    gains: NDArray[np.float64], weights: NDArray[np.float64], settings: GateSettings, seed: int
) -> Gate:
    """Return whether the challenger wins on held-out feedback.

    Args:
        gains: shape (n,): by how much the Brier score of a comment falls.
        weights: shape (n,), positive.
        settings: the least gain, its least confidence, and the fewest comments.
        seed: of the bootstrap.
    """
    if len(gains) < settings.fewest_held_out:
        note = f"{len(gains)} held-out comments, at least {settings.fewest_held_out} are needed"
        return Gate("feedback", "Brier score", None, None, 0.0, 0.0, False, note)
    gain = float(np.average(gains, weights=weights))
    chance = np.random.default_rng(seed)
    drawn = chance.integers(0, len(gains), (_SAMPLES, len(gains)))
    sampled = (gains[drawn] * weights[drawn]).sum(axis=1) / weights[drawn].sum(axis=1)
    confidence = float((sampled > settings.least_gain).mean())
    passed = gain > settings.least_gain and confidence >= settings.least_confidence
    note = f"{len(gains)} held-out comments; it falls in {confidence:.0%} of bootstrap samples"
    return Gate("feedback", "Brier score", None, None, round(-gain, 4), -settings.least_gain, passed, note)


def _decided(gates: Sequence[Gate], chance: Chance, settings: GateSettings) -> list[Gate]:
    sizes = Counter(gate.group for gate in gates)
    return [_decide(gate, chance, settings.chance_of_refusal / sizes[gate.group]) for gate in gates]


def _decide(gate: Gate, chance: Chance, level: float) -> Gate:
    if gate.loss <= gate.limit:
        return gate
    by_chance = round(chance(gate.group, gate.name), 6)
    within = gate.loss <= gate.bound and by_chance >= level
    return replace(gate, by_chance=by_chance, passed=within)


def _falls(group: str, name: str, before: float, after: float, allowed: tuple[float, float]) -> Gate:
    return _lost(group, name, before, after, round(before - after, 6), allowed)


def _rises(group: str, name: str, before: float, after: float, allowed: tuple[float, float]) -> Gate:
    return _lost(group, name, before, after, round(after - before, 6), allowed)


def _lost(
    group: str, name: str, before: float, after: float, loss: float, allowed: tuple[float, float]
) -> Gate:
    limit, bound = allowed
    return Gate(group, name, before, after, loss, limit, True, bound=bound)
