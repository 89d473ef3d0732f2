/// Opening a file that a model names, without leaving a directory.
#pragma once

/// Opens `path` for reading below the directory `directory`, following no link out of it, never blocking.
/// Returns a descriptor, or the negated `errno`: EXDEV when the path leaves the directory, ENOSYS when the kernel
/// (before Linux 5.6) cannot confine the walk.
int onnx_open_beneath(int directory, const char *path);
