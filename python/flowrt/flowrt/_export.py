# SPDX-License-Identifier: Apache-2.0
"""export: a PyTorch velocity as a .flow program and its weights.

torch.fx traces the module; every node of its graph becomes an expression for one point, its shape being that of the example less
the batch.  What has no translation is named with its place: nothing is approximated.  torch is imported by export alone.
"""

import json
import operator
import pathlib
import struct

import numpy as np


class Untranslatable(ValueError):
    """The module does something that export does not know; `node` is torch.fx's name of it."""

    def __init__(self, text, node=None):
        super().__init__(text)
        self.node = node


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


def _number(value):
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
        nn.Softplus: lambda m: "softplus" if m.beta == 1 else None,
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


class _Translation:
    def __init__(self, torch, module, inputs):
        self.torch, self.module, self.inputs = torch, module, inputs
        self.lines, self.weights, self.values = [], {}, {}
        self.modules, self.functions = _modules(torch.nn), _functions(torch)

    def refuse(self, node, what):
        place = " in `%s`" % node.target if node.op == "call_module" else ""
        raise Untranslatable("%s (node `%s`%s) has no translation into .flow" % (what, node.name, place), node.name)

    def take(self, name, tensor):
        if name in self.weights:
            raise Untranslatable("`%s` is used twice; a layer of .flow stands at one place" % name, name)
        self.weights[name] = tensor.detach().cpu().numpy()

    # ---- nodes ----

    def shape(self, node):
        about = node.meta.get("tensor_meta")
        if about is None:
            self.refuse(node, "a value that is no tensor")
        return tuple(about.shape[1:])

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
        if kind is nn.Embedding and a.shape == ():
            self.take(name + ".weight", module.weight)
            stage = 'embedding %d %d "%s"' % (module.num_embeddings, module.embedding_dim, name)
            return _Value(self.pipe(a, stage), (module.embedding_dim,), simple=False, pipe=True)
        made = self.modules[kind](module) if kind in self.modules else None
        if made is None:
            self.refuse(node, "%r" % module)
        return made(self.named(a)) if callable(made) else self.stage(a, made)

    def stage(self, a, name):
        return _Value(self.pipe(a, name), a.shape, simple=False, pipe=True) if name else a

    def call(self, node, function):
        torch, F = self.torch, self.torch.nn.functional
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
        if function is F.elu and len(node.args) == 1 and node.kwargs.get("alpha", 1.0) == 1.0:
            return self.stage(self.value(node.args[0], node), "elu")
        if function in self.functions and len(node.args) == 1 and not {k: v for k, v in node.kwargs.items() if k != "inplace"}:
            return self.stage(self.value(node.args[0], node), self.functions[function])
        if function in (torch.unsqueeze, torch.reshape, torch.squeeze, "unsqueeze", "view", "reshape", "squeeze", "expand", "expand_as", "repeat",
                        "contiguous", "float", "to", "type_as"):
            return self.reshape(node)
        return self.refuse(node, "`%s`" % getattr(function, "__name__", function))

    def binary(self, node, sign):
        a, b = (self.value(argument, node) for argument in node.args)
        shape = self.shape(node)
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
        if dim not in (1, -1) or any(len(part.shape) > 1 for part in parts):
            self.refuse(node, "a concatenation along axis %d" % dim)
        return _Value("[%s]" % ", ".join(part.parts() for part in parts), self.shape(node))

    def reshape(self, node):
        """Axes of length 1 come and go, and a [1] is stretched; all else has no translation."""
        a, shape = self.value(node.args[0], node), self.shape(node)
        if a.shape == shape:
            return a
        if a.shape in ((), (1,)) and shape in ((), (1,)):
            return _Value(a.scalar(), ()) if shape == () else a.vector()
        if a.shape in ((), (1,)) and len(shape) == 1:
            return _Value("(for k < %d: %s)" % (shape[0], a.scalar()), shape)
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
        name = "h%d" % (len(self.lines) + 1)
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
            if node.op == "placeholder":
                self.values[node] = next(inputs)
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


