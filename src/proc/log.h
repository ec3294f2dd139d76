/*
 * proc/log - one line of logfmt on standard error a piece of news, addressed
 * to one who can act:
 *   2026-03-01T12:00:00.123Z hf-call notice breaker_opened helper=cloud-a ...
 * Numbers and names of people stay out: log handles.  The flight recorder
 * keeps the last lines of every level in a ring on tmpfs, which survives the
 * process.  One event is told at most 20 times at once and 5 times a second
 * from then on; the rest is counted on the next line as not_told.
 */
#ifndef HF_PROC_LOG_H
#define HF_PROC_LOG_H

enum log_level { LOG_TRACE, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERROR };

/* event: snake_case, past tense, a literal (it is remembered).  fmt: "key=%s
 * other=%u"; values with blanks are quoted by the caller as \"%s\". */
void hf_log(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Every few seconds: tells how often what was not told has happened. */
void hf_log_settle(void);

/* The name in each line; standard error from LOG_INFO up unless said. */
void hf_log_open(const char *room, enum log_level least);

#endif
