"""Every dataset's reader by name, and the two tables that they make together."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from data.catalog import Dataset, choose
from data.readers import civility, debates, languages, motions, pairs
from data.rows import CivilityRow, StanceRow, motion_group, squeezed

__all__ = ["READERS", "read_civility", "read_set", "read_stance", "without_doubles"]

READERS: dict[str, Callable[[Path, Dataset], Iterator[Any]]] = {
    "civility/jigsaw-toxic-comments": civility.read_jigsaw,
    "civility/toxic-spans": civility.read_toxic_spans_rows,
    "civility/fox-news-comments": civility.read_fox_news,
    "civility/wiki-toxicity-context": civility.read_wiki_context,
    "civility/identity-templates": languages.read_templates,
    "civility/davidson-2017": civility.read_davidson,
    "civility/reddit-incivility": civility.read_reddit_incivility,
    "civility/paradetox": civility.read_paradetox,
    "civility/germeval-2018": languages.read_germeval,
    "civility/told-br": languages.read_told_br,
    "civility/korean-hate-news": languages.read_korean,
    "stance/arc": debates.read_arc,
    "stance/arct-reasons": debates.read_arct_reasons,
    "stance/ibm-argq-rank-30k": motions.read_argq,
    "stance/ibm-claim-stance": motions.read_claim_stance,
    "stance/argkp-2021": motions.read_argkp,
    "stance/perspectrum": motions.read_perspectrum,
    "stance/ukpconvarg1": motions.read_ukpconvarg,
    "stance/valueeval-2023": motions.read_valueeval,
    "stance/fnc-1": pairs.read_fnc,
    "stance/reply-stance": pairs.read_replies,
    "stance/breaking-nli": pairs.read_breaking_nli,
}


def read_set(data_dir: Path, dataset: Dataset) -> list[Any]:
    """Read one dataset as it is, doubles included: civility or stance rows, as its task says.

    Raises:
        DataError: a file is missing or malformed.
    """
    return list(READERS[dataset.name](data_dir / dataset.name, dataset))


def read_civility(data_dir: Path, sources: Iterable[str] | None = None) -> list[CivilityRow]:
    """Read the civility datasets of these names (all for none) into one table.

    Raises:
        UnknownSetError: a name is not in the catalog.
        DataError: a file is missing or malformed.
    """
    rows: list[CivilityRow] = []
    for dataset in choose(sources or (), task="civility"):
        rows += read_set(data_dir, dataset)
    return rows


def read_stance(data_dir: Path, sources: Iterable[str] | None = None) -> list[StanceRow]:
    """Read the stance datasets of these names (all for none) into one table, without doubles.

    Raises:
        UnknownSetError: a name is not in the catalog.
        DataError: a file is missing or malformed.
    """
    rows: list[StanceRow] = []
    for dataset in choose(sources or (), task="stance"):
        rows += read_set(data_dir, dataset)
    return without_doubles(rows)


def without_doubles(rows: Iterable[StanceRow]) -> list[StanceRow]:
    """Keep the first of the rows that put the same text to the same group and premise.

    Motions count as the same however they open, for the sets that quote each other put them
    differently; case and whitespace of the texts do not count.
    """
    digests: dict[str, bytes] = {}
    seen: set[tuple[str, str, bytes]] = set()
    kept = []
    for row in rows:
        if row.text not in digests:
            digests[row.text] = sha256(squeezed(row.text).encode("utf-8", "surrogatepass")).digest()
        key = (row.group, motion_group(row.premise), digests[row.text])
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept
