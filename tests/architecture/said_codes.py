"""Every code that the source says of anything, found in its syntax and not by running it.

A code is what is handed on as a parameter or field named `code` (of conditions: `reason`), or is
written under the key "code". Followed are constants, choices between two, tables, what a function
returns, and what a name was assigned. Whatever cannot be followed is an error: nobody can hide a
code from the table of reasons by the way it is written.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from modelwarden.domain.gate_results import is_code

PACKAGE = "modelwarden"
NAMES = ("code", "reason")
# What is built from another value that has the code hands it on as it is.
HANDED_ON = {"code", "reason", "value"}
# A `reason` is a code in these; elsewhere it is a person's rationale.
CONDITIONS = {"Condition", "is_false", "is_true", "is_unknown"}
CLEANERS = {"_code", "str"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


class CannotFollowError(Exception):
    """A code is said in a way that cannot be read from the syntax."""


@dataclass(frozen=True)
class Said:
    """One place where a code is said, and by which function or class."""

    code: str
    by: str
    where: str


@dataclass(frozen=True)
class _Sink:
    """Where a callable takes a code: by position too, unless that is None."""

    parameter: str
    position: int | None


@dataclass
class Module:
    """One module: its top-level names, what it imports, and who says codes in it."""

    name: str
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            parent = waiting.pop()
            children = list(ast.iter_child_nodes(parent))
            self.parents |= dict.fromkeys(children, parent)
            waiting += children

    @cached_property
    def constants(self) -> Mapping[str, ast.expr]:
        """What is assigned at the top."""
        found: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                found |= {t.id: node.value for t in node.targets if isinstance(t, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                found |= {node.target.id: node.value} if isinstance(node.target, ast.Name) else {}
        return found

    @cached_property
    def callables(self) -> Mapping[str, Function | ast.ClassDef]:
        """The functions and classes at the top."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return {node.name: node for node in self.tree.body if isinstance(node, kinds)}

    @cached_property
    def methods(self) -> Mapping[str, Function]:
        """The methods of its classes."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        return {n.name: n for each in classes for n in each.body if isinstance(n, kinds)}

    @cached_property
    def imports(self) -> Mapping[str, tuple[str, str]]:
        """The names that come from other modules of ours."""
        return {
            alias.asname or alias.name: (node.module, alias.name)
            for node in self.parents
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
            if node.module.split(".")[0] == PACKAGE
        }

    def function_around(self, node: ast.AST) -> Function | None:
        """The innermost function that a node is in."""
        current: ast.AST | None = self.parents.get(node)
        while current is not None and not isinstance(current, Function):
            current = self.parents.get(current)
        return current


class Source:
    """All modules, to be asked for the codes that they say."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._modules = {name: Module(name, tree) for name, tree in trees.items()}

    def said(self) -> Iterator[Said]:
        """Every code, wherever it is said."""
        for module in self._modules.values():
            for node in module.parents:
                for by, expression in self._spoken(node, module):
                    where = f"{module.name}:{expression.lineno}"
                    for code in self._codes(expression, module, node):
                        yield Said(code, by, where)

    def _spoken(self, node: ast.AST, module: Module) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(node, ast.Call):
            yield from self._handed_over(node, module)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield "dict", value

    def _handed_over(self, call: ast.Call, module: Module) -> Iterator[tuple[str, ast.expr]]:
        name = _name_of(call.func)
        if name == "replace":
            yield from ((name, word.value) for word in call.keywords if word.arg == "code")
            return
        if name == "Line":
            # Gates and people have lines too; a code is what begins with a capital.
            yield from (
                (name, word)
                for word in call.args
                if isinstance(word, ast.Constant) and is_code(word.value)
            )
        for sink in self._sinks(call.func, module):
            yield from ((name, word.value) for word in call.keywords if word.arg == sink.parameter)
            if sink.position is not None and sink.position < len(call.args):
                yield name, call.args[sink.position]

    def _sinks(self, called: ast.expr, module: Module) -> Iterable[_Sink]:
        found = self._definition(called, module)
        if found is not None:
            return _parameters(found[1])
        if isinstance(called, ast.Attribute) and called.attr in module.methods:
            method = module.methods[called.attr]
            return [_Sink(sink.parameter, None) for sink in _parameters(method)]
        return ()

    def _definition(
        self, called: ast.expr, module: Module
    ) -> tuple[Module, Function | ast.ClassDef] | None:
        home, name = self._place(called, module)
        if home is None or name not in home.callables:
            return None
        return home, home.callables[name]

    def _place(self, node: ast.expr, module: Module) -> tuple[Module | None, str]:
        """Find the module in which a name is at home."""
        if isinstance(node, ast.Name):
            if node.id in module.imports:
                home, name = module.imports[node.id]
                return self._modules.get(home), name
            return module, node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            home = ".".join(module.imports.get(node.value.id, ("", "")))
            return self._modules.get(home), node.attr
        return None, ""

    def _codes(self, node: ast.expr, module: Module, at: ast.AST) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Constant(value=None):
                return
            case ast.IfExp(body=one, orelse=other):
                yield from self._codes(one, module, at)
                yield from self._codes(other, module, at)
            case ast.BoolOp(values=values):
                for value in values:
                    yield from self._codes(value, module, at)
            case ast.Attribute(attr=name) if name in HANDED_ON:
                return
            case ast.Subscript(slice=ast.Constant(value=name)) if name in HANDED_ON:
                return
            case ast.Call(
                func=ast.Attribute(attr="get"), args=[ast.Constant(value=name), *others]
            ) if name in HANDED_ON:
                for other in others:
                    yield from self._codes(other, module, at)
            case (
                ast.Subscript(value=ast.Name(id=name))
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"))
            ) if isinstance(module.constants.get(name), ast.Dict):
                for value in self._in_table(node, module.constants[name]):
                    yield from self._codes(value, module, at)
            case ast.Call(func=ast.Name(id=name), args=[inner]) if name in CLEANERS:
                yield from self._codes(inner, module, at)
            case ast.Call(func=called):
                yield from self._returned(called, module, node)
            case ast.Subscript() | ast.Tuple() | ast.Name() | ast.Attribute():
                yield from self._named(node, module, at)
            case _:
                raise self._cannot(node, module)

    def _in_table(self, node: ast.expr, table: ast.expr) -> Iterator[ast.expr]:
        if isinstance(table, ast.Dict):
            yield from table.values
        yield from node.args[1:] if isinstance(node, ast.Call) else ()

    def _returned(self, called: ast.expr, module: Module, node: ast.expr) -> Iterator[str]:
        found = self._definition(called, module)
        if found is None or isinstance(found[1], ast.ClassDef):
            raise self._cannot(node, module)
        home, function = found
        for statement in ast.walk(function):
            if isinstance(statement, ast.Return) and statement.value is not None:
                yield from self._codes(statement.value, home, statement)

    def _named(self, node: ast.expr, module: Module, at: ast.AST) -> Iterator[str]:
        home, name = self._place(node, module)
        function = module.function_around(at) if isinstance(node, ast.Name) else None
        if function is not None and isinstance(node, ast.Name):
            assigned = list(self._assigned(node.id, function, module))
            if assigned:
                yield from (code for value in assigned for code in self._codes(value, module, at))
                return
            if node.id in NAMES and node.id in _arguments(function):
                # Whoever calls it says the code, and is asked there.
                return
        if home is not None and name in home.constants:
            yield from self._codes(home.constants[name], home, home.tree)
            return
        raise self._cannot(node, module)

    def _assigned(self, name: str, function: Function, module: Module) -> Iterator[ast.expr]:
        for statement in ast.walk(function):
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    yield from self._unpacked(target, statement.value, name, module)

    def _unpacked(
        self, target: ast.expr, value: ast.expr, name: str, module: Module
    ) -> Iterator[ast.expr]:
        if isinstance(target, ast.Name) and target.id == name:
            yield from self._rows(value, module)
        elif isinstance(target, ast.Tuple):
            names = [each.id if isinstance(each, ast.Name) else "" for each in target.elts]
            if name in names:
                for row in self._rows(value, module):
                    if not isinstance(row, ast.Tuple):
                        raise self._cannot(row, module)
                    yield row.elts[names.index(name)]

    def _rows(self, value: ast.expr, module: Module) -> Iterator[ast.expr]:
        """The values that an expression may have: those of a table, or itself."""
        if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
            table = module.constants.get(value.value.id)
            if isinstance(table, ast.Dict):
                yield from table.values
                return
        yield value

    def _cannot(self, node: ast.expr, module: Module) -> CannotFollowError:
        return CannotFollowError(f"{module.name}:{node.lineno}: {ast.unparse(node)}")


