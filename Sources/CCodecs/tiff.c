#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CCodecs.h"

#include <tiffio.h>

/// The most that libtiff may allocate at once: a strip or tile of 100 Mpx.
static const tmsize_t maximum_block = (tmsize_t)1 << 30;

struct sx_tiff_reader {
    TIFF *tiff;
    const uint8_t *bytes;
    size_t count;
    size_t position;
    char message[256];
};

static int keep_message(TIFF *tiff, void *data, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)module;
    sx_tiff_reader *reader = data;
    if (!reader->message[0]) vsnprintf(reader->message, sizeof(reader->message), format, arguments);
    return 1;
}

static int drop_message(TIFF *tiff, void *data, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)data, (void)module, (void)format, (void)arguments;
    return 1;
}

static tmsize_t take(thandle_t handle, void *out, tmsize_t size) {
    sx_tiff_reader *reader = handle;
    if (size < 0 || reader->position >= reader->count) return 0;
    size_t left = reader->count - reader->position;
    size_t taken = (size_t)size < left ? (size_t)size : left;
    memcpy(out, reader->bytes + reader->position, taken);
    reader->position += taken;
    return (tmsize_t)taken;
}

static tmsize_t refuse(thandle_t handle, void *data, tmsize_t size) {
    (void)handle, (void)data, (void)size;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int origin) {
    sx_tiff_reader *reader = handle;
    toff_t base = origin == SEEK_CUR ? reader->position : origin == SEEK_END ? reader->count : 0;
    reader->position = (size_t)(base + offset);
    return reader->position;
}

static int done(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t length(thandle_t handle) { return ((sx_tiff_reader *)handle)->count; }

static void report_failure(const sx_tiff_reader *reader, sx_image_report *report) {
    const char *message = reader && reader->message[0] ? reader->message : "not readable";
    snprintf(report->message, sizeof(report->message), "%s", message);
}

sx_tiff_reader *sx_tiff_open(const uint8_t *bytes, size_t count, sx_image_report *report) {
    sx_tiff_reader *reader = calloc(1, sizeof *reader);
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (reader && options) {
        reader->bytes = bytes;
        reader->count = count;
        TIFFOpenOptionsSetMaxSingleMemAlloc(options, maximum_block);
        TIFFOpenOptionsSetErrorHandlerExtR(options, keep_message, reader);
        TIFFOpenOptionsSetWarningHandlerExtR(options, drop_message, NULL);
        reader->tiff = TIFFClientOpenExt("", "rm", reader, take, refuse, seek, done, length, NULL, NULL, options);
    }
    if (options) TIFFOpenOptionsFree(options);
    if (!reader || !reader->tiff || !TIFFGetField(reader->tiff, TIFFTAG_IMAGEWIDTH, &report->width)
        || !TIFFGetField(reader->tiff, TIFFTAG_IMAGELENGTH, &report->height)) {
        report_failure(reader, report);
        sx_tiff_close(reader);
        return NULL;
    }
    return reader;
}

int sx_tiff_read(sx_tiff_reader *reader, uint8_t *rgb, sx_image_report *report) {
    size_t pixels = (size_t)report->width * report->height;
    uint32_t *rgba = malloc(pixels * sizeof *rgba);
    // libtiff multiplies colours by an alpha that is said to stand apart from them.
    uint16_t extras = 0, *kinds = NULL;
    if (TIFFGetField(reader->tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds) && extras > 0
        && kinds[0] == EXTRASAMPLE_UNASSALPHA) {
        uint16_t together = EXTRASAMPLE_ASSOCALPHA;
        if (extras == 1) TIFFSetField(reader->tiff, TIFFTAG_EXTRASAMPLES, 1, &together);
    }
    int read = rgba && TIFFReadRGBAImageOriented(reader->tiff, report->width, report->height, rgba, ORIENTATION_TOPLEFT, 1);
    if (!read) report_failure(reader, report);
    for (size_t pixel = 0; read && pixel < pixels; pixel++) {
        rgb[pixel * 3] = (uint8_t)TIFFGetR(rgba[pixel]);
        rgb[pixel * 3 + 1] = (uint8_t)TIFFGetG(rgba[pixel]);
        rgb[pixel * 3 + 2] = (uint8_t)TIFFGetB(rgba[pixel]);
    }
    free(rgba);
    return read;
}

void sx_tiff_close(sx_tiff_reader *reader) {
    if (!reader) return;
    if (reader->tiff) TIFFClose(reader->tiff);
    free(reader);
}
