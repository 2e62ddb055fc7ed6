"""A strategy file: found, read, executed as a module of its own, and the one strategy class in it."""

import ast
import sys
import traceback
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from lockstep.model.errors import LockstepError, StrategyError, UsageError, did_you_mean, hint_for
from lockstep.strategy.base import Strategy


class StrategyFile:
    """A loaded strategy: its class, the exact source, and where it came from."""

    def __init__(self, cls: type[Strategy], source: str, path: Path) -> None:
        self.cls = cls
        self.source = source
        self.path = path
        self.file_name = path.name

    @property
    def name(self) -> str:
        """The class name."""
        return self.cls.__name__

    def all_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter's value, given or default. Raises: StrategyError: parameters that do not fit."""
        made = self.make(params)
        return {name: getattr(made, name) for name in type(made).parameters}

    def make(self, params: Mapping[str, Any]) -> Strategy:
        """A fresh instance. Raises: StrategyError: parameters that do not fit, or a constructor that fails."""
        try:
            return self.cls(**params)
        except LockstepError:
            raise
        except Exception as e:
            raise StrategyError(f"{self.file_name}: {self.name}() failed: {type(e).__name__}: {e}") from e


def load_strategy(path: str | Path, class_name: str | None = None) -> StrategyFile:
    """Read a strategy file and find its strategy class.

    Args:   class_name: which one, where the file has several.
    Raises: UsageError: no such file. StrategyError: it does not parse or run, or has no (or no single) strategy.
    """
    file = Path(path)
    if not file.is_file():
        folder = file.parent if file.parent.is_dir() else Path()
        near = [entry.name for entry in folder.glob("*.py")]
        raise UsageError(f"no strategy file {str(path)!r}", hint=did_you_mean(file.name, near))
    try:
        source = file.read_text(encoding="utf-8-sig")  # some editors put a byte order mark before the text
        ast.parse(source, filename=file.name)
    except UnicodeDecodeError as e:
        raise StrategyError(f"{file.name} is not UTF-8 text: {e}") from e
    except SyntaxError as e:
        text = (e.text or "").strip()
        raise StrategyError(
            f"{file.name} line {e.lineno}: {e.msg}: {text}", hint="fix the syntax and run it again"
        ) from e
    except ValueError as e:  # null bytes, before Python 3.12
        raise StrategyError(f"{file.name} is not Python: {e}") from e
    return strategy_from_source(source, file, class_name)


def strategy_from_source(source: str, file: Path, class_name: str | None = None) -> StrategyFile:
    """The strategy of a text that parses, under the name and from the folder of a file, which need not be there.

    Raises: StrategyError: it does not run, or has no (or no single) strategy.
    """
    module = _execute(file, source)
    return StrategyFile(_only_strategy(module, file.name, class_name), source, file)


def _execute(file: Path, source: str) -> ModuleType:
    """Run the source as a module. Its own folder is importable while it loads, as for a script."""
    name = f"lockstep_strategy_{file.stem}"
    spec = spec_from_loader(name, loader=None, origin=str(file))
    assert spec is not None
    module = module_from_spec(spec)
    module.__file__ = str(file)
    folder = str(file.parent.resolve())
    sys.path.insert(0, folder)
    sys.modules[name] = module
    try:
        code = compile(source, str(file), "exec")
        exec(code, module.__dict__)  # noqa: S102 # tidy: allow danger - running the user's own file is the point
    except LockstepError:
        raise
    except Exception as e:
        line = line_in(e, str(file))
        raise StrategyError(f"{file.name}{line}: {type(e).__name__}: {e}", hint=hint_for(e)) from e
    finally:
        if folder in sys.path:  # the file may have changed the path itself
            sys.path.remove(folder)
    return module


def line_in(error: BaseException, file: str) -> str:
    """The words "line N" after a space, for the deepest frame of a file in an error's traceback; else nothing."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" line {lines[-1]}" if lines else ""


def _only_strategy(module: ModuleType, file_name: str, class_name: str | None) -> type[Strategy]:
    own = {  # by the class's own name: another name for the same class is not a second strategy
        value.__name__: value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Strategy)
        and value is not Strategy
        and value.__module__ == module.__name__
    }
    if class_name is not None:
        if class_name not in own:
            raise StrategyError(f"{file_name} has no strategy class {class_name!r}", hint=did_you_mean(class_name, own))
        return own[class_name]
    if not own:
        raise StrategyError(
            f"{file_name} has no strategy: no class in it derives from lockstep.Strategy",
            hint="lockstep new NAME writes one to start from",
        )
    if len(own) > 1:
        raise StrategyError(f"{file_name} has {len(own)} strategies: {', '.join(own)}", hint="choose with --class NAME")
    return next(iter(own.values()))
