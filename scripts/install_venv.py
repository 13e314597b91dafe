"""Create the development environment from the hash-pinned lock, with the standard library alone.

Usage: python3 scripts/install_venv.py VENV LOCK STAMP

Runs under whatever Python the machine has, so it must parse on old versions to refuse them in words.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
import time


def fail(message):
    sys.stderr.write("make: " + message + "\n")
    raise SystemExit(1)


def run(*command):
    sys.stderr.write("$ " + " ".join(command) + "\n")
    if subprocess.call(command) != 0:
        fail("that command failed; its own message is above. Run the same make target again to continue.")


def run_quietly(what, *command):
    """Run a talkative command with its output in a file; say that it goes on, and show the end of it if it fails."""
    sys.stderr.write(f"  {what} ...\n")
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while True:
            try:
                code = child.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"  {what} ... {time.monotonic() - begun:.0f} s\n")
        if code != 0:
            output.seek(0)
            sys.stderr.write("$ " + " ".join(command) + "\n" + "".join(output.readlines()[-40:]))
            fail("that command failed; its own message is above. Run the same make target again to continue.")


def up_to_date(stamp, *inputs):
    if not os.path.exists(stamp):
        return False
    made = os.path.getmtime(stamp)
    return all(os.path.getmtime(name) <= made for name in inputs)


def main(venv, lock, stamp):
    if sys.version_info < (3, 11):
        fail(
            "Assent needs Python 3.11 or newer, and this is {}.{}. "
            "Say which one to use: make PYTHON=python3.12 ...".format(*sys.version_info[:2])
        )
    # Two makes started at once must not install into one environment together.
    with open(".venv.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if up_to_date(stamp, lock, "pyproject.toml"):
            return
        sys.stderr.write(f"Preparing {venv} (one to three minutes the first time)\n")
        if not os.path.exists(os.path.join(venv, "bin", "python")):
            try:
                import ensurepip  # noqa: F401
            except ImportError:
                fail("this Python has no ensurepip; on Debian and Ubuntu: apt-get install python3-venv")
            run(sys.executable, "-m", "venv", venv)
        python = os.path.join(venv, "bin", "python")
        pip = (python, "-m", "pip", "--disable-pip-version-check", "install")
        run_quietly("Installing the pinned packages", *pip, "--require-hashes", "--requirement", lock)
        run_quietly("Installing Assent", *pip, "--no-deps", "--no-build-isolation", "--editable", ".")
        with open(stamp, "w"):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
