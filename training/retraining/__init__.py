"""Retraining: moderators' decisions make the next model better, and never by surprise.

From feedback to a release, or to none: `job.py` reads top to bottom.
"""

from training.retraining.job import Outcome, RetrainingOrder, retrain
from training.retraining.settings import RetrainingSettings

__all__ = ["Outcome", "RetrainingOrder", "RetrainingSettings", "retrain"]
