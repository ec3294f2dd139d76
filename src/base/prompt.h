/*
 * base/prompt - the sounds of the house have numbers: hf-call orders them,
 * hf-media has them.
 */
#ifndef HF_BASE_PROMPT_H
#define HF_BASE_PROMPT_H

/* Numbers in PLAY_PROMPT's list. */
enum prompt {
	PROMPT_NONE,
	PROMPT_DIGIT_0, /* to PROMPT_DIGIT_0 + 99: "zero" to "ninety-nine" */
	PROMPT_ONE_MOMENT = 101, /* the bridging prompt */
	PROMPT_STILL_THERE,
	PROMPT_YOU_ARE_NUMBER,
	PROMPT_IN_LINE,
	PROMPT_WAIT_IS, /* "the wait is about", minutes, PROMPT_MINUTES */
	PROMPT_LESS_THAN,
	PROMPT_MINUTES,
	PROMPT_VOICEMAIL_INTRO,
	PROMPT_NO_MESSAGES,
	PROMPT_GOODBYE,
	PROMPT_ALL_BUSY,
	PROMPT_BEEP,        /* synthetic */
	PROMPT_RINGBACK,    /* synthetic; loops */
	PROMPT_CONFIRM,     /* two short tones: done */
	PROMPT_REFUSE,      /* a low tone: not possible */
	PROMPT_MUSIC,       /* loops */
	PROMPT_QUEUE_MUSIC, /* + queue's place; falls back to PROMPT_MUSIC */
	/* + box's place; falls back to PROMPT_VOICEMAIL_INTRO */
	PROMPT_GREETING = PROMPT_QUEUE_MUSIC + 64,
	PROMPT_END = PROMPT_GREETING + 64,
};

_Static_assert(PROMPT_END <= 256, "PLAY_PROMPT's list has a byte for each");

#endif
