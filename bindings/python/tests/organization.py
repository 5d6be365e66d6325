"""An organization: its key, a signed plan, a QA key, and a running collector."""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = pathlib.Path(os.environ.get("SORDINO_PROGRAMS", ROOT / "target" / "debug")).resolve()

for needed, command in [
    (PROGRAMS / "sordino", "cargo xtask build"),
    (PROGRAMS / "sordino-collector", "cargo xtask build"),
]:
    if not needed.exists():
        sys.exit(f"{needed} is not there; run {command} first")


def run(program, *arguments):
    """Runs a program of this project and returns the JSON that it prints."""
    command = [PROGRAMS / program, "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{program} {arguments[0]}: {done.stderr}")
    return json.loads(done.stdout)


class Organization:
    """Signs a plan that selects every marked moment and none at random; with `review` it requires review."""

    def __init__(self, folder, review=False):
        self.folder = pathlib.Path(folder)
        self.identity = self.folder / "qa.key"
        recipient = run("sordino", "keygen", "--out", self.identity)["recipient"]
        signing_key = self.folder / "plan.key"
        self.key = run("sordino", "plan", "keygen", "--out", signing_key)["public_key"]
        plan = (ROOT / "samples" / "plan.toml").read_text(encoding="utf-8")
        plan = re.sub(r"age1\w+", recipient, plan)
        plan = re.sub(r"random_probability = .*", "random_probability = 0.0", plan)
        if review:
            plan = plan.replace("\n[triggers]", '\nreview = "required"\n\n[triggers]')
        written = self.folder / "plan.toml"
        written.write_text(plan, encoding="utf-8")
        self.plan_file = self.folder / "plan.json"
        run("sordino", "plan", "sign", written, "--key", signing_key, "--out", self.plan_file)
        self.plan = self.plan_file.read_bytes()


class Collector:
    """A collector on a free loopback port, and a reader's token for it."""

    def __init__(self, organization):
        self.organization = organization
        self.data = organization.folder / "collector"
        serve = ["serve", "--data", self.data, "--listen", "127.0.0.1:0"]
        serve += ["--plan", organization.plan_file]
        command = [PROGRAMS / "sordino-collector", *map(str, serve)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        self.url = ready.rpartition(" ")[2].strip()
        made = run(
            "sordino-collector", "token", "create", "--data", self.data, "--name", "desk",
            "--purpose", "quality-assurance",
        )  # fmt: skip
        self.token = organization.folder / "token"
        self.token.write_text(made["token"], encoding="utf-8")

    def pull(self, dataset):
        """Pulls into `dataset` and returns the summary."""
        return run(
            "sordino", "pull", "--collector", self.url, "--token-file", self.token,
            "--identity", self.organization.identity, "--out", dataset, "--format", "bundle",
        )  # fmt: skip

    def open_sample(self, sample, folder):
        """Opens the collector's object with that id."""
        [sealed] = self.data.rglob(f"{sample}.age")
        run(
            "sordino", "open", sealed, "--identity", self.organization.identity, "--out", folder
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=600)
        self.process.stdout.close()
