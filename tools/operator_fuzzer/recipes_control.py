"""Loops and conditions around drawn subgraphs of elementwise operators, softmax, sums and a product with a value from outside.

A recipe gives the node, whose inputs are the variables in their order, and their shapes and bounds.
"""

UNARY = ("tanh", "relu", "_copy", "negative", "softmax", "square", "sigmoid", "abs")
BINARY = ("elemwise_add", "elemwise_mul", "elemwise_sub", "broadcast_maximum", "broadcast_add", "_minimum")
SCALAR = ("_plus_scalar", "_mul_scalar", "_rminus_scalar")


class Body:
    """A subgraph in the making."""

    def __init__(self, rng):
        self.rng = rng
        self.nodes = []
        self.places = {}

    def node(self, op, inputs, attrs=None):
        name = "n%d" % len(self.nodes)
        self.nodes.append({"op": op, "name": name, "attrs": attrs or {}, "inputs": [[i, 0, 0] for i in inputs]})
        return len(self.nodes) - 1

    def variable(self, name):
        if name not in self.places:
            self.places[name] = self.node("null", [])
            self.nodes[-1]["name"] = name
        return self.places[name]

    def draw(self, names, depth=3):
        """An expression of as many elements as the variables have."""
        kind = self.rng.random()
        if depth == 0 or kind < 0.15:
            return self.node("_copy", [self.variable(self.rng.choice(names))])
        if kind < 0.4:
            return self.node(self.rng.choice(UNARY), [self.draw(names, depth - 1)])
        if kind < 0.55:
            return self.node(self.rng.choice(SCALAR), [self.draw(names, depth - 1)], {"scalar": "0.5"})
        if kind < 0.65:
            part = self.draw(names, depth - 1)
            total = self.node("sum", [part], {"axis": "-1", "keepdims": "True"})
            return self.node("broadcast_sub", [part, total])
        return self.node(self.rng.choice(BINARY), [self.draw(names, depth - 1), self.draw(names, depth - 1)])

    def use_all(self, names, last):
        for name in names:
            if name not in self.places:
                last = self.node("elemwise_add", [last, self.variable(name)])
        return last

    def finish(self, heads):
        """The subgraph, and its arguments in MXNet's order: that of a walk from the heads."""
        order, seen = [], set()

        def walk(i):
            if i in seen:
                return
            seen.add(i)
            for j, _, _ in self.nodes[i]["inputs"]:
                walk(j)
            if self.nodes[i]["op"] == "null":
                order.append(self.nodes[i]["name"])

        for head in heads:
            walk(head)
        arg_nodes = [i for i, node in enumerate(self.nodes) if node["op"] == "null"]
        return {"nodes": self.nodes, "arg_nodes": arg_nodes, "heads": [[i, 0, 0] for i in heads]}, order


def places(order, names):
    return str([order.index(name) for name in names])


def foreach(rng):
    step = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    data = ["d%d" % i for i in range(rng.randint(1, 2))]
    states = ["s%d" % i for i in range(rng.randint(0, 2))]
    outer = ["o%d" % i for i in range(rng.randint(0, 2))]
    names = data + states + outer
    body = Body(rng)
    heads = [body.draw(names) for _ in range(rng.randint(1, 2) + len(states))]
    heads[-1] = body.use_all(names, heads[-1])
    graph, order = body.finish(heads)
    attrs = {
        "num_args": str(1 + len(names)),
        "num_outputs": str(len(heads)),
        "num_out_data": str(len(heads) - len(states)),
        "in_data_locs": places(order, data),
        "in_state_locs": places(order, states),
        "remain_locs": places(order, outer),
    }
    length = rng.randint(1, 4)
    shapes = [(length, *step)] * len(data) + [step] * (len(states) + len(outer))
    node = {"op": "_foreach", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(len(names))], "subgraphs": [graph]}
    return node, shapes, {}


def condition(rng):
    shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    names = ["a", "b", "c"][: rng.randint(1, 3)]
    test = Body(rng)
    greater = test.node("_greater_scalar", [test.node("sum", [test.draw(names, 2)])], {"scalar": "0"})
    graphs = [test.finish([greater])]
    count = rng.randint(1, 2)
    for _ in range(2):
        branch = Body(rng)
        graphs.append(branch.finish([branch.draw(names) for _ in range(count)]))
    used = [name for name in names if any(name in order for _, order in graphs)]
    attrs = {"num_args": str(3 + len(used)), "num_outputs": str(count)}
    for key, (_, order) in zip(("cond", "then", "else"), graphs):
        attrs[key + "_input_locs"] = str([used.index(name) for name in order])
    inputs = [[i, 0, 0] for i in range(len(used))]
    node = {"op": "_cond", "attrs": attrs, "inputs": inputs, "subgraphs": [graph for graph, _ in graphs]}
    return node, [shape] * len(used), {}


def while_loop(rng):
    """A counter, states, and values from outside."""
    shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
    states = ["s%d" % i for i in range(rng.randint(1, 2))]
    outer = ["o%d" % i for i in range(rng.randint(0, 1))]
    names = states + outer
    test, body = Body(rng), Body(rng)
    lesser = test.node("_lesser_scalar", [test.variable("i")], {"scalar": str(rng.randint(3, 6))})
    heads = [body.draw(names) for _ in range(rng.randint(1, 2))]
    counted = len(heads)
    heads.append(body.node("_plus_scalar", [body.variable("i")], {"scalar": "1"}))
    heads += [body.draw(names) for _ in states]
    heads[-1] = body.use_all(names, heads[-1])
    (condition_graph, _), (graph, order) = test.finish([lesser]), body.finish(heads)
    inputs = ["i", *names]
    attrs = {
        "num_args": str(2 + len(inputs)),
        "num_outputs": str(len(heads)),
        "num_out_data": str(counted),
        "max_iterations": str(rng.randint(1, 6)),
        "cond_input_locs": "[0]",
        "func_input_locs": str([inputs.index(name) for name in order]),
        "func_var_locs": places(order, ["i", *states]),
    }
    subgraphs = [condition_graph, graph]
    node = {"op": "_while_loop", "attrs": attrs, "inputs": [[i, 0, 0] for i in range(len(inputs))]}
    node["subgraphs"] = subgraphs
    return node, [(1,)] + [shape] * len(names), {0: (0, 2, "integers")}


RECIPES = {"_foreach": foreach, "_cond": condition, "_while_loop": while_loop}
