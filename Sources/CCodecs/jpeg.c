#include <setjmp.h>
#include <stdio.h>

#include "bytes.h"

#include <jpeglib.h>

#include <jerror.h>

/// Error handling shared by both directions; `base` is first so that cinfo->err can be cast back.
typedef struct jpeg_guard {
    struct jpeg_error_mgr base;
    jmp_buf failed;
    char *message;
} jpeg_guard;

struct sx_jpeg_reader {
    struct jpeg_decompress_struct info;
    jpeg_guard guard;
    struct jpeg_progress_mgr progress;
    sx_image_report *report;
    uint32_t maximum_scans;
};

static void guard_error(j_common_ptr info) {
    jpeg_guard *guard = (jpeg_guard *)info->err;
    guard->base.format_message(info, guard->message);
    longjmp(guard->failed, 1);
}

static void guard_warning(j_common_ptr info, int level) {
    if (level < 0) guard_error(info);
}

static void guard_silence(j_common_ptr info) { (void)info; }

static struct jpeg_error_mgr *guard_install(jpeg_guard *guard, sx_image_report *report) {
    _Static_assert(sizeof(report->message) >= JMSG_LENGTH_MAX, "libjpeg formats up to JMSG_LENGTH_MAX characters");
    jpeg_std_error(&guard->base);
    guard->base.error_exit = guard_error;
    guard->base.emit_message = guard_warning;
    guard->base.output_message = guard_silence;
    guard->message = report->message;
    return &guard->base;
}

static void scan_monitor(j_common_ptr info) {
    sx_jpeg_reader *reader = (sx_jpeg_reader *)info->client_data;
    reader->report->scans = (uint32_t)reader->info.input_scan_number;
    if (reader->report->scans > reader->maximum_scans) {
        reader->report->too_many_scans = 1;
        snprintf(reader->report->message, sizeof(reader->report->message), "too many scans");
        longjmp(reader->guard.failed, 1);
    }
}

sx_jpeg_reader *sx_jpeg_open(const uint8_t *bytes, size_t count, sx_image_report *report) {
    static const uint8_t prefix[6] = {'E', 'x', 'i', 'f', 0, 0};
    sx_jpeg_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        snprintf(report->message, sizeof(report->message), "out of memory");
        return NULL;
    }
    reader->report = report;
    reader->info.err = guard_install(&reader->guard, report);
    if (setjmp(reader->guard.failed)) {
        sx_jpeg_close(reader);
        return NULL;
    }
    jpeg_create_decompress(&reader->info);
    reader->info.client_data = reader;
    jpeg_mem_src(&reader->info, bytes, count);
    jpeg_save_markers(&reader->info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&reader->info, TRUE);
    report->width = reader->info.image_width;
    report->height = reader->info.image_height;
    for (jpeg_saved_marker_ptr marker = reader->info.marker_list; marker; marker = marker->next) {
        if (marker->data_length > sizeof prefix && !memcmp(marker->data, prefix, sizeof prefix)) {
            report->exif = marker->data + sizeof prefix;
            report->exif_count = marker->data_length - sizeof prefix;
            break;
        }
    }
    return reader;
}

/// One row of inverted CMYK (as Adobe stores it) to RGB.
static void cmyk_row(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
    for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        int black = cmyk[3];
        for (int channel = 0; channel < 3; channel++)
            rgb[channel] = (uint8_t)(black - ((255 - cmyk[channel]) * black >> 8));
    }
}

int sx_jpeg_read(sx_jpeg_reader *reader, uint8_t *rgb, uint32_t maximum_scans, size_t maximum_memory,
                 sx_image_report *report) {
    j_decompress_ptr info = &reader->info;
    reader->report = report;
    reader->guard.message = report->message;
    reader->maximum_scans = maximum_scans;
    if (setjmp(reader->guard.failed)) {
        report->scans = (uint32_t)reader->info.input_scan_number;
        return 0;
    }
    reader->progress.progress_monitor = scan_monitor;
    info->progress = &reader->progress;
    info->mem->max_memory_to_use = (long)maximum_memory;
    int cmyk = info->num_components == 4;
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(info);
    size_t stride = (size_t)info->output_width * 3;
    JSAMPARRAY wide = cmyk ? info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, info->output_width * 4, 1) : NULL;
    while (info->output_scanline < info->output_height) {
        uint8_t *row = rgb + stride * info->output_scanline;
        if (cmyk) {
            jpeg_read_scanlines(info, wide, 1);
            cmyk_row(wide[0], row, info->output_width);
        } else {
            jpeg_read_scanlines(info, &row, 1);
        }
        report->rows = info->output_scanline;
    }
    jpeg_finish_decompress(info);
    return 1;
}

void sx_jpeg_close(sx_jpeg_reader *reader) {
    if (!reader) return;
    jpeg_destroy_decompress(&reader->info);
    free(reader);
}

enum { chunk_size = 65536 };

typedef struct jpeg_sink {
    struct jpeg_destination_mgr base;
    sx_bytes *out;
    uint8_t chunk[chunk_size];
} jpeg_sink;

typedef struct jpeg_writer {
    struct jpeg_compress_struct info;
    jpeg_guard guard;
    jpeg_sink sink;
} jpeg_writer;

static void sink_reset(j_compress_ptr info) {
    jpeg_sink *sink = (jpeg_sink *)info->dest;
    sink->base.next_output_byte = sink->chunk;
    sink->base.free_in_buffer = chunk_size;
}

static void sink_append(j_compress_ptr info, size_t count) {
    jpeg_sink *sink = (jpeg_sink *)info->dest;
    if (!sx_bytes_append(sink->out, sink->chunk, count)) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
}

static boolean sink_flush(j_compress_ptr info) {
    sink_append(info, chunk_size);
    sink_reset(info);
    return TRUE;
}

static void sink_end(j_compress_ptr info) { sink_append(info, chunk_size - info->dest->free_in_buffer); }

int sx_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, sx_bytes *out,
                   sx_image_report *report) {
    jpeg_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        snprintf(report->message, sizeof(report->message), "out of memory");
        return 0;
    }
    j_compress_ptr info = &writer->info;
    info->err = guard_install(&writer->guard, report);
    if (setjmp(writer->guard.failed)) {
        jpeg_destroy_compress(&writer->info);
        free(writer);
        return 0;
    }
    jpeg_create_compress(info);
    writer->sink.out = out;
    writer->sink.base.init_destination = sink_reset;
    writer->sink.base.empty_output_buffer = sink_flush;
    writer->sink.base.term_destination = sink_end;
    info->dest = &writer->sink.base;
    info->image_width = width;
    info->image_height = height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    if (quality >= 90) info->comp_info[0].h_samp_factor = info->comp_info[0].v_samp_factor = 1;
    info->optimize_coding = TRUE;
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)info->next_scanline * width * 3);
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
    jpeg_destroy_compress(info);
    free(writer);
    return 1;
}
