"""Writes the archives that the NumpyIO tests read; run in this folder with any recent NumPy."""
import numpy as np

arrays = {}
for code in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "b1"]:
    base = np.arange(6).reshape(2, 3)
    values = base % 2 == 1 if code == "b1" else (base * 10 + (1j * base if code[0] == "c" else 0)).astype(code)
    arrays[f"little_{code}"] = values.astype("<" + code)
    arrays[f"big_{code}"] = values.astype(">" + code)
arrays["fortran"] = np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4))
arrays["scalar"] = np.array(7.5, "<f4")
arrays["empty"] = np.zeros((0, 3), "<f4")
arrays["long"] = np.arange(5000, dtype="<i4") // 100
np.savez("stored.npz", **arrays)
np.savez_compressed("deflated.npz", **arrays)
words = np.array([["a", "grün", ""], ["a\0b", "𝄞", "five5"]])
np.savez("text.npz", words=words, big=words.astype(">U5"), fortran=np.asfortranarray(words),
         bytes=np.array(["grün".encode(), b"b"]), dates=np.array(["2026-11-27"], "M8[D]"), invalid=np.array([b"\xff"]))
np.save("plain.npy", np.arange(12, dtype="<f4").reshape(3, 4))
