"""What is counted of the live traffic: scores and languages by day, and a challenger beside the champion.

Counts only: no text, id or address of anybody is kept.
"""

__all__: list[str] = []
