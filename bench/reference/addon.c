/*
 * Node addon over the reference encoders and decoders of the Debian source packages "spice" and "spice-gtk" and of
 * libjpeg, so that theirs and ours run in one process, interleaved, measured by the same thread's CPU clock. It only calls them; none of their code is
 * here. Built by build.ts into the git-ignored cache.
 *
 * Every call takes and gives Uint8Arrays; a codec that fails throws a JavaScript Error with its own message.
 */
#include <config.h>
#include <node_api.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/lz.h"
#include "common/quic.h"
#include "glz-decoder.h"
#include "glz-encoder.h"
#include "jpeg-encoder.h"
#include "lz4-encoder.h"
#include <lz4.h>
#include <jpeglib.h>

static jmp_buf failed;
static char failure[256];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(failure, sizeof failure, format, args);
    va_end(args);
    longjmp(failed, 1);
}

#define CODEC_CALLBACKS(prefix, context)                                                                              \
    __attribute__((noreturn)) static void prefix##_error(context *usr, const char *format, ...)                       \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        (void)usr;                                                                                                     \
        va_start(args, format);                                                                                        \
        vsnprintf(failure, sizeof failure, format, args);                                                              \
        va_end(args);                                                                                                  \
        longjmp(failed, 1);                                                                                            \
    }                                                                                                                  \
    static void prefix##_note(context *usr, const char *format, ...)                                                  \
    {                                                                                                                  \
        (void)usr;                                                                                                     \
        (void)format;                                                                                                  \
    }                                                                                                                  \
    static void *prefix##_malloc(context *usr, int size)                                                              \
    {                                                                                                                  \
        (void)usr;                                                                                                     \
        return malloc(size);                                                                                           \
    }                                                                                                                  \
    static void prefix##_free(context *usr, void *pointer)                                                            \
    {                                                                                                                  \
        (void)usr;                                                                                                     \
        free(pointer);                                                                                                 \
    }

CODEC_CALLBACKS(lz, LzUsrContext)
CODEC_CALLBACKS(quic, QuicUsrContext)
CODEC_CALLBACKS(glz, GlzEncoderUsrContext)

