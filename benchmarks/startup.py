"""How soon the command line helps, and the gateway answers: seconds, the least and the median.

Usage: python benchmarks/startup.py [--times N]
It starts `passerelle serve`, in front of no system, on free ports of 127.0.0.1 and ends it.
"""

import argparse
import http.client
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

from storefront import free_port

PASSERELLE = Path(sys.executable).with_name("passerelle")
QUERY = json.dumps({"query": "{ viewer { kind } }"})
LONGEST_SECONDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    print("| until | least, s | median, s |\n|---|---|---|")
    for what, took in (("`--help` has ended", help_seconds), ("the first answer", answer_seconds)):
        found = [took() for _ in range(times)]
        print(f"| {what} | {min(found):.2f} | {median(found):.2f} |")


def help_seconds() -> float:
    return _timed(lambda: subprocess.run([PASSERELLE, "--help"], check=True, capture_output=True))


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def answer_seconds() -> float:
    with tempfile.TemporaryDirectory() as folder:
        config, port = Path(folder) / "passerelle.toml", free_port()
        config.write_text("[access]\nanonymous = true\n")
        began = time.monotonic()
        process = subprocess.Popen(
            [PASSERELLE, "serve", "--config", config, "--port", str(port)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not answers(port):
                if time.monotonic() - began > LONGEST_SECONDS:
                    raise SystemExit("the gateway did not start")
                time.sleep(0.02)
            return time.monotonic() - began
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/graphql", QUERY, {"content-type": "application/json"})
        return connection.getresponse().status == 200
    return False


if __name__ == "__main__":
    main()
