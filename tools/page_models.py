"""Models that try the page: large, with graphs inside, and with names that nobody would choose."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def model(nodes, inputs, outputs, initializers=(), **more):
    graph = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(array, name) for name, array in initializers])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("made.up", 1)], ir_version=8, **more)


def large(node_count=3000):
    """A transformer of tiny layers with the scopes that exporters write, and a connection over its whole length."""
    width, nodes, weights = 16, [], []
    rng = np.random.default_rng(0)

    def add(scope, kind, inputs, **attributes):
        name = f"{scope}/{kind}" + (f"_{sum(node.name.startswith(f'{scope}/{kind}') for node in nodes[-40:])}")
        nodes.append(helper.make_node(kind, inputs, [f"{name}_output"], name=name, **attributes))
        return f"{name}_output"

    def linear(scope, value):
        name = scope.strip("/").replace("/", ".")
        weights.append((f"{name}.weight", rng.normal(0, 0.2, (width, width)).astype(np.float32)))
        weights.append((f"{name}.bias", np.zeros(width, np.float32)))
        return add(scope, "Add", [add(scope, "MatMul", [value, f"{name}.weight"]), f"{name}.bias"])

    value, layer = add("/embed", "Identity", ["tokens"]), 0
    mask = add("", "Sub", ["tokens", "tokens"])
    while len(nodes) < node_count - 3:
        scope = f"/encoder/layer.{layer}"
        query, key, content = (linear(f"{scope}/attention/{part}", value) for part in ("query", "key", "value"))
        turned = add(f"{scope}/attention", "Transpose", [key], perm=[0, 2, 1])
        scores = add(f"{scope}/attention", "MatMul", [query, turned])
        shares = add(f"{scope}/attention", "Softmax", [scores], axis=-1)
        mixed = add(f"{scope}/attention", "MatMul", [shares, content])
        masked = add(f"{scope}/attention", "Add", [mixed, mask])
        value = add(f"{scope}/attention", "Add", [linear(f"{scope}/attention/output", masked), value])
        inner = linear(f"{scope}/mlp/up", value)
        active = add(f"{scope}/mlp", "Mul", [inner, add(f"{scope}/mlp", "Sigmoid", [inner])])
        value = add(f"{scope}/mlp", "Add", [linear(f"{scope}/mlp/down", active), value])
        layer += 1
    while len(nodes) < node_count:
        value = add("/head", "Relu", [value])
    nodes[-1].output[0] = "result"
    return model(nodes, [("tokens", FLOAT, [1, 8, width])], [("result", FLOAT, [1, 8, width])], weights)


def control():
    """An If inside a Loop, and a Scan."""
    def body(name, nodes, inputs, outputs, initializers=()):
        return helper.make_graph(
            nodes, name, [helper.make_tensor_value_info(*entry) for entry in inputs],
            [helper.make_tensor_value_info(*entry) for entry in outputs],
            [numpy_helper.from_array(array, name) for name, array in initializers])

    double = body("double", [helper.make_node("Add", ["state", "state"], ["doubled"], name="twice")], [],
                  [("doubled", FLOAT, [4])])
    halve = body("halve", [helper.make_node("Mul", ["state", "half"], ["halved"], name="half_of")], [],
                 [("halved", FLOAT, [4])], [("half", np.array([0.5], np.float32))])
    loop = body(
        "loop",
        [helper.make_node("Identity", ["go"], ["go_on"], name="again"),
         helper.make_node("ReduceMax", ["state"], ["most"], name="greatest", keepdims=0),
         helper.make_node("Less", ["most", "limit"], ["is_small"], name="is_small"),
         helper.make_node("If", ["is_small"], ["next"], name="grow_or_shrink", then_branch=double, else_branch=halve)],
        [("turn", TensorProto.INT64, []), ("go", TensorProto.BOOL, []), ("state", FLOAT, [4])],
        [("go_on", TensorProto.BOOL, []), ("next", FLOAT, [4])])
    scan = body("scan", [helper.make_node("Add", ["sum_in", "x_in"], ["sum_out"], name="plus"),
                         helper.make_node("Identity", ["sum_out"], ["y_out"], name="copy")],
                [("sum_in", FLOAT, [4]), ("x_in", FLOAT, [4])], [("sum_out", FLOAT, [4]), ("y_out", FLOAT, [4])])
    return model(
        [helper.make_node("Loop", ["turns", "", "x"], ["grown"], name="loop", body=loop),
         helper.make_node("Scan", ["grown", "steps"], ["total", "sums"], name="scan", body=scan, num_scan_inputs=1)],
        [("x", FLOAT, [4]), ("steps", FLOAT, [3, 4])], [("total", FLOAT, [4]), ("sums", FLOAT, [3, 4])],
        [("turns", np.array(5, np.int64)), ("limit", np.array(8, np.float32))])


def functions():
    """Two calls of a function that calls another."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("made.up", 1)]
    centre = helper.make_function("made.up", "Centre", ["x"], ["y"], [
        helper.make_node("ReduceMean", ["x"], ["mean"], name="mean"),
        helper.make_node("Sub", ["x", "mean"], ["y"], name="less")], opsets)
    block = helper.make_function("made.up", "Block", ["x"], ["y"], [
        helper.make_node("Centre", ["x"], ["centred"], name="centre", domain="made.up"),
        helper.make_node("Relu", ["centred"], ["y"], name="cut")], opsets)
    graph = helper.make_graph(
        [helper.make_node("Block", ["x"], ["half"], name="first", domain="made.up"),
         helper.make_node("Block", ["half"], ["y"], name="second", domain="made.up")], "graph",
        [helper.make_tensor_value_info("x", FLOAT, [4])], [helper.make_tensor_value_info("y", FLOAT, [4])])
    return helper.make_model(graph, opset_imports=opsets, functions=[centre, block], ir_version=8)


