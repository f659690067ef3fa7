"""A functional Keras model as the Python that a good engineer would have written for it."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from nervura.code_text import LINE, call_lines, import_line, quoted
from nervura.errors import RunError

CONSTANTS = {
    "units": "HIDDEN",
    "filters": "FILTERS",
    "output_dim": "EMBEDDING",
    "key_dim": "KEY_WIDTH",
    "num_heads": "HEADS",
    "rate": "DROPOUT",
}
"""Arguments that a reader will want to change, and the constants at the top of the file that hold them."""

HOUSES = ("applications", "constraints", "initializers", "layers", "ops", "regularizers")
"""The modules of Keras that generated code imports from."""


@dataclass(frozen=True)
class Constant:
    """A value that stands at the top of the file under a name, and the code around the name where it is used."""

    stem: str
    value: Any
    around: str = "{}"


Argument = tuple[str | None, str | Constant]
"""A keyword, None for an argument known by its place, and the value as code."""


@dataclass
class Step:
    """One line ``target = callee(arguments)(inputs)``; without ``inputs`` or arguments those brackets fall away."""

    target: str
    callee: str
    arguments: list[Argument] | None = None
    inputs: str | None = None


@dataclass
class Loop:
    """Steps that are repeated: a number in their names may count up, and one constant may change from turn to turn."""

    steps: list[Step]
    turns: int
    first: int | None
    varying: Constant | None


def model_source(
    model: keras.Model,
    sizes: list[int],
    inner: dict[str, tuple[str, dict[str, Any]]] | None = None,
    stems: dict[str, str] | None = None,
) -> tuple[str, list[type]]:
    """The text of ``model.py``, with one function ``build_model``, and the classes it takes from ``layers.py``.

    Args:
        model: any functional model of single layers.
        inner: for each model inside it, by its name, the function of ``keras.applications`` that makes it and what that
            is told besides its input.
        sizes: the number of codes of each category, which the file takes from ``data.SIZES``.
        stems: by the names of layers, which other code knows them by, the constants that hold their widths; empty where
            nobody can change it.

    Raises:
        RunError: the model cannot be written so.
    """
    if not hasattr(model, "_inputs_struct"):
        raise _unknown(f"the model '{model.name}', which is not a functional one")
    graph = _Graph(model, sizes, inner or {}, stems or {})
    steps = graph.steps()
    # A single input may be renamed first, where the first block is then like the others.
    parts = min((fold(way) for way in (steps, _renamed_input(steps, graph))), key=_length)
    named = _named(parts)
    body = graph.input_lines()
    for part in parts:
        body += _loop_lines(part, named) if isinstance(part, Loop) else _step_lines(part, named, 4)
    body += graph.output_lines()
    text = "\n".join(body)
    houses = [house for house in HOUSES if re.search(rf"(?<![\w.]){house}\.", text)]
    local = ["from data import SIZES"] if "SIZES" in text else []
    if graph.custom:
        names = sorted(cls.__name__ for cls in graph.custom)
        local.append(import_line("layers", names))
    blocks = [
        '"""The network from inputs to outputs. Change a width here, then run train.py again."""',
        "\n".join(["import keras", *([f"from keras import {', '.join(houses)}"] if houses else [])]),
        "\n".join(local),
        "\n".join(f"{name} = {constant.value!r}" for constant, name in named.items()),
        f'\ndef build_model() -> keras.Model:\n    """The network with fresh weights."""\n{text}',
    ]
    return "\n\n".join(block for block in blocks if block) + "\n", graph.custom


def layers_source(classes: list[type], package: str = "exported") -> str:
    """The text of ``layers.py``: the classes as they stand in this package, with all that they use.

    Args:
        package: the name under which Keras registers them there.
    """
    return definitions_source(classes, "Layers that Keras does not have.", package)


def definitions_source(things: Sequence[Any], about: str, package: str = "exported") -> str:
    """The text of a module of classes and functions as they stand in this package, with all that they use.

    Args:
        about: its docstring.
        package: as for ``layers_source``.
    """
    taken = _Definitions()
    for thing in things:
        taken.add(thing.__name__, sys.modules[thing.__module__])
    code = taken.code().replace('package="nervura"', f'package="{package}"')
    # Docstrings name things by their modules here, which are not there.
    code = re.sub(rf"``{__package__}\.(?:\w+\.)*(\w+)``", r"``\1``", code)
    sections = []
    for test in (
        lambda name: name == "__future__",
        lambda name: name in sys.stdlib_module_names and name != "__future__",
        lambda name: name not in sys.stdlib_module_names and name != "__future__",
    ):
        lines = sorted(line for line in taken.plain if test(line.split()[1].split(".")[0]))
        lines += [
            import_line(name, sorted(found))
            for name, found in sorted(taken.members.items())
            if test(name.split(".")[0])
        ]
        if lines:
            sections.append("\n".join(lines))
    # Two blank lines stand before a class or function, one before a constant.
    gap = "\n\n\n" if code.startswith(("@", "class", "def")) else "\n\n"
    return f'"""{about}"""\n\n' + "\n\n".join(sections) + gap + code + "\n"


Place = tuple[str, int]
"""A definition: its module and its line there."""


class _Definitions:
    """Definitions of this package, each after those that it uses, and what they import from elsewhere.

    Attributes:
        texts: by place.
        names: what each of them defines.
        uses: for each the places of what it uses, by the name that it has there.
        plain: lines such as ``import numpy as np``.
        members: what is imported from each module.
    """

    def __init__(self) -> None:
        self.texts: dict[Place, str] = {}
        self.names: dict[Place, set[str]] = {}
        self.uses: dict[Place, dict[str, Place]] = {}
        self.plain: set[str] = set()
        self.members: dict[str, set[str]] = {"__future__": {"annotations"}}

    def add(self, name: str, module: Any) -> Place:
        """Takes the definition of ``name`` in ``module`` after all that it uses."""
        text = inspect.getsource(module)
        tree = ast.parse(text)
        definition = next(node for node in tree.body if name in _defined(node))
        place = (module.__name__, definition.lineno)
        if place in self.names:
            return place
        self.names[place], self.uses[place] = _defined(definition), {}
        used = {node.id for node in ast.walk(definition) if isinstance(node, ast.Name)} - self.names[place]
        for node in _statements(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name.split(".")[0]) in used:
                        self.plain.add(f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else ""))
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) not in used:
                        continue
                    if (node.module or "").startswith(__package__):
                        found = self.add(alias.name, sys.modules[str(node.module)])
                        self.uses[place][alias.asname or alias.name] = found
                    else:
                        shown = alias.name + (f" as {alias.asname}" if alias.asname else "")
                        self.members.setdefault(str(node.module), set()).add(shown)
            else:
                for other in sorted(_defined(node) & used):
                    self.uses[place][other] = self.add(other, module)
        first = min([definition.lineno, *(d.lineno for d in getattr(definition, "decorator_list", []))])
        self.texts[place] = "\n".join(text.splitlines()[first - 1 : definition.end_lineno])
        return place

    def code(self) -> str:
        """All of them. Names that several modules give to different things begin with the module's there."""
        homes = Counter(name for place in self.texts for name in self.names[place])
        blocks = []
        for place, text in self.texts.items():
            own = {name: place for name in self.names[place]}
            for name, home in (own | self.uses[place]).items():
                if homes[name] > 1:
                    stem = home[0].rpartition(".")[2]
                    new = f"{stem.upper() if name.isupper() else stem}_{name}"
                    text = re.sub(rf"(?<![\w.]){name}\b", new, text)
            blocks.append(text)
        return "\n\n\n".join(blocks)


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """The statements of a module, with the imports that are for type checkers alone."""
    asked = [node for node in tree.body if isinstance(node, ast.If)]
    return [*tree.body, *(inner for node in asked for inner in node.body)]


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


