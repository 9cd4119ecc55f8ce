# SPDX-License-Identifier: Apache-2.0
"""export: a PyTorch velocity as a .flow program and its weights.

torch.fx traces the module; every node of its graph becomes an expression for one point, its shape being that of the example less
the batch.  What has no translation is named with its place: nothing is approximated.  torch is imported by export alone.
"""

import contextlib
import itertools
import json
import math
import operator
import pathlib
import struct

import numpy as np


class Untranslatable(ValueError):
    """The module does something that export does not know; `node` is torch.fx's name of it."""

    def __init__(self, text, node=None):
        super().__init__(text)
        self.node = node


# The reserved words of .flow; they name nothing.
_RESERVED = frozenset("let dim fn field network map density check flow for if then else and or not".split())


class _Value:
    """An expression for one point: `text`, whether it is one operand, and its shape."""

    def __init__(self, text, shape, simple=True, pipe=False):
        self.text, self.shape, self.simple, self.pipe = text, tuple(shape), simple, pipe

    def operand(self):
        return self.text if self.simple else "(%s)" % self.text

    def scalar(self):
        """[1] is no scalar in .flow."""
        return self.operand() if self.shape == () else "%s[0]" % self.operand()

    def parts(self):
        """Within brackets: a bracket in a bracket would be a row of a matrix."""
        depth = 0
        for i, c in enumerate(self.text):
            depth += (c in "[(") - (c in "])")
            if depth == 0 and (i + 1 < len(self.text) or self.text[0] != "["):
                return self.text
        return self.text[1:-1]

    def vector(self):
        return self if self.shape else _Value("[%s]" % self.text, (1,))


def _quotable(name):
    """A text of .flow has no escapes and ends on its line."""
    return '"' not in name and name.isprintable()


def _number(value):
    if not math.isfinite(value):
        raise Untranslatable("the number %r has no translation into .flow" % value)
    return "%s" % repr(float(value)) if value != int(value) else "%d" % int(value)


def _below(form):
    """max(a, 0) and another form of min(a, 0), for what the prelude has with one parameter only."""
    return lambda a: _Value("max(%s, 0) + %s" % (a.text, form % ("min(%s, 0)" % a.text)), a.shape, simple=False)


def _modules(nn):
    """What a module without weights becomes: a name of the prelude for a pipe, or a function of the value."""
    return {
        nn.ReLU: lambda m: "relu",
        nn.ELU: lambda m: "elu" if m.alpha == 1 else _below(_number(m.alpha) + "*expm1(%s)"),
        nn.LeakyReLU: lambda m: "leaky_relu" if m.negative_slope == 0.01 else _below(_number(m.negative_slope) + "*%s"),
        nn.SELU: lambda m: "selu",
        nn.SiLU: lambda m: "silu",
        nn.Mish: lambda m: "mish",
        nn.GELU: lambda m: "gelu" if m.approximate == "none" else "gelu_tanh",
        nn.Tanh: lambda m: "tanh",
        nn.Sigmoid: lambda m: "sigmoid",
        nn.Softplus: lambda m: "softplus" if m.beta == 1 and m.threshold == 20 else None,
        nn.Softmax: lambda m: "softmax" if m.dim in (-1, 1) else None,
        nn.Identity: lambda m: "",
        nn.Dropout: lambda m: "" if not m.training or m.p == 0 else None,
    }


def _functions(torch):
    """Functions of one tensor, by the name that .flow has for them."""
    F, names = torch.nn.functional, {}
    for name in ("tanh", "sigmoid", "exp", "log", "sqrt", "sin", "cos", "abs", "erf", "expm1", "log1p"):
        names[getattr(torch, name)] = names[name] = name
    for name in ("relu", "silu", "mish", "selu", "softplus", "tanh", "sigmoid"):
        names[getattr(F, name)] = name
    names[torch.relu] = names["relu"] = "relu"
    return names


def _called(torch):
    """What a program of export's may call: a parameter of such a name would hide it."""
    layers = {"linear", "layer_norm", "embedding", "param"}
    return layers | set(_functions(torch).values()) | {"elu", "leaky_relu", "gelu", "gelu_tanh", "softmax", "max", "min", "expm1"}


