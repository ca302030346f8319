"""The command line's options in a message, as arguments of Python's functions: `--outputs a,b` is `outputs=["a", "b"]`."""

import re
import shlex

# A word of the command line: quoted, or up to a blank or a mark that ends a clause.
_WORD = r"'[^']*'|\"[^\"]*\"|[^\s'\"();]*[^\s'\"();,.:?]"

# Options with a value, and how the argument is written with one.
_LISTS = {
    "--outputs": "outputs",
    "--disable-pass": "disabled_passes",
    "--keep-float32": "keep_float32",
    "--target": "target",
}
_MAPPINGS = {"--rename": "rename", "--rename-param": "rename_params"}
_NUMBERS = {
    "--opset": "opset",
    "--batch": "batch",
    "--epoch": "epoch",
    "--unpack-limit": "unpack_limit",
    "--weights-block": "weights_block",
}
_NUMBER_LISTS = {"--mean": "mean", "--std": "std"}
_TEXTS = {
    "--scale": "scale",
    "--layout": "layout",
    "--input-type": "input_type",
    "--image-input": "image_input",
    "--mxnet-version": "mxnet_version",
    "--quantized-form": "quantized_form",
    "--weights": "weights",
    "--weights-operator": "weights_operator",
    "--architecture": "architecture",
    "--output": "output",
    "--html": "html",
    "-o": "output",
}
_FLAGS = {
    "--random-weights": "random_weights=True",
    "--no-dropout": "no_dropout=True",
    "--no-optimize": "optimize=False",
    "--external-data": "external_data=True",
    "--weights-in-place": "weights_in_place=True",
    "--float16": "float16=True",
    "--bfloat16": "bfloat16=True",
    "--float16-io": "float16_io=True",
    "--allow-custom-domain": "custom_domain=True",
    "--fixed": "fixed=True",
    "--prepare": "prepare=True",
}
_WITH_VALUE = ["--input", *_MAPPINGS, *_LISTS, *_NUMBERS, *_NUMBER_LISTS, *_TEXTS]
OPTIONS = {*_WITH_VALUE, *_FLAGS}
"""Those of `convert` that have a Python argument."""

_names = "|".join(sorted((re.escape(name) for name in _WITH_VALUE), key=len, reverse=True))
_one = r"(?:(?:%s)(?:[= ](?:%s))?)" % (_names, _WORD)
_RUN = re.compile(r"(?<![\w-])(?:%s(?:\s+%s)*|(?:%s)(?![\w-]))" % (_one, _one, "|".join(map(re.escape, _FLAGS))))


def _size(text: str) -> str:
    return text if re.fullmatch(r"\d+", text) else "None" if text == "?" else '"%s"' % text


def _shape(dims: str) -> str:
    sizes = [_size(size.strip()) for size in dims.split(",") if size.strip()]
    return "(%s%s)" % (", ".join(sizes), "," if len(sizes) == 1 else "")


def _input(value: str) -> str:
    name, _, rest = value.partition(":")
    dims, _, dtype = rest.partition(":")
    shape = _shape(dims)
    if dims == "SHAPE":  # a word for any
        shape = dims
    if not dims:
        return '"%s": "%s"' % (name, dtype)
    return '"%s": (%s, "%s")' % (name, shape, dtype) if dtype else '"%s": %s' % (name, shape)


def _rule(value: str) -> str:
    old, _, new = value.partition("=")
    return '"%s": "%s"' % (old, new)


def _written(option: str, values: list[str]) -> str:
    if option == "--input":
        return "inputs={%s}" % ", ".join(_input(value) for value in values) if values else "inputs"
    if option in _MAPPINGS:
        name = _MAPPINGS[option]
        return "%s={%s}" % (name, ", ".join(_rule(value) for value in values)) if values else name
    if option in _LISTS:
        items = [item for value in values for item in (value.split(",") if option == "--outputs" else [value])]
        return "%s=[%s]" % (_LISTS[option], ", ".join('"%s"' % item for item in items)) if items else _LISTS[option]
    if option in _NUMBER_LISTS:
        name = _NUMBER_LISTS[option]
        return "%s=[%s]" % (name, ", ".join(values[0].split(","))) if values else name
    if option in _NUMBERS:
        return "%s=%s" % (_NUMBERS[option], values[0]) if values else _NUMBERS[option]
    name = _TEXTS[option]
    return '%s="%s"' % (name, values[0]) if values else name


def _translated(found: "re.Match[str]") -> str:
    run = found.group(0)
    if run in _FLAGS:
        return _FLAGS[run]
    arguments: dict[str, list[str]] = {}
    current = ""
    for word in shlex.split(re.sub(r"(--[a-z-]+)=", r"\1 ", run)):
        if word in _WITH_VALUE:
            current = word
            arguments.setdefault(word, [])
        else:
            arguments[current].append(word)
    return ", ".join(_written(option, values) for option, values in arguments.items())


# A whole command to copy: in Python its options are what matters.
_COMMAND = re.compile(r"mx2onnx convert [^\n]*? -o \S+ (?=--)")


def in_python(text: str) -> str:
    """The text with every option of `convert` as the argument that does the same."""
    return _RUN.sub(_translated, _COMMAND.sub("", text))
