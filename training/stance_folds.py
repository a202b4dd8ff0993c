"""Which ways of teaching and of reading stance help on premises never seen: five folds of ARC's debates.

`python -m training.stance_folds DIR` teaches an encoder a shortened readers' lesson, once a way, seed and
fold, on three folds; heads are fitted on the fourth, and the fifth is judged. The debates are those of the
training and calibration sides: the test side stays closed. What is done lies in DIR and is not done again
(take a new DIR when data, mixture, ways or readings have changed); the figures of all that is done are
written to `stance_folds.json` there. With `--ways` and `--seeds` several processes share the work.

PyTorch is needed: it comes with the extra `train`.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from data import Splits, StanceRow, data_dir
from data.openers import load_openers
from data.published import PUBLISHED_SOURCE
from data.rows import mirrored_label
from data.written import DIRECT_SOURCE, PLAIN_SOURCE
from models import STANCES
from models.encoder import PairEncoder
from training.encoder import BROAD, READ_TOKENS, READERS_BLEND, READERS_LESSON, Pair, fine_tune_pairs
from training.finetuning import FineTuning
from training.metrics import stance_metrics
from training.mixture import HEADS_ONLY, SECOND_STAGE, broad_mixture, readers_mixture
from training.stance import HEAD_SHARES, head_rows, stance_splits
from training.stance_baselines import vector_baseline, word_baseline
from training.stance_readings import HEADS, READINGS, judge_heads, judge_readings, judge_whole

__all__ = ["FOLDS", "MEASURES", "WAYS", "Fold", "Way", "folds_of", "main", "one_premise_a_side", "summary"]

FOLDS = 5
MEASURES = ("agree_disagree_auc", "agree_disagree_macro_f1", "macro_f1", "relevance_auc")
"""What is told of every way and reading, where it has it."""

_UNRELATED = "unrelated"
_WRITTEN = "written"
_SEEDS = 3
_PART = 0.4  # of a lesson's pairs
_MOST_GROUPS = 300  # of each set that is on none of the debates
_UNRELATED_ROWS = 300
_UNRELATED_JUDGED = 200
_REHEARSED = 600
_HEAD_ROWS = 200
_TOKENS = 128  # half of the lesson's: a day's work would be two
_REMEMBERED = 100_000
_DEBATE = "debate:"
_RESULT = "stance_folds.json"


@dataclass(frozen=True, slots=True)
class Way:
    """A way of teaching the encoder: how it departs from the readers' lesson.

    Attributes:
        title: in the table of the model card.
        lesson: whether there is a readers' lesson at all.
        without: sets that the lesson leaves out.
        also: sets that it takes although the encoder is not taught them otherwise.
        change: a pair of the lesson → as it is taught.
        tune: the lesson's hyper-parameters → those with which it is taught.
        premise: wording of a judged premise.
        text: wording of a judged text.
    """

    title: str
    lesson: bool = True
    without: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    change: Callable[[Pair], Pair] = lambda pair: pair
    tune: Callable[[FineTuning], FineTuning] = lambda settings: settings
    premise: str = "{}"
    text: str = "{}"

    def asked(self, rows: Iterable[StanceRow]) -> list[StanceRow]:
        """Return rows in this way's wording."""
        return [
            replace(row, premise=self.premise.format(row.premise), text=self.text.format(row.text))
            for row in rows
        ]


_PREMISE, _TEXT = "The author argues: {}", "A reader replies: {}"


def _worded(pair: Pair) -> Pair:
    other = pair.opposite and _PREMISE.format(pair.opposite)
    return replace(
        pair, premise=_PREMISE.format(pair.premise), text=_TEXT.format(pair.text), opposite=other or None
    )


