"""Scores on a terminal: a table for a thread, a panel for one comment."""

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from io import TextIOWrapper

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.cli.asking import Outcome
from app.schemas import Action, Decision, Problem, ScoreAnswer, SentenceAnswer, SpanAnswer, Stance
from app.threads import Thread, ThreadComment

__all__ = ["open_console", "printable", "show_comment", "show_thread"]

_WIDTH_WHEN_PIPED = 160
_STYLES: dict[Action, str] = {"approve": "green", "review": "yellow", "reject": "red"}
_MARKS: dict[Action, str] = {"approve": "✓", "review": "?", "reject": "✗"}
_FAILED = "magenta"
_NOT_SCORED = (Text("-"), Text("-"), Text("✗ not scored", style=_FAILED))
_SPAN = "bold underline red"
_LEAST_CHARACTERS_SHOWN = 100
_DEEPEST_INDENT = 5
_MOST_WORDS = 4
_MOST_SENTENCES = 2
_LONGEST_SENTENCE_SHOWN = 80
_SOURCES = {
    "premise": "given",
    "registered": "registered for the article",
    "title": "the title",
    "lead": "the lead of the text",
}
_LEAST_WORTH_TELLING = 0.05
_BAR_CELLS = 24
# Terminals obey control characters, and bidirectional overrides make text read as what it is not.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
_SPACE = re.compile(r"\s")


def open_console() -> Console:
    """A console for standard output: no colours and a fixed, wide line where it is piped."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(highlight=False, width=_WIDTH_WHEN_PIPED)
    return console


def printable(text: str) -> str:
    """`text`, as long as before, with what could drive or fool a terminal replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\ufffd", text)


def show_thread(console: Console, thread: Thread, title: str, outcomes: Sequence[Outcome]) -> None:
    """Print the thread's head, its counts and a row for each comment, replies under what they answer."""
    answers = [outcome for outcome in outcomes if isinstance(outcome, ScoreAnswer)]
    console.print(_head(title, answers, failed=len(outcomes) - len(answers)))
    table = Table(box=box.HORIZONTALS, expand=True, show_lines=True, padding=(0, 1, 0, 0))
    table.add_column("Comment", ratio=1, min_width=20)
    table.add_column("Civility", width=15)
    table.add_column("Stance", width=15)
    table.add_column("Decision", width=15)
    by_id = {comment.id: outcome for comment, outcome in zip(thread.comments, outcomes, strict=True)}
    for depth, comment in thread.in_reading_order():
        outcome = by_id[comment.id]
        cells = _NOT_SCORED if isinstance(outcome, Problem) else _cells(outcome)
        table.add_row(_comment_cell(comment, depth, outcome, console.width), *cells)
    console.print(table)


def show_comment(console: Console, text: str, outcome: Outcome) -> None:
    """Print everything about one comment."""
    if isinstance(outcome, Problem):
        problem = Text(f"✗ not scored: {printable(_message(outcome))}", style=_FAILED)
        console.print(Panel(problem, title="comment", title_align="left"))
        return
    parts: list[RenderableType] = [_marked(text, outcome.spans or []), Text()]
    grid = Table.grid(padding=(0, 2, 0, 0))
    if outcome.civility:
        grid.add_row("civility", _bar(outcome.civility.score), f"{outcome.civility.score:.2f}")
        for attribute, score in outcome.civility.attributes.items():
            grid.add_row(f"  {attribute}", _bar(score), f"{score:.2f}")
    else:
        grid.add_row("civility", f"left out: {outcome.civility_omitted}", "")
    stances = outcome.stances or [outcome.stance]
    for number, stance in enumerate(stances, 1):
        name = "stance" if len(stances) == 1 else f"stance {number}"
        _add_stance(grid, name, stance, outcome.stance_omitted or "language")
    if outcome.reply_stance:
        _add_stance(grid, "to the parent", outcome.reply_stance, None)
    parts.append(grid)
    for stance in filter(None, stances):
        parts += [Text(), Text(f"premise: {_named(stance)}")]
        if stance.sentences:
            parts.append(_sentences(text, stance.sentences))
    if outcome.spans is not None:
        parts += [Text(), _words(text, outcome.spans, outcome.decision)]
    parts += [Text(), _decision(outcome)]
    heading = f"model {printable(outcome.model)}, language {printable(outcome.language)}"
    console.print(
        Panel(Group(*parts), title=Text(heading), title_align="left", width=min(console.width, 100))
    )


def _head(title: str, answers: Sequence[ScoreAnswer], *, failed: int) -> Panel:
    stance = next((answer.stance for answer in answers if answer.stance), None)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row("premise", Text(_named(stance) if stance else "none known, so no stance is told"))
    grid.add_row("model", Text(printable(answers[0].model if answers else "none answered")))
    counts = Counter((_stance_label(answer), answer.decision.action) for answer in answers)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("stance")
    for action, style in _STYLES.items():
        table.add_column(f"{_MARKS[action]} {action}", justify="right", style=style)
    labels = dict.fromkeys(["agree", "disagree", "neutral", "uncertain", *(label for label, _ in counts)])
    for label in labels:
        row = [counts[label, action] for action in _STYLES]
        if any(row):
            table.add_row(Text(printable(label)), *map(str, row))
    parts: list[RenderableType] = [grid, table]
    if failed:
        parts.append(Text(f"✗ {failed} not scored", style=_FAILED))
    return Panel(Group(*parts), title=Text(printable(title or "untitled"), style="bold"), title_align="left")


