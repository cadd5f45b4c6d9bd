"""The wheel, installed by itself: small, and one sentence where an extra is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.stack import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, str(folder / "site"), str(wheel)], check=True, timeout=120)
    return folder / "site"


def run(site: Path, code: str, *missing: str) -> subprocess.CompletedProcess[str]:
    """Run code against the installed wheel, in an interpreter that lacks some packages."""
    hidden = "".join(f"sys.modules[{name!r}] = None\n" for name in missing)
    program = f"import sys\nsys.path.insert(0, {str(site)!r})\n{hidden}{code}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=site
    )


def test_the_client_needs_neither_kopf_nor_azure_nor_mlos_bench(site: Path) -> None:
    code = "import benchhost.client\nassert benchhost.client.__file__.startswith(sys.path[0])"
    done = run(site, code, "kopf", "azure", "mlos_bench", "aiohttp", "cryptography")
    assert done.returncode == 0, done.stderr


def test_the_control_plane_can_be_built_from_the_wheel(site: Path) -> None:
    assert (site / "benchhost" / "local" / "_controlplane" / "go.sum").is_file()
    assert (site / "benchhost" / "mlos" / "benchhost-service-subschema.json").is_file()
    assert (site / "benchhost" / "py.typed").is_file()
    assert (site / "benchhost" / "report" / "page.css").is_file()


@pytest.mark.parametrize(
    ("code", "missing", "extra"),
    [
        ("from benchhost.cli.main import app\napp(['operator', 'run'])", ("kopf", "azure"), "operator"),
        ("from benchhost.cli.main import app\napp(['emulator', 'run'])", ("aiohttp", "cryptography"), "emulator"),
        ("from benchhost.cli.main import app\napp(['dev', 'up'])", ("cryptography",), "local"),
        ("from benchhost.cli.main import app\napp(['report', '--config', 'x'])", ("matplotlib", "scipy"), "report"),
        (
            "from benchhost.mlos.launcher import main\nsys.exit(main([]))",
            ("mlos_bench", "jsonschema", "sqlalchemy", "pandas", "json5"),
            "mlos",
        ),
    ],
    ids=["operator", "emulator", "local", "report", "mlos"],
)
def test_a_missing_extra_is_one_sentence(site: Path, code: str, missing: tuple[str, ...], extra: str) -> None:
    done = run(site, code, *missing)
    assert done.returncode == 1
    assert f"benchhost[{extra}]" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_needs_nothing_but_the_client(site: Path) -> None:
    done = run(
        site,
        "from benchhost.cli.main import app\napp(['--help'])",
        "kopf",
        "azure",
        "mlos_bench",
        "aiohttp",
        "cryptography",
        "matplotlib",
        "scipy",
    )
    assert done.returncode == 0, done.stderr
    assert "operator" in done.stdout
