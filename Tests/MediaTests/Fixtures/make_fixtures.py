"""Writes the picture fixtures of MediaTests and expected.txt, the pixels OpenCV decodes from them.

Needs numpy, Pillow and opencv-python-headless; run in this directory. Each line of expected.txt is
`file width height sha256`, the hash taken over interleaved RGB8 as cv2.imread(IMREAD_COLOR) gives it
(EXIF orientation applied), turned from BGR to RGB.
"""
import hashlib
import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image

W, H = 61, 47


def scene(width=W, height=H):
    """Gradients, hard edges and seeded noise: something every filter and subsampling mode reacts to."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    r = 255 * x / (width - 1)
    g = 255 * y / (height - 1)
    b = 127 + 127 * np.sin(x / 3) * np.cos(y / 4)
    image = np.stack([r, g, b], -1)
    image[10:20, 12:30] = (250, 30, 20)
    image[25:40, 35:55] = (10, 60, 230)
    image += np.random.default_rng(7).normal(0, 12, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, depth, colour, interlaced=False, extra=b""):
    """A PNG from samples [H, W, channels], written by the specification, for types that Pillow cannot write."""
    height, width, channels = samples.shape

    def rows(part):
        out = b""
        for row in part:
            flat = row.reshape(-1)
            if depth == 16:
                data = flat.astype(">u2").tobytes()
            elif depth == 8:
                data = flat.astype(np.uint8).tobytes()
            else:
                bits = "".join(format(int(v), f"0{depth}b") for v in flat)
                bits += "0" * (-len(bits) % 8)
                data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
            out += b"\0" + data
        return out

    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        raw = b"".join(rows(samples[y0::dy, x0::dx]) for x0, y0, dx, dy in passes)
    else:
        raw = rows(samples)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def save(name, data):
    with open(name, "wb") as file:
        file.write(data)
    names.append(name)


def pillow(name, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    save(name, buffer.getvalue())


names = []
rgb = scene()
picture = Image.fromarray(rgb)
for label, mode in (("444", 0), ("422", 1), ("420", 2)):
    pillow(f"rgb-{label}.jpg", picture, format="JPEG", quality=90, subsampling=mode)
pillow("progressive-420.jpg", picture, format="JPEG", quality=85, progressive=True)
pillow("gray.jpg", picture.convert("L"), format="JPEG", quality=90)
pillow("cmyk.jpg", picture.convert("CMYK"), format="JPEG", quality=90)
pillow("restart.jpg", picture, format="JPEG", quality=80, restart_marker_blocks=2)
small = Image.fromarray(scene(24, 16))
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pillow(f"orientation-{orientation}.jpg", small, format="JPEG", quality=90, exif=exif.tobytes())

gray = rgb.mean(-1, keepdims=True)
index = (gray / 16).astype(int)
palette = np.random.default_rng(3).integers(0, 256, (256, 3), dtype=np.uint8)
alpha = np.broadcast_to(np.linspace(0, 255, W)[None, :, None], (H, W, 1))
wide = rgb.astype(np.int64) * 257 + np.random.default_rng(5).integers(-128, 128, rgb.shape)
wide = np.clip(wide, 0, 65535)
for depth in (1, 2, 4, 8):
    save(f"gray-{depth}.png", png((gray / 256 * 2**depth).astype(int), depth, 0))
    plte = chunk(b"PLTE", palette[: 2**depth].tobytes())
    save(f"palette-{depth}.png", png(np.minimum(index if depth < 8 else gray, 2**depth - 1).astype(int), depth, 3, extra=plte))
save("gray-16.png", png(wide[..., :1], 16, 0))
save("rgb-8.png", png(rgb, 8, 2))
save("rgb-16.png", png(wide, 16, 2))
save("gray-alpha-8.png", png(np.concatenate([gray, alpha], -1), 8, 4))
save("gray-alpha-16.png", png(np.concatenate([wide[..., :1], alpha * 257], -1).astype(int), 16, 4))
save("rgba-8.png", png(np.concatenate([rgb, alpha], -1), 8, 6))
save("rgba-16.png", png(np.concatenate([wide, alpha * 257], -1).astype(int), 16, 6))
save("palette-trns.png", png(index, 4, 3, extra=chunk(b"PLTE", palette[:16].tobytes()) + chunk(b"tRNS", bytes(range(0, 256, 16)))))
save("gray-trns.png", png(gray.astype(int), 8, 0, extra=chunk(b"tRNS", struct.pack(">H", 100))))
save("rgb-trns.png", png(rgb, 8, 2, extra=chunk(b"tRNS", struct.pack(">HHH", 250, 30, 20))))
save("interlaced-rgb-8.png", png(rgb, 8, 2, interlaced=True))
save("interlaced-gray-2.png", png((gray / 64).astype(int), 2, 0, interlaced=True))
save("gamma.png", png(rgb, 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000))))
exif_block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
save("orientation-6.png", png(scene(24, 16), 8, 2, extra=chunk(b"eXIf", exif_block)))

pillow("lossy.webp", picture, format="WEBP", quality=80)
pillow("lossless.webp", picture, format="WEBP", lossless=True)
rgba = Image.fromarray(np.concatenate([rgb, alpha.astype(np.uint8)], -1))
pillow("lossy-alpha.webp", rgba, format="WEBP", quality=80)
pillow("lossless-alpha.webp", rgba, format="WEBP", lossless=True, exact=True)

exif = Image.Exif()
exif[0x0112] = 6
pillow("orientation-6.webp", small, format="WEBP", lossless=True, exif=exif.tobytes())

with open("expected.txt", "w") as out:
    for name in sorted(names):
        pixels = cv2.imread(name, cv2.IMREAD_COLOR)[..., ::-1]
        digest = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
        print(name, pixels.shape[1], pixels.shape[0], digest, file=out)