WAYS: dict[str, Way] = {
    "broad": Way("arguments alone, no readers' lesson", lesson=False),
    "lesson": Way("readers' lesson"),
    "no-contrary": Way("… without contrary premises", change=lambda pair: replace(pair, opposite=None)),
    "no-contrast": Way(
        "… with contrary premises, but no contrast of both in the loss",
        tune=lambda settings: replace(settings, contrast=0.0),
    ),
    "no-premises": Way(
        "… without the premises written for published comments, which still fit the head",
        without=frozenset({PUBLISHED_SOURCE}),
    ),
    "no-debates": Way("… without the debates written for it", without=frozenset({DIRECT_SOURCE})),
    "plain": Way("… with written comments that are not direct, too", also=frozenset({PLAIN_SOURCE})),
    "worded": Way(
        "… worded “The author argues: … A reader replies: …”", change=_worded, premise=_PREMISE, text=_TEXT
    ),
}
"""Ways of teaching, by name."""

_BASELINES = "baselines"
_ORDER = (_BASELINES, *WAYS)
_TITLES = {
    _BASELINES: "premise and comment read apart, taught on ARC alone",
    "majority": "always the commonest stance",
    "words": "TF-IDF with logistic regression",
    "vectors": "MiniLM's sentence vectors with logistic regression",
    **{name: way.title for name, way in WAYS.items()},
    **{name: title for name, (title, _) in READINGS.items()},
    _WRITTEN: "the whole comment, under premises written for it, which it holds or rejects",
    **{f"head: {name}": title for name, (title, _) in HEADS.items()},
}


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows by what they are for; `written` are sides towards premises written for the judged comments."""

    taught: list[StanceRow]
    head: list[StanceRow]
    judged: list[StanceRow]
    written: list[StanceRow]


def folds_of(rows: Sequence[StanceRow]) -> list[Fold]:
    """Divide by debate, in five: three parts teach, one fits the head, one is judged, each in its turn.

    Args:
        rows: ARC's, and those of other sets on the same debates, which teach; of a judged debate the
            published ones that take a side are judged, too.
    """
    arc = [row for row in rows if row.source == "arc"]
    groups = np.array([row.group for row in arc if row.label != _UNRELATED])
    parts = [set(groups[held].tolist()) for _, held in GroupKFold(FOLDS).split(groups, groups=groups)]
    found = []
    for place, judged in enumerate(parts):
        head = parts[(place + 1) % FOLDS]
        held = [row for row in arc if row.group in judged | head]
        kept_from = {row.text for row in held if row.label != _UNRELATED}
        found.append(
            Fold(
                [row for row in rows if row.group not in judged | head and row.text not in kept_from],
                [row for row in held if row.group in head],
                [row for row in held if row.group in judged],
                [row for row in rows if row.group in judged and _written_side(row)],
            )
        )
    return found


def summary(done: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return of each way and reading the mean and the standard deviation over folds and seeds.

    Args:
        done: what was judged: way, seed, fold, and by reading the figures of `MEASURES`.
    """
    values: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    seeds: dict[str, set[int]] = defaultdict(set)
    for one in done:
        seeds[one["way"]].add(one["seed"])
        for reading, figures in one["readings"].items():
            values[one["way"]][reading].append(figures)
    return {
        way: {
            "title": _TITLES[way],
            "seeds": sorted(seeds[way]),
            "readings": {
                reading: {"title": _TITLES[reading], **_spread(figures)}
                for reading, figures in readings.items()
            },
        }
        for way, readings in sorted(values.items(), key=lambda found: _ORDER.index(found[0]))
    }


