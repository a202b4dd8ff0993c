"""Premises written for this project under which readers' published comments could stand.

`data/checks/training/premises/` holds them as JSON lines, a file for each dataset that has the comments. A
comment is named by the digest of its text, so that no comment stands here: who has the datasets has it. Its
writer plainly holds the premises under `agree`, plainly rejects those under `disagree`, and leaves open those
under `neutral`. Real comments under premises that they answer are rare; comments are not.
"""

from pathlib import Path

from data.catalog import choose
from data.errors import ChecksError
from data.readers import read_set
from data.rows import StanceRow, text_group
from data.written_lines import SIDES, json_values, texts_of

__all__ = ["PUBLISHED_SOURCE", "premise_files", "published_rows"]

PUBLISHED_SOURCE = "published-comments"
_FOLDER = Path(__file__).parent / "checks" / "training" / "premises"
_UNRELATED = "unrelated"


def premise_files(folder: Path = _FOLDER) -> list[Path]:
    """Return the files of premises, by name: each is called as the dataset is that has the comments."""
    return sorted(folder.glob("*.jsonl"))


def published_rows(data_dir: Path, folder: Path = _FOLDER) -> list[StanceRow]:
    """Return each premise that was written for a comment, with the comment.

    A comment keeps its group: it falls where its debate, article or text falls. Every dataset that a file is
    called after must be in `data_dir`; premises of comments that it does not hold are left out.

    Raises:
        ChecksError: a line is not JSON, or lacks or misuses a field.
        DataError: a dataset's file is missing or malformed.
    """
    found: list[StanceRow] = []
    for path in premise_files(folder):
        premises = _premises(path)
        (dataset,) = choose([path.stem])
        for row in read_set(data_dir, dataset):
            # an unrelated pair has the group of its premise, and not of its text
            if isinstance(row, StanceRow) and row.label == _UNRELATED:
                continue
            written = premises.pop(text_group(row.text), [])
            found += [
                StanceRow(premise, row.text, side, PUBLISHED_SOURCE, row.group) for side, premise in written
            ]
    return found


def _premises(path: Path) -> dict[str, list[tuple[str, str]]]:
    """By group of text: sides and premises."""
    found = {}
    for place, value in json_values(path):
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise ChecksError(f"{place}: not an object with a text's digest")
        if unknown := value.keys() - {"text", *SIDES}:
            raise ChecksError(f"{place}: {min(unknown)!r} is neither text nor a side")
        found[f"text:{value['text']}"] = [
            (side, premise) for side in SIDES for premise in texts_of(value, side, place)
        ]
    return found
