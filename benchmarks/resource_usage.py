"""Resource usage of processes: CPU and memory, as the operating system counts them."""

import psutil


def cpu_seconds(pid: int | None) -> float:
    """Return the CPU seconds of a process and its children, ended ones included; 0 without a process."""
    if pid is None:
        return 0.0
    root = psutil.Process(pid)
    ended = root.cpu_times()
    total = ended.children_user + ended.children_system
    for process in [root, *root.children(recursive=True)]:
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:  # It has ended since: its parent has its seconds.
            continue
        total += used.user + used.system
    return total


def resident_bytes(pid: int | None) -> int:
    return 0 if pid is None else psutil.Process(pid).memory_info().rss


def parent_of(pid: int) -> int | None:
    """The process that started this one, where it is on this machine."""
    try:
        found: int = psutil.Process(pid).ppid()
        return found
    except psutil.NoSuchProcess:
        return None
