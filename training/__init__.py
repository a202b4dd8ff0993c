"""How a bundle is built and judged: recipes, evaluation, the training command's work."""

__all__: list[str] = []