static int lz_no_space(LzUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static int lz_no_lines(LzUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static int quic_no_space(QuicUsrContext *usr, uint32_t **at, int rows) { (void)usr; (void)at; (void)rows; return 0; }
static int quic_no_lines(QuicUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static int glz_no_space(GlzEncoderUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static int glz_no_lines(GlzEncoderUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static void glz_free_image(GlzEncoderUsrContext *usr, GlzUsrImageContext *image) { (void)usr; (void)image; }

static LzUsrContext lz_usr = { lz_error, lz_note, lz_note, lz_malloc, lz_free, lz_no_space, lz_no_lines };
static QuicUsrContext quic_usr = { quic_error, quic_note, quic_note, quic_malloc, quic_free, quic_no_space, quic_no_lines };
static GlzEncoderUsrContext glz_usr = { glz_error, glz_note, glz_note, glz_malloc, glz_free,
                                        glz_no_lines, glz_no_space, glz_free_image };

static LzContext *lz_context;
static QuicContext *quic_context;
static GlzEncDictContext *glz_dictionary;
static GlzEncoderContext *glz_encoder;
static SpiceGlzDecoderWindow *glz_window;
static SpiceGlzDecoder *glz_decoder;

typedef struct { Lz4EncoderUsrContext base; uint8_t *lines; int height, per_batch, stride; } Lz4Usr;

/* The server hands over the lines of a chunk at a time; a whole image in one chunk is its usual case. */
static int lz4_lines(Lz4EncoderUsrContext *usr, uint8_t **lines)
{
    Lz4Usr *image = (Lz4Usr *)usr;
    int count = image->height < image->per_batch ? image->height : image->per_batch;
    *lines = image->lines;
    image->lines += count * image->stride;
    image->height -= count;
    return count;
}
static int lz4_no_space(Lz4EncoderUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static int jpeg_no_space(JpegEncoderUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }
static int jpeg_no_lines(JpegEncoderUsrContext *usr, uint8_t **at) { (void)usr; (void)at; return 0; }

#define MAX_ARGS 9
typedef struct { uint8_t *data; size_t length; } Bytes;

static size_t take(napi_env env, napi_callback_info info, napi_value *args, size_t wanted)
{
    size_t count = MAX_ARGS;
    napi_get_cb_info(env, info, &count, args, NULL, NULL);
    if (count < wanted) napi_throw_error(env, NULL, "too few arguments");
    return count >= wanted;
}
static int32_t number(napi_env env, napi_value value)
{
    int32_t result = 0;
    napi_get_value_int32(env, value, &result);
    return result;
}
static Bytes bytes(napi_env env, napi_value value)
{
    Bytes result = { NULL, 0 };
    napi_get_typedarray_info(env, value, NULL, &result.length, (void **)&result.data, NULL, NULL);
    return result;
}
static napi_value answer(napi_env env, double value)
{
    napi_value result;
    napi_create_double(env, value, &result);
    return result;
}
static napi_value thrown(napi_env env)
{
    napi_throw_error(env, "REFERENCE_CODEC", failure);
    return NULL;
}

/* lzEncode(type, width, height, topDown, stride, pixels, out) -> bytes written */
static napi_value lz_encode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    if (!take(env, info, a, 7)) return NULL;
    Bytes in = bytes(env, a[5]), out = bytes(env, a[6]);
    if (setjmp(failed)) return thrown(env);
    return answer(env, lz_encode(lz_context, number(env, a[0]), number(env, a[1]), number(env, a[2]), number(env, a[3]),
                                 in.data, number(env, a[2]), number(env, a[4]), out.data, out.length));
}

/* lzDecode(stream, toType, out, palette or undefined) -> bytes written */
static napi_value lz_decode_js(napi_env env, napi_callback_info info)
{
    static struct { SpicePalette head; uint32_t ents[256]; } palette;
    static const int pixel_bytes[] = { 0, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 1 };
    napi_value a[MAX_ARGS];
    LzImageType type;
    int width, height, pixels, top_down, to_type;
    size_t need;
    if (!take(env, info, a, 3)) return NULL;
    Bytes in = bytes(env, a[0]), out = bytes(env, a[2]), colors = bytes(env, a[3]);
    to_type = number(env, a[1]);
    if (colors.length) {
        palette.head.num_ents = colors.length;
        memcpy(palette.head.ents, colors.data, colors.length * 4);
    }
    if (setjmp(failed)) return thrown(env);
    lz_decode_begin(lz_context, in.data, in.length, &type, &width, &height, &pixels, &top_down,
                    colors.length ? &palette.head : NULL);
    if (to_type < 1 || to_type > LZ_IMAGE_TYPE_A8) fail("no such type");
    need = (size_t)pixels * pixel_bytes[to_type];
    if (to_type <= LZ_IMAGE_TYPE_PLT8 && to_type == (int)type) need = pixels / PLT_PIXELS_PER_BYTE[type];
    if (need > out.length) fail("output too small");
    lz_decode(lz_context, to_type, out.data);
    return answer(env, need);
}

/* quicEncode(type, width, height, stride, pixels, out) -> bytes written */
static napi_value quic_encode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    if (!take(env, info, a, 6)) return NULL;
    Bytes in = bytes(env, a[4]), out = bytes(env, a[5]);
    if (setjmp(failed)) return thrown(env);
    int words = quic_encode(quic_context, number(env, a[0]), number(env, a[1]), number(env, a[2]), in.data,
                            number(env, a[2]), number(env, a[3]), (uint32_t *)out.data, out.length / 4);
    return answer(env, words < 0 ? words : words * 4.0);
}

/* quicDecode(stream (4-byte aligned), toType, stride, out) -> 0 */
static napi_value quic_decode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    QuicImageType type;
    int width, height;
    if (!take(env, info, a, 4)) return NULL;
    Bytes in = bytes(env, a[0]), out = bytes(env, a[3]);
    if (setjmp(failed)) return thrown(env);
    if (quic_decode_begin(quic_context, (uint32_t *)in.data, in.length / 4, &type, &width, &height) != QUIC_OK) fail("quic_decode_begin");
    if ((size_t)number(env, a[2]) * height > out.length) fail("output too small");
    return answer(env, quic_decode(quic_context, number(env, a[1]), out.data, number(env, a[2])));
}

/* glzReset(windowPixels): a fresh dictionary with one encoder */
static napi_value glz_reset_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    if (!take(env, info, a, 1)) return NULL;
    if (setjmp(failed)) return thrown(env);
    if (glz_encoder) glz_encoder_destroy(glz_encoder);
    if (glz_dictionary) glz_enc_dictionary_destroy(glz_dictionary, &glz_usr);
    glz_dictionary = glz_enc_dictionary_create(number(env, a[0]), 1, &glz_usr);
    glz_encoder = glz_encoder_create(0, glz_dictionary, &glz_usr);
    return NULL;
}

/* glzEncode(type, width, height, topDown, stride, pixels (kept alive by the caller), out) -> bytes written */
static napi_value glz_encode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    GlzEncDictImageContext *image;
    if (!take(env, info, a, 7)) return NULL;
    Bytes in = bytes(env, a[5]), out = bytes(env, a[6]);
    if (setjmp(failed)) return thrown(env);
    return answer(env, glz_encode(glz_encoder, number(env, a[0]), number(env, a[1]), number(env, a[2]), number(env, a[3]),
                                  in.data, number(env, a[2]), number(env, a[4]), out.data, out.length, NULL, &image));
}

/* lz4Encode(height, stride, topDown, format, linesPerBatch, pixels, out) -> bytes written */
static napi_value lz4_encode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    if (!take(env, info, a, 7)) return NULL;
    Bytes in = bytes(env, a[5]), out = bytes(env, a[6]);
    Lz4Usr usr = { { lz4_no_space, lz4_lines }, in.data, number(env, a[0]), number(env, a[4]), number(env, a[1]) };
    Lz4EncoderContext *encoder = lz4_encoder_create(&usr.base);
    int length = lz4_encode(encoder, number(env, a[0]), number(env, a[1]), out.data, out.length, number(env, a[2]), number(env, a[3]));
    lz4_encoder_destroy(encoder);
    return answer(env, length);
}