class _Translation:
    def __init__(self, torch, module, inputs, taken):
        self.torch, self.module, self.inputs = torch, module, inputs
        self.lines, self.weights, self.values = [], {}, {}
        self.batched = set()    # nodes that have an axis for the points, as parameters have not
        self.modules, self.functions = _modules(torch.nn), _functions(torch)
        self.names = ("h%d" % i for i in itertools.count(1) if "h%d" % i not in taken)
        self.counter = next(name for name in itertools.chain("k", ("k%d" % i for i in itertools.count(1))) if name not in taken)

    def refuse(self, node, what):
        place = " in `%s`" % node.target if node.op == "call_module" else ""
        raise Untranslatable("%s (node `%s`%s) has no translation into .flow" % (what, node.name, place), node.name)

    def take(self, name, tensor):
        if name in self.weights:
            raise Untranslatable("`%s` is used twice; a layer of .flow stands at one place" % name, name)
        if not _quotable(name):
            raise Untranslatable("the name %r cannot stand in quotes in a .flow" % name, name)
        if tensor.dtype not in (self.torch.float64, self.torch.float32, self.torch.float16):
            raise Untranslatable("`%s` is of %s; weights of .flow are float64, float32 or float16" % (name, tensor.dtype), name)
        self.weights[name] = tensor.detach().cpu().numpy()

    # ---- nodes ----

    def shape(self, node):
        about = node.meta.get("tensor_meta")
        if about is None:
            self.refuse(node, "a value that is no tensor")
        return tuple(about.shape[node in self.batched:])

    def check_axes(self, node):
        """Two tensors meet from their last axes: the points of one must not meet the numbers of the other."""
        whole = [(argument in self.batched, tuple(argument.meta["tensor_meta"].shape)) for argument in node.args
                 if isinstance(argument, self.torch.fx.Node) and argument.meta.get("tensor_meta") is not None]
        if len(whole) < 2 or any(math.prod(shape) == 1 for _, shape in whole):
            return
        (batched, a), (also_batched, b) = sorted(whole, reverse=True)
        if len(a) != len(b) if also_batched else batched and len(b) >= len(a) and b[0] != 1:
            self.refuse(node, "arithmetic of %s and %s, whose axes do not match point by point," % (list(a), list(b)))

    def check_in_place(self, node, inplace):
        """What is overwritten must not be read later."""
        if not inplace:
            return
        order = list(node.graph.nodes)
        if any(order.index(user) > order.index(node) for user in node.args[0].users):
            self.refuse(node, "a change in place of what is used again")

    def value(self, argument, node):
        if isinstance(argument, self.torch.fx.Node):
            value = self.values[argument]
            return value if value is not None else self.refuse(node, "arithmetic with a size")
        if isinstance(argument, (int, float)) and not isinstance(argument, bool):
            return _Value(_number(argument), (), simple=argument >= 0)
        return self.refuse(node, "an argument %r" % (argument,))

    def pipe(self, value, stage):
        head = value.text if value.simple or value.pipe else "(%s)" % value.text
        return "%s |> %s" % (head, stage)

    def call_module(self, node):
        nn, module, name = self.torch.nn, self.module.get_submodule(node.target), node.target
        a = self.value(node.args[0], node)
        kind = type(module)
        if kind is nn.Linear:
            self.take(name + ".weight", module.weight)
            if module.bias is not None:
                self.take(name + ".bias", module.bias)
            stage = 'linear %d "%s"%s' % (module.out_features, name, "" if module.bias is not None else " no bias")
            return _Value(self.pipe(a.vector(), stage), (module.out_features,), simple=False, pipe=True)
        if kind is nn.LayerNorm and len(module.normalized_shape) == 1 and module.weight is not None and module.bias is not None:
            self.take(name + ".weight", module.weight)
            self.take(name + ".bias", module.bias)
            return _Value(self.pipe(a, 'layer_norm %s "%s"' % (_number(module.eps), name)), a.shape, simple=False, pipe=True)
        if kind is nn.Embedding and a.shape == () and module.max_norm is None:
            self.take(name + ".weight", module.weight)
            stage = 'embedding %d %d "%s"' % (module.num_embeddings, module.embedding_dim, name)
            return _Value(self.pipe(a, stage), (module.embedding_dim,), simple=False, pipe=True)
        made = self.modules[kind](module) if kind in self.modules else None
        if kind is nn.Softmax and len(a.shape) != 1:
            made = None     # of a batch of scalars it would join the points
        if made is None:
            self.refuse(node, "%r" % module)
        self.check_in_place(node, made and getattr(module, "inplace", False))
        return made(self.named(a)) if callable(made) else self.stage(a, made)

    def stage(self, a, name):
        return _Value(self.pipe(a, name), a.shape, simple=False, pipe=True) if name else a

    def call(self, node, function):
        torch, F = self.torch, self.torch.nn.functional
        self.check_in_place(node, node.kwargs.get("inplace", False))
        arithmetic = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.pow: "^",
                      torch.add: "+", torch.sub: "-", torch.mul: "*", torch.div: "/", torch.pow: "^",
                      "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^"}
        if function in arithmetic and len(node.args) == 2 and not node.kwargs:
            return self.binary(node, arithmetic[function])
        if function in (operator.neg, torch.neg, "neg"):
            a = self.value(node.args[0], node)
            return _Value("-%s" % a.operand(), a.shape, simple=False)
        if function in (torch.cat, torch.concat, torch.hstack):
            return self.concatenate(node)
        if function is F.gelu:
            return self.stage(self.value(node.args[0], node), "gelu" if node.kwargs.get("approximate", "none") == "none" else "gelu_tanh")
        if function is F.elu and len(node.args) == 1 and node.kwargs.get("alpha", 1.0) == 1:
            return self.stage(self.value(node.args[0], node), "elu")
        if function in self.functions and len(node.args) == 1 and not {k: v for k, v in node.kwargs.items() if k != "inplace"}:
            return self.stage(self.value(node.args[0], node), self.functions[function])
        if function in (torch.unsqueeze, torch.reshape, torch.squeeze, "unsqueeze", "view", "reshape", "squeeze", "expand", "expand_as", "repeat",
                        "contiguous", "float", "to", "type_as"):
            return self.reshape(node)
        return self.refuse(node, "`%s`" % getattr(function, "__name__", function))

    def binary(self, node, sign):
        a, b = (self.value(argument, node) for argument in node.args)
        self.check_axes(node)
        shape = a.shape if b.shape in ((), (1,)) else b.shape
        if a.shape == () and b.shape == (1,):
            shape = b.shape
        if a.shape == b.shape or () in (a.shape, b.shape):
            left, right = a.operand(), b.operand()
        elif (1,) in (a.shape, b.shape) and len(a.shape) == len(b.shape):
            left = a.scalar() if a.shape == (1,) else a.operand()
            right = b.scalar() if b.shape == (1,) else b.operand()
        else:
            self.refuse(node, "shapes %s and %s" % (list(a.shape), list(b.shape)))
        return _Value("%s %s %s" % (left, sign, right), shape, simple=False)

    def concatenate(self, node):
        dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", node.kwargs.get("axis", 1 if node.target is self.torch.hstack else 0))
        parts = [self.value(part, node) for part in node.args[0]]
        if dim not in (1, -1) or any(len(part.shape) != 1 for part in parts):
            self.refuse(node, "a concatenation along axis %d" % dim)
        return _Value("[%s]" % ", ".join(part.parts() for part in parts), self.shape(node))

    def reshape(self, node):
        """Axes of length 1 come and go, and a [1] is stretched; all else has no translation."""
        source, a, shape = node.args[0], self.value(node.args[0], node), self.shape(node)
        before, after = source.meta["tensor_meta"], node.meta["tensor_meta"]
        if before.dtype.is_floating_point and not after.dtype.is_floating_point:
            self.refuse(node, "a change of numbers to %s" % after.dtype)
        if node not in self.batched:
            # A parameter may get an axis of length 1, to meet the batch.
            return a if shape in (a.shape, (1, *a.shape)) else self.refuse(node, "a change of shape from %s to %s" % (list(a.shape), list(shape)))
        if source in self.batched and math.prod(before.shape) != 1 and before.shape[0] != after.shape[0]:
            self.refuse(node, "a change of shape from %s to %s, which moves the points," % (list(before.shape), list(after.shape)))
        if a.shape == shape:
            return a
        if a.shape in ((), (1,)) and shape in ((), (1,)):
            return _Value(a.scalar(), ()) if shape == () else a.vector()
        if a.shape in ((), (1,)) and len(shape) == 1 and (len(before.shape) != 1 or before.shape[0] == 1 or source not in self.batched):
            return _Value("(for %s < %d: %s)" % (self.counter, shape[0], a.scalar()), shape)
        return self.refuse(node, "a change of shape from %s to %s" % (list(a.shape), list(shape)))

    def parameter(self, node):
        tensor = operator.attrgetter(node.target)(self.module)
        self.take(node.target, tensor)
        return _Value('param(%s) "%s"' % (", ".join(map(str, tensor.shape)), node.target), tensor.shape, simple=False)

    # ---- the graph ----

    def named(self, value):
        """A value that is used more than once gets a name."""
        if value.simple:
            return value
        name = next(self.names)
        self.lines.append("let %s = %s" % (name, value.text))
        return _Value(name, value.shape)

    def keep(self, node, value):
        """A `let`, unless the one use of the value goes on with the pipe."""
        users = list(node.users)
        goes_on = value.pipe and len(users) == 1 and users[0].op == "call_module"
        if not value.simple and not goes_on and not (len(users) == 1 and users[0].op == "output"):
            value = self.named(value)
        self.values[node] = value

    def run(self, graph):
        inputs = iter(self.inputs)
        for node in graph.nodes:
            if node.op == "placeholder" or any(argument in self.batched for argument in node.all_input_nodes):
                self.batched.add(node)
            if node.op == "placeholder":
                self.values[node] = next(inputs, None)
            elif node.op == "call_module":
                self.keep(node, self.call_module(node))
            elif node.op in ("call_function", "call_method") and node.meta.get("tensor_meta") is None:
                self.values[node] = None        # a size, for a change of shape: the example has told its result
            elif node.op in ("call_function", "call_method"):
                self.keep(node, self.call(node, node.target))
            elif node.op == "get_attr":
                self.keep(node, self.parameter(node))
            else:
                return self.value(node.args[0], node)
        return None


