"""Progress on a terminal: one bar a stage of the work."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["Stages"]


class Stages:
    """A context in which `report` draws a stage: its name (what is in brackets may change), done, total."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Stages":
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()

    def report(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is; one that has only begun has no end yet."""
        name = stage.split(" (")[0]
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(stage, total=None)
        known_total = total if done or total > 1 else None
        self._progress.update(self._tasks[name], description=stage, completed=done, total=known_total)