def _describe_inputs(names, example, order):
    """The parameters of the velocity, and the value of each of the module's arguments: time, state, conditions."""
    if len(example) == 1:
        if order not in ("t, x", "x, t"):
            raise ValueError('the module has one argument; say which way time and state are joined in it: order="t, x" or order="x, t"')
        d = example[0].shape[1] - 1
        return ["t", "x: [%d]" % d], [_Value("[%s]" % order, (d + 1,))], d
    kinds = ["t" if name in ("t", "time", "times", "s") else "x" if name in ("x", "state", "z", "xt", "x_t") else "c" for name in names]
    if kinds.count("t") != 1 or kinds.count("x") != 1:
        rest = [i for i, kind in enumerate(kinds) if kind == "c"]
        flat = [i for i in rest if example[i][:1].numel() == 1]
        if "t" not in kinds and flat:
            kinds[flat[0]] = "t"
        rest = [i for i, kind in enumerate(kinds) if kind == "c"]
        if "x" not in kinds and rest:
            kinds[rest[0]] = "x"
    if kinds.count("t") != 1 or kinds.count("x") != 1:
        raise ValueError("which of %s are time and state? call them t and x" % ", ".join(names))
    parameters, values = [], []
    for name, kind, tensor in zip(names, kinds, example):
        shape = tuple(tensor.shape[1:])
        if len(shape) > 1:
            raise Untranslatable("the argument `%s` has %d axes a point; vectors and scalars are known" % (name, len(shape)))
        if kind == "t":
            values.append(_Value("t", ()) if shape == () else _Value("[t]", (1,)))
            continue
        word = "x" if kind == "x" else name
        parameters.append((kind, word, "%s: [%d]" % (word, shape[0]) if shape else word))
        values.append(_Value(word, shape))
    state = next(p for p in parameters if p[0] == "x")
    dim = int(state[2].split("[")[1].rstrip("]")) if "[" in state[2] else 1
    return ["t", state[2]] + [p[2] for p in parameters if p[0] == "c"], values, dim


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


def export(module, example, path, *, order=None, source=None, solver="midpoint steps 100", time=None):
    """Writes PATH.flow and PATH.safetensors from a module that computes a velocity.

    module: Linear, LayerNorm, Embedding, the activations, Sequential and whatever joins them by +, -, *, /, torch.cat.
    example: its arguments for a batch of points, as it is called: (t, x), (x, t), conditions behind; or one array that joins t and
    x, and `order` says which way.  time: "1 -> 0" where data are at 0.  Returns the path of the program.  Raises Untranslatable,
    which names the first part of the module that has no translation.
    """
    import torch
    import torch.fx
    from torch.fx.passes.shape_prop import ShapeProp

    example = tuple(example) if isinstance(example, (tuple, list)) else (example,)
    path = pathlib.Path(path).with_suffix(".flow")
    was_training = module.training
    module.eval()
    try:
        try:
            traced = torch.fx.symbolic_trace(module)
        except Exception as why:
            raise Untranslatable("torch.fx cannot trace %s: %s" % (type(module).__name__, why)) from why
        traced.graph.eliminate_dead_code()
        with torch.no_grad():
            ShapeProp(traced).propagate(*example)
        names = [node.target for node in traced.graph.nodes if node.op == "placeholder"][: len(example)]
        parameters, values, dim = _describe_inputs(names, example, order)
        translation = _Translation(torch, traced, values)
        result = translation.run(traced.graph)
    finally:
        module.train(was_training)
    if result.shape != (dim,):
        raise Untranslatable("the module makes %s of a state of %d numbers; a velocity has the state's shape" % (list(result.shape), dim))
    weights = path.with_suffix(".safetensors")
    write_safetensors(weights, translation.weights)
    clauses = ["source   %s" % (source or "normal(%d)" % dim), "velocity v"]
    if translation.weights:
        clauses.append('weights  "%s"' % weights.name)
    if time:
        clauses.append("time     %s" % time)
    clauses.append("solver   %s" % solver)
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in path.stem)
    name = name if name[:1].isalpha() else "flow_" + name
    body = "".join("  %s\n" % line for line in translation.lines) + "  %s\n" % result.text
    path.write_text("# %s -- written by flowrt.export from %s\nnetwork v(%s) -> [%d] =\n%sflow %s {\n%s}\n" % (
        path.name, type(module).__name__, ", ".join(parameters), dim, body, name, "".join("  %s\n" % clause for clause in clauses)))
    return path