_TIMES, _STATES = ("t", "time", "times", "s"), ("x", "state", "z", "xt", "x_t")


def _roles(names, shapes, result, order):
    """Which argument is the time, "t", which the state, "x", and which are conditions, "c": `order` says it of the first two; else their
    names do, or their shapes where these leave no choice, the state having that of the result.  Nothing is guessed."""
    if order is not None:
        return order.split(", ") + ["c"] * (len(names) - 2)
    flat = [shape in ((), (1,)) for shape in shapes]
    roles = ["t" if name in _TIMES and one else "x" if name in _STATES else "c" for name, one in zip(names, flat)]
    for role, fits in (("x", [shape == result for shape in shapes]), ("t", flat)):
        left = [i for i, fit in enumerate(fits) if fit and roles[i] == "c"]
        if role not in roles and len(left) == 1:
            roles[left[0]] = role
    if roles.count("t") != 1 or roles.count("x") != 1:
        raise ValueError('which of the arguments %s are time and state? call them t and x, or say which the first two are: order="t, x" or '
                         'order="x, t"' % ", ".join(names))
    return roles


def _describe_inputs(names, example, result, order, called):
    """The parameters of the velocity, and the value of each of the module's arguments: time, state, conditions."""
    if order not in (None, "t, x", "x, t"):
        raise ValueError('order is %r; it is "t, x" or "x, t"' % (order,))
    if len(example) == 1:
        if order is None:
            raise ValueError('the module has one argument; say which way time and state are joined in it: order="t, x" or order="x, t"')
        d = example[0].shape[1] - 1
        return ["t", "x: [%d]" % d], [_Value("[%s]" % order, (d + 1,))], d
    parameters, values, dim = [], [], 0
    shapes = [tuple(tensor.shape[1:]) for tensor in example]
    for name, kind, shape in zip(names, _roles(names, shapes, result, order), shapes):
        if len(shape) > 1:
            raise Untranslatable("the argument `%s` has %d axes a point; vectors and scalars are known" % (name, len(shape)))
        if kind == "t":
            if shape not in ((), (1,)):
                raise Untranslatable("the argument `%s` has %d numbers a point; time is one" % (name, shape[0]))
            values.append(_Value("t", ()) if shape == () else _Value("[t]", (1,)))
            continue
        if kind == "c" and (name in _RESERVED or name in called or name in ("t", "x")):
            raise Untranslatable("the argument `%s` cannot be a condition of that name: it is a word of .flow, or of the program; call it otherwise" % name)
        if kind == "x" and shape == ():
            raise Untranslatable("the state `%s` has no axis but the batch; in one dimension it is [n, 1]" % name)
        word = "x" if kind == "x" else name
        parameters.append((kind != "x", "%s: [%d]" % (word, shape[0]) if shape else word))
        values.append(_Value(word, shape))
        dim = shape[0] if kind == "x" else dim
    return ["t"] + [text for _, text in sorted(parameters, key=operator.itemgetter(0))], values, dim


