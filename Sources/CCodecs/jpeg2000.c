#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CCodecs.h"

#if __has_include(<openjpeg-2.5/openjpeg.h>)
#include <openjpeg-2.5/openjpeg.h>
#else
#include <openjpeg.h>
#endif

struct sx_jpeg2000_reader {
    opj_codec_t *codec;
    opj_stream_t *stream;
    opj_image_t *image;
    const uint8_t *bytes;
    size_t count;
    size_t position;
    char message[256];
};

static void keep_message(const char *message, void *data) {
    sx_jpeg2000_reader *reader = data;
    if (reader->message[0]) return;
    snprintf(reader->message, sizeof(reader->message), "%s", message);
    reader->message[strcspn(reader->message, "\n")] = 0;
}

static OPJ_SIZE_T take(void *out, OPJ_SIZE_T size, void *data) {
    sx_jpeg2000_reader *reader = data;
    size_t left = reader->count - reader->position;
    size_t taken = size < left ? size : left;
    if (taken == 0) return (OPJ_SIZE_T)-1;
    memcpy(out, reader->bytes + reader->position, taken);
    reader->position += taken;
    return taken;
}

static OPJ_BOOL seek(OPJ_OFF_T offset, void *data) {
    sx_jpeg2000_reader *reader = data;
    if (offset < 0 || (size_t)offset > reader->count) return OPJ_FALSE;
    reader->position = (size_t)offset;
    return OPJ_TRUE;
}

static OPJ_OFF_T skip(OPJ_OFF_T offset, void *data) {
    sx_jpeg2000_reader *reader = data;
    OPJ_OFF_T left = (OPJ_OFF_T)(reader->count - reader->position);
    if (offset < 0 || left == 0) return -1;
    if (offset > left) offset = left;
    reader->position += (size_t)offset;
    return offset;
}

static int failed(const sx_jpeg2000_reader *reader, const char *otherwise, sx_image_report *report) {
    const char *message = reader && reader->message[0] ? reader->message : otherwise;
    snprintf(report->message, sizeof(report->message), "%s", message);
    return 0;
}

static int open_header(sx_jpeg2000_reader *reader, sx_image_report *report) {
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_set_error_handler(reader->codec, keep_message, reader);
    if (!opj_setup_decoder(reader->codec, &parameters)) return failed(reader, "out of memory", report);
    // Cut short is damaged; the switch came with OpenJPEG 2.5.
    if (!opj_decoder_set_strict_mode(reader->codec, OPJ_TRUE)) return failed(reader, "no strict mode", report);
    opj_stream_set_user_data(reader->stream, reader, NULL);
    opj_stream_set_user_data_length(reader->stream, reader->count);
    opj_stream_set_read_function(reader->stream, take);
    opj_stream_set_seek_function(reader->stream, seek);
    opj_stream_set_skip_function(reader->stream, skip);
    if (!opj_read_header(reader->stream, reader->codec, &reader->image)) return failed(reader, "no header", report);
    const opj_image_t *image = reader->image;
    report->width = image->x1 - image->x0;
    report->height = image->y1 - image->y0;
    if (image->numcomps < 1 || image->numcomps > 4) return failed(NULL, "not one to four components", report);
    return 1;
}

sx_jpeg2000_reader *sx_jpeg2000_open(const uint8_t *bytes, size_t count, sx_image_report *report) {
    sx_jpeg2000_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        failed(NULL, "out of memory", report);
        return NULL;
    }
    reader->bytes = bytes;
    reader->count = count;
    reader->codec = opj_create_decompress(count > 0 && bytes[0] == 0xFF ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    reader->stream = opj_stream_create(65536, OPJ_TRUE);
    if (!reader->codec || !reader->stream || !open_header(reader, report)) {
        if (!report->message[0]) failed(NULL, "out of memory", report);
        sx_jpeg2000_close(reader);
        return NULL;
    }
    return reader;
}

/// A sample of a component at a pixel of the picture, rounded to 8 bits without sign.
static int sample(const opj_image_comp_t *component, uint32_t x, uint32_t y) {
    uint32_t column = x / component->dx, row = y / component->dy;
    if (column >= component->w) column = component->w - 1;
    if (row >= component->h) row = component->h - 1;
    int64_t value = component->data[(size_t)row * component->w + column];
    if (component->sgnd) value += (int64_t)1 << (component->prec - 1);
    int surplus = (int)component->prec - 8;
    value = surplus > 0 ? (value + ((int64_t)1 << (surplus - 1))) >> surplus : value * (1 << -surplus);
    return value < 0 ? 0 : value > 255 ? 255 : (int)value;
}

/// An ink and black to light, both over 255 and rounded.
static uint8_t uninked(int ink, int black) {
    int product = ink * (255 - black) + 128;
    return (uint8_t)(255 - black - (((product >> 8) + product) >> 8));
}

static uint8_t clamped(double value) { return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)(value + 0.5); }

int sx_jpeg2000_read(sx_jpeg2000_reader *reader, uint8_t *rgb, sx_image_report *report) {
    opj_image_t *image = reader->image;
    if (!opj_decode(reader->codec, reader->stream, image) || !opj_end_decompress(reader->codec, reader->stream))
        return failed(reader, "not decodable", report);
    for (uint32_t index = 0; index < image->numcomps; index++) {
        const opj_image_comp_t *component = &image->comps[index];
        if (!component->data || !component->w || !component->h || !component->dx || !component->dy
            || component->prec < 1 || component->prec > 31)
            return failed(reader, "a component is empty", report);
    }
    int is_grey = image->numcomps < 3;
    int is_cmyk = image->numcomps == 4 && image->color_space == OPJ_CLRSPC_CMYK;
    int is_ycc = !is_grey && image->color_space == OPJ_CLRSPC_SYCC;
    for (uint32_t y = 0; y < report->height; y++) {
        for (uint32_t x = 0; x < report->width; x++, rgb += 3) {
            int parts[3];
            for (int part = 0; part < 3; part++) parts[part] = sample(&image->comps[is_grey ? 0 : part], x, y);
            if (is_cmyk) {
                int black = sample(&image->comps[3], x, y);
                for (int part = 0; part < 3; part++) rgb[part] = uninked(parts[part], black);
            } else if (is_ycc) {
                double blue = parts[1] - 128, red = parts[2] - 128, light = parts[0];
                rgb[0] = clamped(light + 1.402 * red);
                rgb[1] = clamped(light - 0.344136 * blue - 0.714136 * red);
                rgb[2] = clamped(light + 1.772 * blue);
            } else {
                for (int part = 0; part < 3; part++) rgb[part] = (uint8_t)parts[part];
            }
        }
    }
    return 1;
}

void sx_jpeg2000_close(sx_jpeg2000_reader *reader) {
    if (!reader) return;
    if (reader->image) opj_image_destroy(reader->image);
    if (reader->stream) opj_stream_destroy(reader->stream);
    if (reader->codec) opj_destroy_codec(reader->codec);
    free(reader);
}