def _spread(figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {"runs": len(figures), "pairs": sum(one["n"] for one in figures)}
    for name in MEASURES:
        known = [one[name] for one in figures if name in one]
        if known:
            found[name] = [round(float(np.mean(known)), 4), round(float(np.std(known)), 4)]
    return found


class _Study:
    """The work in one folder."""

    def __init__(self, folder: Path, splits: Splits[StanceRow]) -> None:
        self.folder, self.splits = folder, splits
        own = [*splits.train, *splits.calibration]
        debates = [row for row in own if row.source in SECOND_STAGE and row.group.startswith(_DEBATE)]
        self.folds = folds_of(debates)
        self.pairs = broad_mixture(splits.train, load_openers("train"), BROAD.seed)
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, ways: Sequence[str], seeds: Sequence[int]) -> None:
        """Do what is not done yet."""
        for seed in seeds:
            for way in ways:
                for place in range(FOLDS) if seed == seeds[0] or WAYS[way].lesson else ():
                    self._keep(f"{way}-{seed}-{place}", partial(self._judge, way, seed, place))
        self._keep(_BASELINES, self._baselines)

    def done(self) -> list[dict[str, Any]]:
        """Return everything that was judged."""
        paths = sorted(self.folder.glob("done-*.json"))
        return [one for path in paths for one in json.loads(path.read_text(encoding="utf-8"))]

    def _keep(self, name: str, judge: Callable[[], list[dict[str, Any]]]) -> None:
        path = self.folder / f"done-{name}.json"
        if not path.exists():
            partial_file = path.with_suffix(".part")
            partial_file.write_text(json.dumps(judge()), encoding="utf-8")
            partial_file.replace(path)  # for what lies there is not done again
            sys.stderr.write(f"{path.name}\n")

    def _judge(self, name: str, seed: int, place: int) -> list[dict[str, Any]]:
        way, fold = WAYS[name], self.folds[place]
        encoder = self._taught(name, seed, place)
        encoder.set_params(remembered=_REMEMBERED, max_tokens=READ_TOKENS)
        judged = way.asked(_fewer_unrelated(fold.judged, _UNRELATED_JUDGED, random.Random(seed)))
        readings = judge_readings(encoder, [row for row in judged if row.label != _UNRELATED])
        written = one_premise_a_side(way.asked(fold.written), random.Random(seed))
        readings[_WRITTEN] = judge_whole(encoder, written)
        del readings[_WRITTEN]["macro_f1"]  # of two classes it is no match for that of three
        fitted = head_rows(way.asked(self._fitting(fold, seed)), seed)
        heads_found = judge_heads(encoder, fitted, judged, _heads(name, seed))
        readings |= {f"head: {key}": one for key, one in heads_found.items()}
        return [{"way": name, "seed": seed, "fold": place, "readings": readings}]

    def _fitting(self, fold: Fold, seed: int) -> list[StanceRow]:
        """The head's rows: the fold's own, and some of the calibration side's other sets."""
        chance = random.Random(seed)
        rows = _fewer_unrelated(fold.head, _UNRELATED_JUDGED, chance)
        for source in sorted(HEAD_SHARES.keys() - {"arc", "arct-reasons"}):
            others = _elsewhere(self.splits.calibration, source)
            rows += chance.sample(others, min(_HEAD_ROWS, len(others)))
        return rows

    def _taught(self, name: str, seed: int, place: int) -> PairEncoder:
        way, fold = WAYS[name], self.folds[place]
        broad = self._broad()
        if not way.lesson:
            return broad
        chance = random.Random(seed)
        own = [row for row in fold.taught if row.source not in way.without]
        rows = _fewer_unrelated(own, _UNRELATED_ROWS, chance)
        for source in sorted({DIRECT_SOURCE, PUBLISHED_SOURCE, *way.also} - way.without):
            rows += _of_some_groups(_elsewhere(self.splits.train, source), chance)
        rows = one_premise_a_side(rows, chance)
        rehearsed = chance.sample(self.pairs, min(_REHEARSED, len(self.pairs)))
        every = readers_mixture(rows, rehearsed, seed, HEADS_ONLY - way.also)
        pairs = [way.change(pair) for pair in every[: round(_PART * len(every))]]
        settings = way.tune(replace(READERS_LESSON, epochs=1.0, max_tokens=_TOKENS, seed=seed))
        return fine_tune_pairs(
            [(pairs, settings, READERS_BLEND)],
            scratch=self.folder / f"{name}-{seed}-{place}",
            start=broad.onnx,
            progress=_progress(f"{name}, seed {seed}, fold {place}"),
        )

    def _broad(self) -> PairEncoder:
        onnx, tokenizer = self.folder / "broad.onnx", self.folder / "broad-tokenizer.json"
        if not onnx.exists():
            made = fine_tune_pairs(
                [(self.pairs, BROAD, 1.0)], scratch=self.folder, progress=_progress("broad")
            )
            tokenizer.write_text(made.tokenizer, encoding="utf-8")
            onnx.write_bytes(made.onnx)
        return PairEncoder(onnx.read_bytes(), tokenizer.read_text(encoding="utf-8"), READ_TOKENS)

    def _baselines(self) -> list[dict[str, Any]]:
        """Words and sentence vectors, taught on everything of ARC that is not judged."""
        found = []
        for place, fold in enumerate(self.folds):
            taught, judged = (
                [row for row in rows if row.source == "arc" and row.label != _UNRELATED]
                for rows in ([*fold.taught, *fold.head], fold.judged)
            )
            labels = [row.label for row in judged]
            readings = {
                name: stance_metrics(baseline(taught)(judged), labels, STANCES, 0.0)
                for name, baseline in (("words", word_baseline), ("vectors", vector_baseline))
            }
            readings["majority"] = {"n": len(labels), "macro_f1": readings["words"]["majority_macro_f1"]}
            found.append({"way": _BASELINES, "seed": BROAD.seed, "fold": place, "readings": readings})
        return found