def write_safetensors(path, arrays):
    """Arrays by name as a .safetensors file; f64, f32, f16."""
    words, header, at = {"float64": "F64", "float32": "F32", "float16": "F16"}, {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": words[array.dtype.name], "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())


def _paths(path):
    """Of the program and of its weights; the suffixes are appended, since a name may have points in it."""
    path = pathlib.Path(path)
    name = path.name[:-len(".flow")] if path.name.endswith(".flow") else path.name
    if not _quotable(name):
        raise ValueError("the name %r cannot stand in quotes in a .flow" % name)
    return path.with_name(name + ".flow"), path.with_name(name + ".safetensors")


def _flow_name(stem):
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in stem)
    return name if name[:1].isalpha() and name not in _RESERVED else "flow_" + name


@contextlib.contextmanager
def _evaluating(module):
    """In eval mode; then each part of the module is as it was, in training or not."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _trace(module, example):
    """torch.fx's graph of the module, with the shapes that the example gives."""
    import torch.fx
    from torch.fx.passes.shape_prop import ShapeProp

    try:
        traced = torch.fx.symbolic_trace(module)
    except Exception as why:
        raise Untranslatable("torch.fx cannot trace %s: %s" % (type(module).__name__, why)) from why
    traced.graph.eliminate_dead_code()
    with torch.no_grad():
        result = ShapeProp(traced).propagate(*example)
    return traced, tuple(result.shape[1:]) if isinstance(result, torch.Tensor) else None