HOSTILE = [
    "</script><script>window.pwned = 1</script>", '"><img src=x onerror="window.pwned = 2">', "<!-- <script>", "]]>",
    "quote ' and \" and ` and ${window.pwned = 3}", "line\u2028separator\u2029", "bell\u0007escape\u001b[31m",
    "back\\slash \\u003c \\n", "right to left \u202e", "__proto__", "constructor", "x" * 5000, "&lt;b&gt; &amp;",
    "emoji \U0001f98a é e\u0301", "javascript:window.pwned=4", "/*/a/</style><style>*{display:none}/", "  ", "\t\n",
]


def hostile():
    """A chain whose every name, operator, domain, attribute and metadata is meant to break out of the page."""
    nodes, value = [], "input" + HOSTILE[0]
    for index, name in enumerate(HOSTILE):
        output = f"{name}{index}"
        kind, domain = ("Relu", "") if index % 3 else (f"Op{name}", "made.up")
        nodes.append(helper.make_node(kind, [value, *([] if index % 3 else ["weight" + HOSTILE[1]])], [output], name=name,
                                      domain=domain, **({} if index % 3 else {"text": name, "list": [name, name]})))
        value = output
    made = model(nodes, [("input" + HOSTILE[0], FLOAT, [2])], [(value, FLOAT, [2])],
                 [("weight" + HOSTILE[1], np.arange(40, dtype=np.float32))], producer_name=HOSTILE[0])
    for index, name in enumerate(HOSTILE):
        entry = made.metadata_props.add()
        entry.key, entry.value = f"{name}{index}", name
    return made


def drawn_nodes(graph):
    """Nodes that are drawn: those that only name a constant are not."""
    constants, drawn = {tensor.name for tensor in graph.initializer}, []
    for node in graph.node:
        if node.op_type == "Constant" or node.op_type == "Identity" and node.input[0] in constants:
            constants.update(node.output)
        else:
            drawn.append(node)
    return drawn


def read_values(node):
    """Names that a node reads, those that its graphs may capture included."""
    inner = onnx.helper.make_graph([node], "", [], [])
    return {*node.input, *(name for graph in subgraphs(inner) for entry in graph.node for name in entry.input)}


def subgraphs_of(node):
    """The graphs that are attributes of a node."""
    for attribute in node.attribute:
        yield from [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else attribute.graphs


def subgraphs(graph):
    """All graphs inside nodes, at any depth."""
    for node in graph.node:
        for inner in subgraphs_of(node):
            yield inner
            yield from subgraphs(inner)
