"""Runs the Dockerfile's own steps in a clean directory, where there is no Docker to build it.

The image's /build, /opt and /srv become folders of a temporary directory, npm and Python are this
machine's, and the environment is empty but for what the Dockerfile sets. Steps that need root
(accounts, the base image's own pip) are told and left out. In the end the healthcheck is run
against the started entry point.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
STARTED_SECONDS = 30
PORT = os.environ.get("PASSERELLE_PORT", "8018")
# Steps that change the base image itself, not what is copied into it.
OF_THE_BASE_IMAGE = re.compile(r"\b(groupadd|useradd)\b")


class Step(NamedTuple):
    word: str
    text: str


class Image:
    """The folders that stand for the image's file system, and the environment that it sets."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place
        self.started: dict[str, list[str]] = {}
        # The machine's own settings of pip and npm (which registry) stay; nothing else does.
        kept = ("HOME", "PATH")
        self.environment = {name: os.environ[name] for name in kept}

    def inside(self, text: str) -> str:
        """Paths of the image, as paths of this machine."""
        return re.sub(r"(?<![\w./])/(build|opt|srv)\b", rf"{self.place}/\1", text)

    def run(self, command: str) -> None:
        subprocess.run(
            ["/bin/sh", "-ec", self.inside(command)],
            cwd=self.folder,
            env=self.environment,
            check=True,
        )

    def set(self, text: str) -> None:
        for pair in shlex.split(text):
            name, _, value = pair.partition("=")
            known = self.environment["PATH"]
            self.environment[name] = self.inside(value).replace("$PATH", known)

    def copy(self, text: str) -> None:
        words = shlex.split(text)
        built = words[0].startswith("--from=")
        *sources, target = words[1:] if built else words
        into = self.folder / self.inside(target)
        for source in sources:
            found = Path(self.inside(source)) if built else ROOT / source
            if found == into:
                continue
            if found.is_dir():
                _copy_tree(found, into)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, into)


def _copy_tree(source: Path, into: Path) -> None:
    """As .dockerignore would have it."""
    skip = shutil.ignore_patterns("__pycache__", "node_modules", "static")
    own = source.is_relative_to(ROOT)
    shutil.copytree(source, into, dirs_exist_ok=True, ignore=skip if own else None)


def steps(dockerfile: str) -> Iterator[Step]:
    code = re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(str.strip, code.splitlines()):
        word, _, text = line.strip().partition(" ")
        yield Step(word, text.strip())


def take(image: Image, step: Step) -> None:
    match step.word:
        case "FROM":
            image.folder = image.place
        case "WORKDIR":
            image.folder = Path(image.inside(step.text))
            image.folder.mkdir(parents=True, exist_ok=True)
        case "ENV":
            image.set(step.text)
        case "COPY":
            image.copy(step.text)
        case "RUN" if not OF_THE_BASE_IMAGE.search(step.text):
            image.run(step.text)
        case "ENTRYPOINT" | "CMD" | "HEALTHCHECK":
            image.started[step.word] = json.loads(step.text[step.text.index("[") :])
        case _:
            sys.stdout.write("  (left out)\n")


def prove_running(image: Image) -> None:
    """Starts what the image starts, on loopback, and asks its healthcheck until it is content."""
    shutil.rmtree(image.place / "build")
    shutil.copy(ROOT / "deploy" / "passerelle.toml", image.folder)
    command = [*image.started["ENTRYPOINT"], *image.started["CMD"]]
    listening = {"PASSERELLE_SERVER__HOST": "127.0.0.1", "PASSERELLE_PORT": PORT}
    environment = {**image.environment, **listening, **_sandbox_keys()}
    gateway = subprocess.Popen(command, cwd=image.folder, env=environment)
    try:
        _wait_until_healthy(image.started["HEALTHCHECK"], environment, gateway)
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=5) as answer:
            if b"./assets/" not in answer.read():
                sys.exit("The image does not hold the page that it built.")
    finally:
        gateway.send_signal(signal.SIGTERM)
        gateway.wait(timeout=STARTED_SECONDS)


def _sandbox_keys() -> dict[str, str]:
    text = (ROOT / "deploy" / "sandbox.env").read_text(encoding="utf-8")
    return dict(re.findall(r"^(PASSERELLE_\w+)=(.+)$", text, re.MULTILINE))


def _wait_until_healthy(
    check: list[str], environment: dict[str, str], gateway: subprocess.Popen[bytes]
) -> None:
    last = time.monotonic() + STARTED_SECONDS
    while subprocess.run(check, env=environment, check=False, stderr=subprocess.DEVNULL).returncode:
        if gateway.poll() is not None or time.monotonic() > last:
            sys.exit("The image's entry point did not become healthy.")
        time.sleep(0.2)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="passerelle-image-") as place:
        image = Image(Path(place))
        for step in steps((ROOT / "Dockerfile").read_text(encoding="utf-8")):
            sys.stdout.write(f"{step.word} {step.text[:100]}\n")
            sys.stdout.flush()
            take(image, step)
        prove_running(image)
        left = [path.name for path in (image.place / "opt").rglob("pip*/__init__.py")]
        size = sum(file.stat().st_size for file in (image.place / "opt").rglob("*"))
        sys.stdout.write(f"Healthy. /opt is {size / 2**20:.0f} MiB; build tools left: {left}\n")


if __name__ == "__main__":
    main()
