"""The highest memory of a process that a test starts."""

from pathlib import Path


def peak_kib() -> int:
    """Highest resident memory of this process; `ru_maxrss` would include its parent's."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1])
