"""What scripts/soak trains on, and what its runs came to."""
import csv
import gzip
import hashlib
import json
import random
import struct
import zlib

# What names begin with that are no results.
TIMES_AND_BYTES = ("seconds", "images_per_second", "data_wait", "peak", "speed", "time",
                   "bytes_per_step")


def write_png(path, pixels):
    """An 8-bit RGB picture. pixels: rows of bytes."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", len(pixels[0]) // 3, len(pixels), 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row for row in pixels)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def make_pictures(folder):
    choice = random.Random("pictures")
    for part, count in (("train", 20), ("val", 6)):
        for name in ("cat", "dog", "owl"):
            (folder / part / name).mkdir(parents=True)
            for i in range(count):
                rows = [choice.randbytes(60) for _ in range(20)]
                write_png(folder / part / name / f"{i}.png", rows)


def make_mnist(folder):
    choice = random.Random("digits")
    folder.mkdir()
    for part, count in (("train", 48), ("t10k", 16)):
        images = struct.pack(">IIII", 0x803, count, 28, 28) + choice.randbytes(count * 784)
        labels = struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def tensors(path):
    """Of a safetensors file: what of each tensor must be alike."""
    content = path.read_bytes()
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:begin])
    header.pop("__metadata__", None)
    digests = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        digest = hashlib.sha256(content[begin + first : begin + last]).hexdigest()
        digests[name] = (entry["dtype"], entry["shape"], digest)
    return digests


def without_times(value):
    if isinstance(value, dict):
        return {
            key: without_times(entry)
            for key, entry in value.items()
            if not key.startswith(TIMES_AND_BYTES)
        }
    return [without_times(entry) for entry in value] if isinstance(value, list) else value


def end_of(folder):
    """Everything that must not depend on how often a run was broken off, by a name for it."""
    end = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".safetensors":
            end[name] = tensors(path)
        elif path.suffix == ".csv":
            with open(path, newline="", encoding="utf-8") as file:
                end[name] = [without_times(row) for row in csv.DictReader(file)]
        elif path.suffix == ".jsonl":
            lines = path.read_text(encoding="utf-8").splitlines()
            end[name] = [without_times(json.loads(line)) for line in lines]
        elif path.name in ("summary.json", "comparison.json"):
            end[name] = without_times(json.loads(path.read_text(encoding="utf-8")))
        elif path.name == "plan.toml":
            end[name] = path.read_text(encoding="utf-8")
        elif path.suffix == ".part":
            end[name] = "left behind"
    return end


def first_difference(expected, actual, place=""):
    """Where two values differ, in words; None if they do not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(set(expected) | set(actual)):
            if key not in actual or key not in expected:
                return f"{place}{key} is {'there' if key in actual else 'missing'}"
            difference = first_difference(expected[key], actual[key], f"{place}{key} ")
            if difference:
                return difference
        return None
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual))
        found = (first_difference(*pair, f"{place}{number} ") for number, pair in pairs)
        return next((difference for difference in found if difference), None)
    return None if expected == actual else f"{place}is {actual}, not {expected}"
