"""Every byte of an .npz changed, one after the other: the same numbers, or a refusal. Never other numbers."""

import io
import json
import struct
import zipfile

import mx2onnx
import numpy as np
import pytest

import onnx

SYMBOL = json.dumps(
    {
        "nodes": [
            {"op": "null", "name": "x", "inputs": []},
            {"op": "null", "name": "w", "inputs": []},
            {"op": "null", "name": "b", "inputs": []},
            {"op": "broadcast_mul", "name": "m", "inputs": [[0, 0, 0], [1, 0, 0]]},
            {"op": "broadcast_add", "name": "a", "inputs": [[3, 0, 0], [2, 0, 0]]},
        ],
        "heads": [[4, 0, 0]],
        "attrs": {"mxnet_version": ["int", 20000], "is_np_shape": ["int", 1]},
    }
)
ARRAYS = {"w": np.array([1, 2, 3], "f4"), "b": np.array([4, 5, 6], "f4")}


class Pipe(io.RawIOBase):
    """Where nothing can be changed any more: zipfile writes sizes behind the content."""

    def __init__(self):
        self.bytes = b""

    def writable(self):
        return True

    def write(self, data):
        self.bytes += bytes(data)
        return len(data)


def archive(kind):
    target = Pipe() if kind == "piped" else io.BytesIO()
    if kind == "numpy":
        np.savez(target, **ARRAYS)
    elif kind == "compressed":
        np.savez_compressed(target, **ARRAYS)
    else:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if kind == "deflated" else zipfile.ZIP_STORED) as file:
            for name, array in ARRAYS.items():
                content = io.BytesIO()
                np.save(content, array)
                file.writestr(name + ".npy", content.getvalue())
    return target.bytes if kind == "piped" else target.getvalue()


def stored(path):
    result = mx2onnx.convert(SYMBOL, path, inputs={"x": (3,)}, optimize=False)
    return {i.name: onnx.numpy_helper.to_array(i) for i in result.to_onnx().graph.initializer}


@pytest.mark.filterwarnings("ignore::mx2onnx.ConversionWarning")
@pytest.mark.parametrize("kind", ["plain", "deflated", "piped", "numpy", "compressed"])
def test_no_changed_byte_changes_a_number(kind, tmp_path):
    good = archive(kind)
    path = tmp_path / "net.npz"
    path.write_bytes(good)
    assert {n: a.tolist() for n, a in stored(path).items()} == {n: a.tolist() for n, a in ARRAYS.items()}
    passed = 0
    for at in range(len(good)):
        for mask in (0x01, 0x80):
            path.write_bytes(good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :])
            try:
                found = stored(path)
            except (mx2onnx.FormatError, mx2onnx.ModelError):  # a name that is another one is a missing parameter
                continue
            passed += 1
            for name, array in ARRAYS.items():
                assert found[name].tolist() == array.tolist(), "byte %d ^ %d" % (at, mask)
    # Times, versions, comments and attributes of files may be anything.
    assert passed < len(good)


def changed(good, find, offset, form, value):
    """`good` with a number of `form` written at an offset from the first header with this signature."""
    at = good.index(find) + offset
    return good[:at] + struct.pack(form, value) + good[at + struct.calcsize(form) :]


LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
DAMAGE = {
    "content": (lambda z: z.replace(ARRAYS["w"].tobytes(), np.array([1, 2, 4], "f4").tobytes()), "CRC-32: expected "),
    "encrypted": (lambda z: changed(z, CENTRAL, 8, "<H", 1), 'entry "w.npy" is encrypted'),
    "encrypted strongly": (lambda z: changed(z, CENTRAL, 8, "<H", 64), 'entry "w.npy" is encrypted'),
    "encrypted locally": (
        lambda z: changed(z, LOCAL, 6, "<H", 1),
        'entry "w.npy": encrypted: 1 before the content, 0 in the directory',
    ),
    "method": (
        lambda z: changed(z, LOCAL, 8, "<H", 8),
        'entry "w.npy": method: 8 before the content, 0 in the directory',
    ),
    "crc": (lambda z: changed(z, LOCAL, 14, "<I", 7), 'entry "w.npy": CRC-32: 7 before the content, '),
    "size": (lambda z: changed(z, LOCAL, 22, "<I", 7), 'entry "w.npy": bytes: 7 before the content, '),
    "packed size": (lambda z: changed(z, LOCAL, 18, "<I", 7), 'entry "w.npy": packed bytes: 7 before the content, '),
    "name": (lambda z: z.replace(b"w.npy", b"v.npy", 1), 'entry "w.npy": its name is "v.npy" before the content'),
    "fewer entries": (
        lambda z: changed(changed(z, END, 8, "<H", 1), END, 10, "<H", 1),
        "zip directory: expected ",
    ),
    "a part": (lambda z: changed(z, END, 8, "<H", 1), "expected a whole zip archive, found a part of a split one"),
}


@pytest.mark.parametrize("damage,message", DAMAGE.values(), ids=DAMAGE)
def test_what_disagrees_is_named(damage, message, tmp_path):
    good = archive("plain")
    assert damage(good) != good
    path = tmp_path / "net.npz"
    path.write_bytes(damage(good))
    with pytest.raises(mx2onnx.FormatError) as error:
        mx2onnx.inspect(path)
    assert message in str(error.value)


@pytest.mark.parametrize("descr", ["|V20", "<f16", "<f4x", ">f4", "<c8", "|O", "<M8[s]"])
def test_element_types_are_read_to_their_end(descr, tmp_path):
    content = io.BytesIO()
    np.save(content, ARRAYS["w"])
    header = content.getvalue().replace(b"'<f4'", b"'%s'" % descr.encode(), 1)
    size = struct.unpack("<H", header[8:10])[0] + len(descr) - 3
    path = tmp_path / "w.npy"
    path.write_bytes(header[:8] + struct.pack("<H", size) + header[10:])
    with pytest.raises(mx2onnx.FormatError, match="element type .* is not supported"):
        mx2onnx.inspect(path)
