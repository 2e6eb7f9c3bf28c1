"""The highest memory of a process, for the benchmarks."""

import sys
from pathlib import Path


def peak_memory_bytes() -> int:
    """Highest resident memory of this process alone; `ru_maxrss` includes its parent's."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
