"""The package itself: version, stubs, docstrings, examples."""

import ast
import inspect
import os
import pathlib
import subprocess
import sys

import mlaan
import pytest

FOLDER = pathlib.Path(__file__).parents[1]


def test_the_version_is_the_projects():
    text = (FOLDER.parent / "CMakeLists.txt").read_text()
    assert f"project(mlaan VERSION {mlaan.__version__} " in text


def test_the_stubs_name_what_the_extension_has():
    tree = ast.parse((FOLDER / "mlaan" / "_engine.pyi").read_text())
    named = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            named[node.name] = {
                item.name if isinstance(item, ast.FunctionDef) else item.target.id
                for item in node.body
                if isinstance(item, (ast.FunctionDef, ast.AnnAssign))
            }
        elif isinstance(node, ast.FunctionDef):
            named[node.name] = set()
        elif isinstance(node, ast.AnnAssign):
            named[node.target.id] = set()
    found = {name for name in vars(mlaan._engine) if not name.startswith("_")} | {"__version__"}
    assert set(named) == found
    for name, members in named.items():
        if members:
            own = vars(getattr(mlaan._engine, name))
            assert {member for member in members if not member.startswith("_")} == {
                member for member in own if not member.startswith("_")
            }, name


def test_all_that_is_public_is_documented():
    for name in mlaan.__all__:
        item = getattr(mlaan, name)
        if inspect.isclass(item) or inspect.isfunction(item) or inspect.ismodule(item):
            assert inspect.getdoc(item), name


@pytest.mark.parametrize(
    "example, needs",
    [
        ("own_method.py", None),
        ("plain_loop.py", "torchvision"),
        ("fine_tune.py", "timm"),
        ("lightning_module.py", "lightning"),
    ],
)
def test_examples_run(example, needs, tmp_path):
    if needs == "lightning":
        if not _has("lightning") and not _has("pytorch_lightning"):
            pytest.skip("lightning is not installed, or does not go with this torch")
    elif needs:
        pytest.importorskip(needs)
    if example == "fine_tune.py":
        pytest.importorskip("safetensors")
    arguments = {
        "plain_loop.py": "--epochs 1 --batch-size 8",
        "fine_tune.py": f"--batch-size 8 --output {tmp_path}/out.safetensors",
    }
    arguments = arguments.get(example, "").split()
    done = subprocess.run(
        [sys.executable, str(FOLDER / "examples" / example), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "error" in done.stdout or "loss" in done.stdout
    assert example != "fine_tune.py" or "plain PyTorch are the same" in done.stdout


def _has(name):
    try:
        __import__(name)
    except Exception:  # one that does not go with this torch fails in many ways
        return False
    return True
