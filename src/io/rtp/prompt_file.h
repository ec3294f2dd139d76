/*
 * io/rtp/prompt_file - the rendered sounds in a file on tmpfs.  Reading and
 * converting them takes a tenth of a second, which at the first start nobody
 * notices and at a restart every caller would: the next life maps what this
 * one wrote.  The key says what it was made from; another key, another file.
 *
 *      head: key, where each clip lies | samples in both laws, clip by clip
 */
#ifndef HF_IO_RTP_PROMPT_FILE_H
#define HF_IO_RTP_PROMPT_FILE_H

#include "io/rtp/prompt.h"

/* Takes the source file into the key: its name, length and date. */
uint64_t prompt_file_key(uint64_t key, const char *source);

/* Writes the whole book beside path and puts it in its place at once.  writer
 * tells apart those who may do so at the same time.  0 or errno. */
int prompt_file_write(const struct prompt_book *b, uint64_t key,
    const char *path, unsigned writer);

/* The book out of the file, for good and to be read only; false when there is
 * none, or of another key, or it is damaged. */
bool prompt_file_map(struct prompt_book *b, uint64_t key, const char *path);

#endif