def _stance_label(answer: ScoreAnswer) -> str:
    return answer.stance.label if answer.stance else f"none ({answer.stance_omitted})"


def _comment_cell(comment: ThreadComment, depth: int, outcome: Outcome, characters: int) -> Padding:
    date = comment.date.strftime("%Y-%m-%d %H:%M") if comment.date else comment.date_text
    known = [part for part in (date, comment.author) if part]
    heading = ("↳ " if depth else "") + printable(" · ".join(known) or f"comment {comment.id}")
    problem = Text(printable(_message(outcome)), style=_FAILED) if isinstance(outcome, Problem) else None
    spans = (outcome.spans or []) if isinstance(outcome, ScoreAnswer) else []
    text = _marked(_SPACE.sub(" ", comment.text), spans)
    text.truncate(max(_LEAST_CHARACTERS_SHOWN, characters), overflow="ellipsis")
    parts: list[RenderableType] = [Text(heading, style="bold"), problem or text]
    if isinstance(outcome, ScoreAnswer) and any(span.score >= _LEAST_WORTH_TELLING for span in spans):
        parts.append(_words(comment.text, spans, outcome.decision))
    return Padding(Group(*parts), (0, 0, 0, 2 * min(depth, _DEEPEST_INDENT)))


def _cells(answer: ScoreAnswer) -> tuple[Text, Text, Text]:
    if answer.civility:
        worst, score = max(answer.civility.attributes.items(), key=lambda item: item[1])
        civility = Text(f"{answer.civility.score:.2f}\n{worst} {score:.2f}")
    else:
        civility = Text(f"left out: {answer.civility_omitted}")
    lines = [_told(answer.stance) if answer.stance else f"none: {answer.stance_omitted}"]
    if answer.stance:
        lines.append(f"relevance {answer.stance.relevance:.2f}")
    for number, stance in enumerate((answer.stances or [])[1:], 2):
        lines.append(f"{number}: {_told(stance)}" if stance else f"{number}: none: language")
    if answer.reply_stance:
        lines.append(f"parent: {_told(answer.reply_stance)}")
    return civility, Text("\n".join(lines)), _decision(answer)


def _message(problem: Problem) -> str:
    return "; ".join(f"{error.field} {error.message}" for error in problem.errors) or problem.detail


def _named(stance: Stance) -> str:
    source = f" ({_SOURCES[stance.premise_source]})" if stance.premise_source else ""
    return printable(stance.premise) + source


def _told(stance: Stance) -> str:
    return f"{stance.label} {stance.confidence:.2f}"


def _decision(answer: ScoreAnswer) -> Text:
    action = answer.decision.action
    shown = Text(f"{_MARKS[action]} {action}", style=f"bold {_STYLES[action]}")
    for reason in answer.decision.reasons:
        if reason.attribute is None or reason.score is None or reason.threshold is None:
            shown.append(f"\n{reason.code}", style="not bold")
        else:
            shown.append(
                f"\n{reason.attribute} {reason.score:.2f} ≥ {reason.threshold:.2f}", style="not bold"
            )
    return shown


def _add_stance(grid: Table, name: str, stance: Stance | None, omitted: str | None) -> None:
    if stance is None:
        grid.add_row(name, Text(printable(f"left out: {omitted}")), "")
        return
    grid.add_row(name, Text(stance.label, style="bold"), f"{stance.confidence:.2f}")
    for label, probability in stance.probabilities.items():
        grid.add_row(f"  {label}", _bar(probability), f"{probability:.2f}")
    grid.add_row("  relevance", _bar(stance.relevance), f"{stance.relevance:.2f}")


def _bar(share: float) -> Text:
    filled = round(share * _BAR_CELLS)
    return Text("█" * filled + "·" * (_BAR_CELLS - filled))


def _marked(text: str, spans: Sequence[SpanAnswer]) -> Text:
    shown = Text(printable(text))
    for span in spans:
        shown.stylize(_SPAN, span.begin, span.end)
    return shown


def _sentences(text: str, sentences: Sequence[SentenceAnswer]) -> Text:
    telling = [sentence for sentence in sentences if abs(sentence.score) >= _LEAST_WORTH_TELLING]
    shown = [
        f"“{_shortened(text[one.begin : one.end])}” {one.stance} {one.score:+.2f}"
        for one in telling[:_MOST_SENTENCES]
    ]
    return Text(f"sentences that moved it: {', '.join(shown) or 'none in particular'}", style="italic")


def _shortened(sentence: str) -> str:
    line = printable(_SPACE.sub(" ", sentence))
    return line if len(line) <= _LONGEST_SENTENCE_SHOWN else line[: _LONGEST_SENTENCE_SHOWN - 1] + "…"


def _words(text: str, spans: Sequence[SpanAnswer], decision: Decision) -> Text:
    decisive = {reason.attribute for reason in decision.reasons}
    telling = [span for span in spans if span.attribute in decisive] or spans
    strongest: dict[tuple[int, int], SpanAnswer] = {}
    for span in sorted(telling, key=lambda span: -span.score):
        if span.score >= _LEAST_WORTH_TELLING:
            strongest.setdefault((span.begin, span.end), span)
    words = [
        f"“{printable(text[begin:end])}” {span.attribute} {span.score:.2f}"
        for (begin, end), span in list(strongest.items())[:_MOST_WORDS]
    ]
    return Text(f"words that moved it: {', '.join(words) or 'none in particular'}", style="italic")
