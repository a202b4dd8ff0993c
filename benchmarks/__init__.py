"""Speed, as ratios against a reference in the same run: machines are noisy."""

__all__: list[str] = []