def export(module, example, path, *, order=None, source=None, solver="midpoint steps 100", time=None):
    """Writes PATH.flow and PATH.safetensors from a module that computes a velocity.  PATH may end in .flow.

    module: Linear, LayerNorm, Embedding, the activations, Sequential and whatever joins them by +, -, *, /, torch.cat; as it is in eval
    mode, without dropout.
    example: its arguments for a batch of points, as it is called: time and state, and conditions, which keep their names; or one array
    that joins t and x.  order: which way t and x are joined, or which the first two arguments are, "t, x" or "x, t", where names and
    shapes do not tell.  time: "1 -> 0" where data are at 0.  Returns the path of the program.  Raises Untranslatable, which names the
    first part of the module that has no translation.
    """
    import torch

    example = tuple(example) if isinstance(example, (tuple, list)) else (example,)
    path, weights = _paths(path)
    with _evaluating(module):
        traced, made = _trace(module, example)
        names = [node.target for node in traced.graph.nodes if node.op == "placeholder"][: len(example)]
        parameters, values, dim = _describe_inputs(names, example, made, order, _called(torch))
        translation = _Translation(torch, traced, values, {text.split(":")[0] for text in parameters})
        result = translation.run(traced.graph)
    if result.shape != (dim,):
        raise Untranslatable("the module makes %s of a state of %d numbers; a velocity has the state's shape" % (list(result.shape), dim))
    write_safetensors(weights, translation.weights)
    clauses = ["source   %s" % (source or "normal(%d)" % dim), "velocity v"]
    if translation.weights:
        clauses.append('weights  "%s"' % weights.name)
    if time:
        clauses.append("time     %s" % time)
    clauses.append("solver   %s" % solver)
    body = "".join("  %s\n" % line for line in translation.lines) + "  %s\n" % result.text
    path.write_text("# %s -- written by flowrt.export from %s\nnetwork v(%s) -> [%d] =\n%sflow %s {\n%s}\n" % (
        path.name, type(module).__name__, ", ".join(parameters), dim, body, _flow_name(path.stem), "".join("  %s\n" % clause for clause in clauses)))
    return path
