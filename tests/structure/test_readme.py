import re
from pathlib import Path

from models import Bundle
from training.card import with_figures

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_shipped_bundle(shipped_bundle: Bundle) -> None:
    assert with_figures(README, shipped_bundle.manifest) == README, "run: python -m training.card"


def test_every_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    targets = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert targets
    assert [str(target) for page, target in targets if not (page.parent / target).exists()] == []


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = set(re.findall(r"^ {4}make (\w+)", README, re.MULTILINE))
    assert {"run", "test", "train"} <= wanted
    assert {target for target in wanted if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


def test_every_command_is_described() -> None:
    from typer.main import get_command

    from app.cli import app

    root = get_command(app)
    described = README + "".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "docs").glob("*.md")))
    commands = root.commands  # type: ignore[attr-defined]
    assert {"serve", "score", "train", "data", "models"} <= commands.keys()
    assert {name for name in commands if f"counterpoint {name}" not in described} == set()
    assert {name for name, command in commands.items() if not command.help} == set()