/* lz4Decode(stream behind its two header bytes, out) -> bytes written; blocks share a dictionary, as clients decode them */
static napi_value lz4_decode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    if (!take(env, info, a, 2)) return NULL;
    Bytes in = bytes(env, a[0]), out = bytes(env, a[1]);
    LZ4_streamDecode_t *stream = LZ4_createStreamDecode();
    size_t at = 0, written = 0;
    int bad = 0;
    while (at + 4 <= in.length && !bad) {
        uint32_t size = (uint32_t)in.data[at] << 24 | in.data[at + 1] << 16 | in.data[at + 2] << 8 | in.data[at + 3];
        at += 4;
        if (size > in.length - at) { bad = 1; break; }
        int got = LZ4_decompress_safe_continue(stream, (char *)in.data + at, (char *)out.data + written, size, out.length - written);
        if (got < 0) { bad = 1; break; }
        written += got;
        at += size;
    }
    LZ4_freeStreamDecode(stream);
    if (bad) { snprintf(failure, sizeof failure, "bad LZ4 block at %zu", at); return thrown(env); }
    return answer(env, written);
}

/* jpegEncode(quality, type, width, height, stride, pixels, out) -> bytes written */
static napi_value jpeg_encode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    static JpegEncoderUsrContext usr = { jpeg_no_space, jpeg_no_lines };
    static JpegEncoderContext *encoder;
    if (!take(env, info, a, 7)) return NULL;
    Bytes in = bytes(env, a[5]), out = bytes(env, a[6]);
    if (!encoder) encoder = jpeg_encoder_create(&usr);
    return answer(env, jpeg_encode(encoder, number(env, a[0]), number(env, a[1]), number(env, a[2]), number(env, a[3]),
                                   in.data, number(env, a[3]), number(env, a[4]), out.data, out.length));
}

/* glzDecodeReset(): a fresh window for glzDecode */
static napi_value glz_decode_reset_js(napi_env env, napi_callback_info info)
{
    (void)info;
    if (glz_decoder) glz_decoder_destroy(glz_decoder);
    if (glz_window) glz_decoder_window_destroy(glz_window);
    glz_window = glz_decoder_window_new();
    glz_decoder = glz_decoder_new(glz_window);
    return answer(env, 0);
}

/* glzDecode(stream, out) -> bytes written: pixels of 32 bits in the order of the stream */
static napi_value glz_decode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    if (!take(env, info, a, 2)) return NULL;
    Bytes in = bytes(env, a[0]), out = bytes(env, a[1]);
    GlzOutput output = { NULL, 0 };
    if (setjmp(failed)) return thrown(env);
    glz_decoder->ops->decode(glz_decoder, in.data, NULL, &output);
    if (output.length > out.length) fail("output too small");
    memcpy(out.data, output.pixels, output.length);
    return answer(env, output.length);
}

typedef struct { struct jpeg_error_mgr base; } JpegErrors;
static void jpeg_failed(j_common_ptr jpeg)
{
    jpeg->err->format_message(jpeg, failure);
    jpeg_destroy(jpeg);
    longjmp(failed, 1);
}
/* A warning is a failure here: a well-made stream has none. */
static void jpeg_message(j_common_ptr jpeg, int level) { if (level < 0) jpeg_failed(jpeg); }
static struct jpeg_error_mgr *jpeg_errors(JpegErrors *errors)
{
    struct jpeg_error_mgr *result = jpeg_std_error(&errors->base);
    result->error_exit = jpeg_failed;
    result->emit_message = jpeg_message;
    return result;
}

