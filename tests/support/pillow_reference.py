"""Decodes and resizes pictures by Pillow: pillow_reference.py FOLDER PICTURE…

Writes FOLDER/N.rgb, picture N as decoded, and FOLDER/N-K.rgb, its region K resized: "height width",
a new line, and the bytes of red, green and blue, row by row.
"""
import sys

from PIL import Image


def write(path, picture):
    with open(path, "wb") as file:
        file.write(b"%d %d\n" % (picture.height, picture.width))
        file.write(picture.tobytes())


def main(folder, pictures):
    for number, name in enumerate(pictures):
        picture = Image.open(name).convert("RGB")
        write(f"{folder}/{number}.rgb", picture)
        w, h = picture.size
        regions = [(w // 10, h // 5, w * 7 // 10, h * 6 // 10, 224, 224), (0, 0, w, h, 61, 97),
                   (w // 3, h // 4, w // 5, h // 5, 224, 224)]
        for k, (left, top, width, height, out_width, out_height) in enumerate(regions):
            region = picture.crop((left, top, left + width, top + height))
            write(f"{folder}/{number}-{k}.rgb",
                  region.resize((out_width, out_height), Image.Resampling.BILINEAR))


main(sys.argv[1], sys.argv[2:])
