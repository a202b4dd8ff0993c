"""Keep freed memory at hand while training."""

import ctypes

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # mallopt(3)
_LARGEST = 2**31 - 1
_PADDING = 64 * 2**20


def keep_freed_memory() -> None:
    """Tell glibc to neither map large blocks nor return freed ones; does nothing with another C library.

    Each step of training frees hundreds of megabytes and asks for as many again. Where they go back to the
    system in between, it clears every page anew: on virtual machines half of the time went there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _LARGEST), (_TOP_PAD, _PADDING)):
        mallopt(option, value)
