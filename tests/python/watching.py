"""Running a program and watching its memory: shared by the tests."""

import pathlib
import subprocess
import threading


def peak_of(command, **options):
    """(exit code, peak of private bytes) of a program; the options are those of Popen."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    peak = [0]

    def watch():
        while process.poll() is None:
            try:
                text = pathlib.Path("/proc/%d/status" % process.pid).read_text()
            except OSError:
                return
            for line in text.splitlines():
                if line.startswith("RssAnon"):
                    peak[0] = max(peak[0], int(line.split()[1]) * 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    watcher.join()
    return code, peak[0]