/* jpegDecode(stream, out) -> bytes written: R, G, B as spice-gtk asks for it */
static napi_value jpeg_decode_js(napi_env env, napi_callback_info info)
{
    napi_value a[MAX_ARGS];
    struct jpeg_decompress_struct jpeg;
    JpegErrors errors;
    if (!take(env, info, a, 2)) return NULL;
    Bytes in = bytes(env, a[0]), out = bytes(env, a[1]);
    jpeg.err = jpeg_errors(&errors);
    if (setjmp(failed)) return thrown(env);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, in.data, in.length);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    size_t row = (size_t)jpeg.output_width * 3, written = row * jpeg.output_height;
    if (written > out.length) { jpeg_destroy_decompress(&jpeg); fail("output too small"); }
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW line = out.data + row * jpeg.output_scanline;
        jpeg_read_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return answer(env, written);
}

/* jpegCompress(quality, width, height, h, v, restartInterval, kind, rgb, out) -> bytes written, by libjpeg itself.
 * h and v are the sampling factors of the luma; kind 0 YCbCr, 1 RGB with Adobe's marker, 2 gray, 3 YCbCr in a scan per component,
 * 4 progressive. */
static napi_value jpeg_compress_js(napi_env env, napi_callback_info info)
{
    static const jpeg_scan_info separate[] = { { 1, { 0 }, 0, 63, 0, 0 }, { 1, { 1 }, 0, 63, 0, 0 }, { 1, { 2 }, 0, 63, 0, 0 } };
    napi_value a[MAX_ARGS];
    struct jpeg_compress_struct jpeg;
    JpegErrors errors;
    if (!take(env, info, a, 9)) return NULL;
    Bytes in = bytes(env, a[7]), out = bytes(env, a[8]);
    int kind = number(env, a[6]);
    unsigned char *buffer = out.data;
    unsigned long length = out.length;
    jpeg.err = jpeg_errors(&errors);
    if (setjmp(failed)) return thrown(env);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &buffer, &length);
    jpeg.image_width = number(env, a[1]);
    jpeg.image_height = number(env, a[2]);
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    if (kind == 1) jpeg_set_colorspace(&jpeg, JCS_RGB);
    if (kind == 2) jpeg_set_colorspace(&jpeg, JCS_GRAYSCALE);
    if (kind == 3) { jpeg.scan_info = separate; jpeg.num_scans = 3; }
    if (kind == 4) jpeg_simple_progression(&jpeg);
    jpeg_set_quality(&jpeg, number(env, a[0]), TRUE);
    jpeg.comp_info[0].h_samp_factor = number(env, a[3]);
    jpeg.comp_info[0].v_samp_factor = number(env, a[4]);
    for (int i = 1; i < jpeg.num_components; i++) jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
    jpeg.restart_interval = number(env, a[5]);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW line = in.data + (size_t)jpeg.next_scanline * jpeg.image_width * 3;
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    if (buffer != out.data) { free(buffer); fail("output too small"); }
    return answer(env, length);
}

/* cpuTime() -> CPU seconds of this thread */
static napi_value cpu_time_js(napi_env env, napi_callback_info info)
{
    struct timespec now;
    (void)info;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return answer(env, now.tv_sec + now.tv_nsec * 1e-9);
}

NAPI_MODULE_INIT()
{
    static const struct { const char *name; napi_callback call; } functions[] = {
        { "lzEncode", lz_encode_js },     { "lzDecode", lz_decode_js },   { "quicEncode", quic_encode_js },
        { "quicDecode", quic_decode_js }, { "glzReset", glz_reset_js },   { "glzEncode", glz_encode_js },
        { "lz4Encode", lz4_encode_js },   { "lz4Decode", lz4_decode_js }, { "jpegEncode", jpeg_encode_js },
        { "glzDecodeReset", glz_decode_reset_js }, { "glzDecode", glz_decode_js }, { "jpegDecode", jpeg_decode_js },
        { "jpegCompress", jpeg_compress_js }, { "cpuTime", cpu_time_js },
    };
    lz_context = lz_create(&lz_usr);
    quic_context = quic_create(&quic_usr);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        napi_value function;
        napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
        napi_set_named_property(env, exports, functions[i].name, function);
    }
    return exports;
}
