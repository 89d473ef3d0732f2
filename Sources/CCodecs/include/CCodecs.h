/// JPEG by libjpeg-turbo, PNG by libpng, TIFF by libtiff and JPEG 2000 by OpenJPEG behind functions that return instead
/// of jumping or calling back: longjmp must not pass through Swift frames.
#ifndef SARDONYX_CCODECS_H
#define SARDONYX_CCODECS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a decoder knows about a picture and how far it came.
typedef struct sx_image_report {
    uint32_t width;
    uint32_t height;
    /// The EXIF block without its "Exif\0\0" prefix; NULL where there is none. It belongs to the reader.
    const uint8_t *exif;
    size_t exif_count;
    /// Rows complete when decoding ended (of the current pass, for interlaced PNG).
    uint32_t rows;
    /// JPEG scans or interlaced PNG passes begun.
    uint32_t scans;
    /// Non-zero when decoding ended because `scans` would pass the allowed number.
    int too_many_scans;
    /// The library's own sentence for the first warning or error; every warning is an error.
    char message[256];
} sx_image_report;

/// Growing output of an encoder; release `data` with free().
typedef struct sx_bytes {
    uint8_t *data;
    size_t count;
    size_t capacity;
} sx_bytes;

typedef struct sx_jpeg_reader sx_jpeg_reader;
typedef struct sx_png_reader sx_png_reader;

/// Reads the header only. `bytes` must outlive the reader. NULL on failure, with report->message set.
sx_jpeg_reader *sx_jpeg_open(const uint8_t *bytes, size_t count, sx_image_report *report);
/// Decodes to interleaved RGB, width * height * 3 bytes. Non-zero on success.
/// Accurate integer DCT and fancy upsampling, so pixels equal OpenCV's; Adobe CMYK and YCCK become RGB
/// by OpenCV's integer formula. At most `maximum_scans` scans and `maximum_memory` bytes of work space.
int sx_jpeg_read(sx_jpeg_reader *reader, uint8_t *rgb, uint32_t maximum_scans, size_t maximum_memory,
                 sx_image_report *report);
void sx_jpeg_close(sx_jpeg_reader *reader);

/// As sx_jpeg_open. Ancillary chunks other than tRNS and eXIf are skipped unread.
sx_png_reader *sx_png_open(const uint8_t *bytes, size_t count, sx_image_report *report);
/// Decodes any PNG to interleaved RGB: palettes and 1-4 bit greys expanded, the high byte of 16-bit
/// samples kept, alpha dropped. Non-zero on success. `rgb` must be zeroed.
int sx_png_read(sx_png_reader *reader, uint8_t *rgb, sx_image_report *report);
void sx_png_close(sx_png_reader *reader);

typedef struct sx_tiff_reader sx_tiff_reader;
typedef struct sx_jpeg2000_reader sx_jpeg2000_reader;

/// As sx_jpeg_open, of the first picture in the file. Warnings of libtiff (tags that it does not know) are ignored.
sx_tiff_reader *sx_tiff_open(const uint8_t *bytes, size_t count, sx_image_report *report);
/// Decodes to interleaved RGB: libtiff's conversions to 8 bits, alpha dropped, colours as stored beside it. Needs four
/// bytes a pixel besides. Non-zero on success.
int sx_tiff_read(sx_tiff_reader *reader, uint8_t *rgb, sx_image_report *report);
void sx_tiff_close(sx_tiff_reader *reader);

/// As sx_jpeg_open, of a JP2 file or a bare code stream. Refuses more than four components.
sx_jpeg2000_reader *sx_jpeg2000_open(const uint8_t *bytes, size_t count, sx_image_report *report);
/// Decodes to interleaved RGB: one or two components are grey, of more the first three are RGB (or YCbCr or CMYK,
/// which are converted), alpha dropped; samples rounded to 8 bits. Non-zero on success.
int sx_jpeg2000_read(sx_jpeg2000_reader *reader, uint8_t *rgb, sx_image_report *report);
void sx_jpeg2000_close(sx_jpeg2000_reader *reader);

/// Encodes interleaved RGB; `quality` 1...100; chroma subsampled below quality 90. Non-zero on success.
int sx_jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, sx_bytes *out,
                   sx_image_report *report);
/// Encodes 8-bit RGB (channels 3) or RGBA (channels 4). Non-zero on success.
int sx_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int compression, sx_bytes *out,
                  sx_image_report *report);

#ifdef __cplusplus
}
#endif

#endif
