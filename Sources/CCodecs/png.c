#include <setjmp.h>
#include <stdio.h>

#include "bytes.h"

#include <png.h>

/// An ancillary chunk larger than this is refused.
enum { maximum_chunk = 8 << 20 };

struct sx_png_reader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t left;
};

static void fail(png_structp png, png_const_charp message) {
    sx_image_report *report = png_get_error_ptr(png);
    snprintf(report->message, sizeof(report->message), "%s", message);
    png_longjmp(png, 1);
}

static void take(png_structp png, png_bytep out, size_t count) {
    sx_png_reader *reader = png_get_io_ptr(png);
    if (count > reader->left) png_error(png, "the data ends early");
    memcpy(out, reader->bytes, count);
    reader->bytes += count;
    reader->left -= count;
}

static void find_exif(sx_png_reader *reader, sx_image_report *report) {
    png_bytep exif = NULL;
    png_uint_32 count = 0;
    if (png_get_eXIf_1(reader->png, reader->info, &count, &exif)) {
        report->exif = exif;
        report->exif_count = count;
    }
}

sx_png_reader *sx_png_open(const uint8_t *bytes, size_t count, sx_image_report *report) {
    sx_png_reader *reader = calloc(1, sizeof *reader);
    if (reader) {
        reader->bytes = bytes;
        reader->left = count;
        reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, report, fail, fail);
    }
    if (reader && reader->png) reader->info = png_create_info_struct(reader->png);
    if (!reader || !reader->info) {
        snprintf(report->message, sizeof(report->message), "out of memory");
        sx_png_close(reader);
        return NULL;
    }
    if (setjmp(png_jmpbuf(reader->png))) {
        sx_png_close(reader);
        return NULL;
    }
    png_set_read_fn(reader->png, reader, take);
    // Colour profiles and texts play no part in the pixels, and many real files carry faulty ones.
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "eXIf", 1);
    png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(reader->png, maximum_chunk);
    png_read_info(reader->png, reader->info);
    report->width = png_get_image_width(reader->png, reader->info);
    report->height = png_get_image_height(reader->png, reader->info);
    find_exif(reader, report);
    return reader;
}

int sx_png_read(sx_png_reader *reader, uint8_t *rgb, sx_image_report *report) {
    png_structp png = reader->png;
    png_set_error_fn(png, report, fail, fail);
    if (setjmp(png_jmpbuf(png))) return 0;
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    size_t stride = (size_t)report->width * 3;
    if (png_get_rowbytes(png, reader->info) != stride) png_error(png, "unexpected row size");
    for (int pass = 0; pass < passes; pass++) {
        report->scans = (uint32_t)pass + 1;
        for (uint32_t y = 0; y < report->height; y++) {
            report->rows = y;
            png_read_row(png, rgb + stride * y, NULL);
        }
    }
    report->rows = report->height;
    png_read_end(png, reader->info);
    find_exif(reader, report);
    return 1;
}

void sx_png_close(sx_png_reader *reader) {
    if (!reader) return;
    if (reader->png) png_destroy_read_struct(&reader->png, &reader->info, NULL);
    free(reader);
}

static void put(png_structp png, png_bytep data, size_t count) {
    if (!sx_bytes_append(png_get_io_ptr(png), data, count)) png_error(png, "out of memory");
}

static void put_flush(png_structp png) { (void)png; }

int sx_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int compression, sx_bytes *out,
                  sx_image_report *report) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, report, fail, fail);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        snprintf(report->message, sizeof(report->message), "out of memory");
        png_destroy_write_struct(&png, NULL);
        return 0;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return 0;
    }
    png_set_write_fn(png, out, put, put_flush);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png, info, width, height, 8, channels == 4 ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, compression);
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, pixels + (size_t)y * width * (size_t)channels);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return 1;
}