def _name_of(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _parameters(found: Function | ast.ClassDef) -> list[_Sink]:
    if isinstance(found, ast.ClassDef):
        own = [node for node in found.body if isinstance(node, ast.FunctionDef)]
        made = next((node for node in own if node.name == "__init__"), None)
        if made is not None:
            return [
                _Sink(sink.parameter, None if sink.position is None else sink.position - 1)
                for sink in _parameters(made)
            ]
        fields = {
            node.target.id: node.annotation
            for node in found.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
        return [
            _Sink(name, list(fields).index(name))
            for name in _asked(found.name)
            if name in fields and not _is_number(fields[name])
        ]
    positional = [each.arg for each in (*found.args.posonlyargs, *found.args.args)]
    return [
        _Sink(name, positional.index(name) if name in positional else None)
        for name in _asked(found.name)
        if name in _arguments(found)
    ]


def _asked(name: str) -> tuple[str, ...]:
    return NAMES if name in CONDITIONS else NAMES[:1]


def _arguments(function: Function) -> set[str]:
    """The parameters that take a text: a number is no code, but a status of HTTP."""
    args = function.args
    listed = (*args.posonlyargs, *args.args, *args.kwonlyargs)
    return {each.arg for each in listed if not _is_number(each.annotation)}


def _is_number(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "int"