def _heads(way: str, seed: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """All heads for the lesson, the encoder's for other ways, and for further seeds the shipped one."""
    if seed != READERS_LESSON.seed:
        return {"whole": HEADS["whole"]}
    return HEADS if way == "lesson" else {name: HEADS[name] for name in ("whole", "two", "four")}


def _written_side(row: StanceRow) -> bool:
    return row.source == PUBLISHED_SOURCE and mirrored_label(row.label) != row.label


def _fewer_unrelated(rows: Sequence[StanceRow], most: int, chance: random.Random) -> list[StanceRow]:
    unrelated = [row for row in rows if row.label == _UNRELATED]
    related = [row for row in rows if row.label != _UNRELATED]
    return [*related, *chance.sample(unrelated, min(most, len(unrelated)))]


def _elsewhere(rows: Sequence[StanceRow], source: str) -> list[StanceRow]:
    """A set's rows that are on none of the debates, which fall into folds."""
    return [row for row in rows if row.source == source and not row.group.startswith(_DEBATE)]


def _of_some_groups(rows: Sequence[StanceRow], chance: random.Random) -> list[StanceRow]:
    groups = sorted({row.group for row in rows})
    kept = set(chance.sample(groups, min(_MOST_GROUPS, len(groups))))
    return [row for row in rows if row.group in kept]


def one_premise_a_side(rows: Sequence[StanceRow], chance: random.Random) -> list[StanceRow]:
    """Return all rows, of each published comment one for each label: they have several premises of a side."""
    kept = [row for row in rows if row.source != PUBLISHED_SOURCE]
    published = [row for row in rows if row.source == PUBLISHED_SOURCE]
    chance.shuffle(published)
    return [*kept, *{(row.text, row.label): row for row in published}.values()]


def _progress(name: str) -> Callable[[int, int, float], None]:
    def step(done: int, total: int, loss: float) -> None:
        if done % 50 == 0 or done == total:
            sys.stderr.write(f"{name}: step {done} of {total}, loss {loss:.3f}\n")

    return step


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the study, or a part of it, and write the figures of what is done."""
    parser = argparse.ArgumentParser(prog="python -m training.stance_folds", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the work lies")
    parser.add_argument("--data-dir", type=Path, help="folder of the datasets (COUNTERPOINT_DATA_DIR)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="ways of teaching (all)")
    first = READERS_LESSON.seed
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[first + place for place in range(_SEEDS)], help="three seeds"
    )
    chosen = parser.parse_args(arguments)
    study = _Study(chosen.folder, stance_splits(data_dir(chosen.data_dir)))
    study.run(chosen.ways, chosen.seeds)
    done = study.done()
    found = {
        "split": f"ARC's debates of the training and calibration sides, in {FOLDS} folds by debate",
        "debates": len({row.group for fold in study.folds for row in fold.judged}),
        "related": sum(row.label != _UNRELATED for fold in study.folds for row in fold.judged),
        "ways": summary(done),
    }
    (chosen.folder / _RESULT).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