class _Graph:
    """The calls of a model, each as a step."""

    def __init__(
        self, model: Any, sizes: list[int], inner: dict[str, tuple[str, dict[str, Any]]], stems: dict[str, str]
    ):
        self.model, self.sizes, self.inner, self.stems = model, sizes, inner, stems
        self.custom: list[type] = []
        self.names = {id(tensor): _identifier(tensor.name) for tensor in model.inputs}

    def input_lines(self) -> list[str]:
        lines = []
        for tensor in self.model.inputs:
            dtype = "" if tensor.dtype == "float32" else f', dtype="{tensor.dtype}"'
            shape = tuple(tensor.shape[1:])
            lines.append(
                f"    {self.names[id(tensor)]} = keras.Input({shape!r}{dtype}, name={quoted(tensor._keras_history[0].name)})"
            )
        return lines

    def output_lines(self) -> list[str]:
        ends = [self.code(self.model._inputs_struct), self.code(self.model._outputs_struct)]
        return call_lines("    return keras.Model(", [*ends, f"name={quoted(self.model.name)}"], ")", 4)

    def steps(self) -> list[Step]:
        nodes = self._nodes()
        last_use = {id(tensor): i for i, node in enumerate(nodes) for tensor in node.input_tensors}
        last_use |= {id(tensor): len(nodes) for tensor in self.model.outputs}
        calls = Counter(id(node.operation) for node in nodes)
        steps: list[Step] = []
        variables: dict[int, str] = {}
        busy_until = dict.fromkeys(self.names.values(), len(nodes))
        # Whoever changes the width of the last layer with one changes the number of answers.
        last_wide = max((i for i, node in enumerate(nodes) if hasattr(node.operation, "units")), default=-1)
        for i, node in enumerate(nodes):
            inputs = self._inputs(node)
            target = _free_name(node.operation.name, busy_until, i)
            outputs = node.output_tensors
            parts = [target] if len(outputs) == 1 else [f"{target}_{k}" for k in range(1, len(outputs) + 1)]
            for tensor, part in zip(outputs, parts, strict=True):
                self.names[id(tensor)] = part
                busy_until[part] = last_use.get(id(tensor), i)
            operation = node.operation
            if not isinstance(operation, keras.layers.Layer):
                steps.append(self._operation(operation, ", ".join(parts), inputs, node))
            elif calls[id(operation)] == 1:
                # Members of an ensemble give the outputs one by one before their mean is taken.
                final = operation.name.endswith("members") or i == last_wide
                final = final or any(tensor is end for tensor in outputs for end in self.model.outputs)
                steps.append(Step(", ".join(parts), *self._layer(operation, final), inputs))
            else:
                if id(operation) not in variables:
                    variables[id(operation)] = f"{_identifier(operation.name)}_layer"
                    steps.append(Step(variables[id(operation)], *self._layer(operation)))
                steps.append(Step(", ".join(parts), variables[id(operation)], [(None, inputs)]))
        return steps

    def _nodes(self) -> list[Any]:
        """The calls in an order that finishes one branch before it begins the next."""
        done: dict[int, Any] = {}
        stack = [(_node(tensor), False) for tensor in reversed(self.model.outputs)]
        while stack:
            node, ready = stack.pop()
            if id(node) in done or node.is_input:
                continue
            if ready:
                done[id(node)] = node
            else:
                stack.append((node, True))
                stack.extend((_node(tensor), False) for tensor in reversed(node.input_tensors))
        return list(done.values())

    def _inputs(self, node: Any) -> str:
        given = [self.code(value) for value in node.arguments.args]
        for key, value in node.arguments.kwargs.items():
            # Keras notes training=False at every layer that has the argument; only True was ever asked for.
            if value is not None and (key, value) != ("training", False):
                given.append(f"{key}={self.code(value)}")
        return ", ".join(given)

    def _operation(self, operation: Any, target: str, inputs: str, node: Any) -> Step:
        name = _snake(type(operation).__name__)
        if name == "get_item":
            tensor, key = node.arguments.args
            shown = ", ".join(map(_subscript, key)) if isinstance(key, tuple) else _subscript(key)
            return Step(target, f"{self.code(tensor)}[{shown}]")
        function = getattr(keras.ops, name, None)
        if function is None:
            raise _unknown(f"the operation '{type(operation).__name__}'")
        known = inspect.signature(function).parameters
        arguments: list[Argument] = [(None, inputs)]
        for key, value in operation.get_config().items():
            if key in known and key != "name" and known[key].default != value:
                arguments.append((key, self.code(value)))
        return Step(target, f"ops.{name}", arguments)

    def _layer(self, layer: Any, final: bool = False) -> tuple[str, list[Argument]]:
        """The class of a layer as code, and the arguments that differ from its defaults."""
        if isinstance(layer, keras.Model) and layer.name in self.inner:
            made_by, told = self.inner[layer.name]
            told = {
                "include_top": False,
                "weights": None,
                "input_shape": layer.inputs[0].shape[1:],
                **told,
                "name": layer.name,
            }
            return f"applications.{made_by}", [(name, self.code(value)) for name, value in told.items()]
        if isinstance(layer, keras.Model):
            raise _unknown(f"'{layer.name}', a model inside the model")
        cls = type(layer)
        if cls.__module__.split(".")[0] == "keras":
            callee = f"layers.{cls.__name__}"
        else:
            callee = cls.__name__
            if cls not in self.custom:
                self.custom.append(cls)
        arguments: list[Argument] = []
        for name, value in _telling(layer):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            shown: str | Constant
            stem = self.stems.get(layer.name, "" if final else CONSTANTS.get(name, "")) if name in CONSTANTS else ""
            if number and stem:
                shown = Constant(stem, value)
            else:
                shown = self._from_sizes(value) if self.sizes and isinstance(value, list) else self.code(value)
            arguments.append((None if name == _first_parameter(cls) else name, shown))
        if layer.dtype_policy.name != keras.config.dtype_policy().name:
            arguments.append(("dtype", quoted(layer.dtype_policy.name)))
        if layer.name in self.stems or not re.fullmatch(rf"{_snake(cls.__name__)}(_\d+)?", layer.name):
            arguments.append(("name", quoted(layer.name)))
        return callee, arguments

    def _from_sizes(self, value: list[Any]) -> str | Constant:
        """Lists that follow from the numbers of levels are written as what they follow from."""
        if (
            value != self.sizes
            and all(isinstance(item, int) for item in value)
            and value == [min(max(value), size) for size in self.sizes]
        ):
            return Constant("EMBEDDING", max(value), "[min({}, size) for size in SIZES]")
        return self.code(value)

    def code(self, value: Any) -> str:
        """A value as code: tensors by their variables, what Keras has serialised as the call that makes it."""
        if isinstance(value, keras.KerasTensor):
            return self.names[id(value)]
        if isinstance(value, dict) and "class_name" in value and "config" in value:
            return self._object(keras.saving.deserialize_keras_object(value))
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.code(k)}: {self.code(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            if self.sizes and value == self.sizes:
                return "SIZES"
            if len(value) > 8 and len(set(map(repr, value))) == 1:
                return f"[{self.code(value[0])}] * {len(value)}"
            return "[" + ", ".join(map(self.code, value)) + "]"
        if isinstance(value, tuple):
            return "(" + ", ".join(map(self.code, value)) + ("," if len(value) == 1 else "") + ")"
        return quoted(value) if isinstance(value, str) else repr(value)

    def _object(self, value: Any) -> str:
        if isinstance(value, keras.layers.Layer):
            callee, arguments = self._layer(value)
            shown = [
                (key, self.code(given.value) if isinstance(given, Constant) else given) for key, given in arguments
            ]
            return f"{callee}({', '.join(f'{key}={text}' if key else text for key, text in shown)})"
        if isinstance(value, keras.DTypePolicy):
            return quoted(value.name)
        if inspect.isfunction(value):
            return quoted(value.__name__)
        name = type(value).__name__
        house = next((house for house in HOUSES if hasattr(getattr(keras, house), name)), None)
        if house is None and type(value).__module__.split(".")[0] == __package__:
            if type(value) not in self.custom:
                self.custom.append(type(value))
            return f"{name}({', '.join(f'{key}={self.code(item)}' for key, item in _telling(value))})"
        if house is None:
            raise _unknown(f"'{name}' inside a layer")
        telling = _telling(value)
        if not telling and house == "initializers":
            return quoted(_snake(name))
        return f"{house}.{name}({', '.join(f'{key}={self.code(item)}' for key, item in telling)})"


def _node(tensor: Any) -> Any:
    operation, place, _ = tensor._keras_history
    return operation._inbound_nodes[place]


def _telling(thing: Any) -> list[tuple[str, Any]]:
    """The arguments of a layer, initialiser or regulariser that are needed or differ from the defaults. Seeds are left
    out: one seed for all is set where training begins."""
    config = _seedless(thing.get_config())
    parameters = _parameters(type(thing))
    needed = {name: config[name] for name, p in parameters.items() if p.default is p.empty and name in config}
    defaults = _seedless(_made(type(thing), needed).get_config())
    names = [*parameters, *({"trainable"} & config.keys() - parameters.keys())]
    return [
        (name, config[name])
        for name in names
        if name in config and name not in ("name", "dtype") and (name in needed or config[name] != defaults.get(name))
    ]


def _made(cls: Any, arguments: dict[str, Any]) -> Any:
    try:
        return cls.from_config(dict(arguments))
    except KeyError:  # Keras's Rescaling reads its defaults from a configuration that has them
        return cls(**arguments)


def _seedless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _seedless(item) for key, item in value.items() if key != "seed"}
    if isinstance(value, list):
        return [_seedless(item) for item in value]
    return value


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    found = inspect.signature(cls).parameters.values()
    return {p.name: p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _first_parameter(cls: type) -> str | None:
    return next(iter(_parameters(cls)), None)


def _free_name(layer: str, busy_until: dict[str, int], now: int) -> str:
    """``x`` for what flows on, ``h`` for what flows beside it, else the layer's own name without its number."""
    own = re.sub(r"_?\d+$", "", _identifier(layer)) or "branch"
    for name in ("x", "h", own, *(f"{own}_{k}" for k in range(2, now + 3))):
        if busy_until.get(name, -1) <= now:
            return name
    raise AssertionError("fewer variables than steps are busy at once")


def _identifier(name: str) -> str:
    text = re.sub(r"\W", "_", name)
    taken = keyword.iskeyword(text) or hasattr(builtins, text) or text in (*HOUSES, "keras", "x", "h", "i")
    return f"{text}_tensor" if taken else f"_{text}" if text[:1].isdigit() else text


def _subscript(key: Any) -> str:
    if isinstance(key, slice):
        start, stop, step = ("" if end is None else repr(end) for end in (key.start, key.stop, key.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if key is Ellipsis else repr(key)


def _unknown(what: str) -> RunError:
    return RunError(f"Code is written for networks of plain layers; this one holds {what}. Write --to keras instead.")


def _snake(name: str) -> str:
    text = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


# --- Repeated blocks ---


def fold(steps: list[Step]) -> list[Step | Loop]:
    """Neighbouring blocks of steps that differ in numbers alone, as loops."""
    parts: list[Step | Loop] = []
    i = 0
    while i < len(steps):
        rest = steps[i:]
        loops = [loop for period in range(1, len(rest) // 2 + 1) if (loop := _repeated(rest, period)) is not None]
        best = max(loops, key=lambda loop: (len(loop.steps) * loop.turns, -len(loop.steps)), default=None)
        # A loop that saves one line is harder to read than the two lines.
        if best is not None and len(best.steps) * (best.turns - 1) > 1:
            parts.append(best)
            i += len(best.steps) * best.turns
        else:
            parts.append(steps[i])
            i += 1
    return parts


def _renamed_input(steps: list[Step], graph: _Graph) -> list[Step]:
    inputs = list(graph.names.values())[: len(graph.model.inputs)]
    if len(inputs) > 1 or [step.inputs for step in steps].count(inputs[0]) != 1 or steps[0].inputs != inputs[0]:
        return steps
    return [Step("x", inputs[0]), Step(steps[0].target, steps[0].callee, steps[0].arguments, "x"), *steps[1:]]


def _length(parts: list[Step | Loop]) -> int:
    return sum(len(part.steps) + 1 if isinstance(part, Loop) else 1 for part in parts)


def _repeated(steps: list[Step], period: int) -> Loop | None:
    blocks = [steps[start : start + period] for start in range(0, len(steps) - period + 1, period)]
    shape = [_shape(step) for step in blocks[0]]
    turns = next((k for k, block in enumerate(blocks) if [_shape(step) for step in block] != shape), len(blocks))
    for count in range(turns, 1, -1):
        loop = _loop(blocks[:count])
        if loop is not None:
            return loop
    return None


def _shape(step: Step) -> tuple[Any, ...]:
    """What must be equal in all turns: everything but constants and the last number in a name."""
    arguments = tuple(
        (
            key,
            (given.stem, given.around)
            if isinstance(given, Constant)
            else _around(given)[0]
            if key == "name"
            else given,
        )
        for key, given in step.arguments or ()
    )
    return (step.target, step.callee, step.arguments is None, arguments, step.inputs)


def _around(name: str) -> tuple[str, int | None]:
    """A quoted name with ``{i}`` in place of its last number, and the number."""
    found = re.fullmatch(r"(.*?)(\d+)(\D*)", name)
    return (name, None) if found is None else (f"{found[1]}{{i}}{found[3]}", int(found[2]))


def _loop(blocks: list[list[Step]]) -> Loop | None:
    """A loop over blocks of one shape, or None where more than one thing changes from turn to turn."""
    numbers: set[tuple[int, ...]] = set()
    changing: set[tuple[Constant, ...]] = set()
    steps = []
    for versions in zip(*blocks, strict=True):
        arguments: list[Argument] = []
        for given in zip(*(step.arguments or () for step in versions), strict=True):
            key, first = given[0]
            values = tuple(value for _, value in given)
            if isinstance(first, Constant):
                if len(set(values)) > 1:
                    changing.add(values)  # type: ignore[arg-type]
                    first = _turn_of(values)  # type: ignore[arg-type]
            elif key == "name" and len(set(values)) > 1:
                numbers.add(tuple(_around(str(value))[1] or 0 for value in values))
                first = "f" + _around(first)[0]
            arguments.append((key, first))
        first_step = versions[0]
        kept = None if first_step.arguments is None else arguments
        steps.append(Step(first_step.target, first_step.callee, kept, first_step.inputs))
    if len(numbers) > 1 or len(changing) > 1:
        return None
    counted = next(iter(numbers), None)
    if counted is not None and list(counted) != list(range(counted[0], counted[0] + len(blocks))):
        return None
    return Loop(steps, len(blocks), counted[0] if counted else None, _turn_of(*changing) if changing else None)


def _turn_of(values: tuple[Constant, ...]) -> Constant:
    return Constant(values[0].stem, tuple(constant.value for constant in values), values[0].around)


# --- Lines ---


def _named(parts: Iterable[Step | Loop]) -> dict[Constant, str]:
    """The constants by their names; several of one stem are numbered."""
    found: dict[Constant, str] = {}
    for part in parts:
        for step in part.steps if isinstance(part, Loop) else [part]:
            for _, given in step.arguments or ():
                if isinstance(given, Constant):
                    found[Constant(given.stem, given.value)] = given.stem
    stems = Counter(found.values())
    seen: Counter[str] = Counter()
    for constant, stem in found.items():
        seen[stem] += 1
        if stems[stem] > 1:
            found[constant] = f"{stem}_{seen[stem]}"
    return found


def _step_lines(step: Step, named: dict[Constant, str], indent: int) -> list[str]:
    shown = []
    for key, given in step.arguments or ():
        if isinstance(given, Constant):
            given = given.around.format(named[Constant(given.stem, given.value)])
        shown.append(f"{key}={given}" if key else given)
    begin = f"{' ' * indent}{step.target} = {step.callee}"
    if step.arguments is None:
        return [begin]
    head = f"{begin}({', '.join(shown)})("
    if step.inputs is not None and len(head) <= LINE < len(f"{head}{step.inputs})"):
        return [head, f"{' ' * (indent + 4)}{step.inputs}", f"{' ' * indent})"]
    return call_lines(begin + "(", shown, ")" if step.inputs is None else f")({step.inputs})", indent)


def _loop_lines(loop: Loop, named: dict[Constant, str]) -> list[str]:
    own = dict(named)
    if loop.varying is None:
        stop = f"{loop.first}, {loop.first + loop.turns}" if loop.first else str(loop.turns)
        header = f"    for {'_' if loop.first is None else 'i'} in range({stop}):"
    else:
        one = "rate" if loop.varying.stem == "DROPOUT" else "width"
        values = named[Constant(loop.varying.stem, loop.varying.value)]
        own[Constant(loop.varying.stem, loop.varying.value)] = one
        if loop.first is None:
            header = f"    for {one} in {values}:"
        else:
            start = f", start={loop.first}" if loop.first else ""
            header = f"    for i, {one} in enumerate({values}{start}):"
    return [header, *(line for step in loop.steps for line in _step_lines(step, own, 8))]
