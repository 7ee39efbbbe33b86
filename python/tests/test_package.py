"""The package itself: version, stubs, docstrings, examples."""

import ast
import importlib
import inspect
import os
import pathlib
import subprocess
import sys

import mlaan
import pytest
import torch
from program import COMMAND
from torch.utils.data import DataLoader, TensorDataset

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
    public = {name: getattr(mlaan, name) for name in mlaan.__all__}
    public.update((name, item) for name, item in vars(mlaan.nn).items() if is_own(item))
    for name, item in public.items():
        if inspect.isclass(item) or inspect.isfunction(item) or inspect.ismodule(item):
            assert inspect.getdoc(item), name
        for member, value in vars(item).items() if inspect.isclass(item) else ():
            function = value.fget if isinstance(value, property) else value
            if inspect.isfunction(function) and not member.startswith("_"):
                assert inspect.getdoc(function), f"{name}.{member}"


def is_own(item):
    return getattr(item, "__module__", None) == "mlaan.nn" and not item.__name__.startswith("_")


@pytest.mark.parametrize(
    "example, needs",
    [
        ("own_method.py", None),
        ("plain_loop.py", "torchvision"),
        ("fine_tune.py", "timm"),
        ("lightning_module.py", "lightning"),
        ("huggingface_loop.py", "transformers"),
    ],
)
def test_examples_run(example, needs, tmp_path):
    if needs == "lightning":
        import_lightning()
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
    if example in ("fine_tune.py", "huggingface_loop.py"):
        assert "are the same" in done.stdout


def import_lightning():
    for name in ("lightning", "pytorch_lightning"):
        try:
            return importlib.import_module(name)
        except Exception:  # one that does not go with this torch fails in many ways
            continue
    return pytest.skip("lightning is not installed, or does not go with this torch")


def test_a_lightning_module_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    import_lightning()
    monkeypatch.syspath_prepend(str(FOLDER / "examples"))
    example = importlib.import_module("lightning_module")
    images, labels = torch.randn(32, 3, 8, 8), torch.randint(0, 10, (32,))
    loader = DataLoader(TensorDataset(images, labels), 16)

    class Stopped(example.Local):
        def on_train_epoch_end(self):
            self.trainer.should_stop = self.trainer.current_epoch == 1

    def module(kind=example.Local):
        torch.manual_seed(1)
        return kind(example.network(), images[:2], method="mlaan-relay")

    straight, stopped, resumed = module(), module(Stopped), module()
    example.fit(straight, loader, epochs=3)
    example.fit(stopped, loader, epochs=3).save_checkpoint(tmp_path / "last.ckpt")
    example.fit(resumed, loader, epochs=3, checkpoint=tmp_path / "last.ckpt")
    assert stopped.engine.state_dict()["steps_done"] == 4
    assert straight.engine.state_dict()["steps_done"] == 6
    assert straight.engine.progress == pytest.approx(5 / 6)
    for name, tensor in straight.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_another_torch_than_the_one_that_it_was_built_for_is_refused():
    code = "import torch; torch.__version__ = '9.9.0'; import mlaan"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "was built for torch" in done.stderr and "this is torch 9.9.0" in done.stderr


@pytest.mark.skipif(not COMMAND, reason="the program was not built")
def test_the_program_is_of_the_same_version():
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert mlaan.__version__ in done.stdout.split()[1]
