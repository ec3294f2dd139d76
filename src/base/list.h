/*
 * base/list - a ring through the things themselves: no allocation, removal
 * without a search.  The head is a node that is not part of anything.
 */
#ifndef HF_BASE_LIST_H
#define HF_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct hf_list {
	struct hf_list *prev, *next;
};

#define HF_CONTAINER(node, type, member) \
	((type *)(void *)((char *)(node)-offsetof(type, member)))

#define HF_LIST_EACH(it, head) \
	for (struct hf_list *it = (head)->next; it != (head); it = it->next)

/* The body may remove "it" from the list, and nothing else. */
#define HF_LIST_EACH_SAFE(it, head)                                  \
	for (struct hf_list *it = (head)->next, *it##_next = it->next; \
	     it != (head); it = it##_next, it##_next = it->next)

static inline void
hf_list_init(struct hf_list *l)
{
	l->prev = l->next = l;
}

static inline bool
hf_list_empty(const struct hf_list *l)
{
	return l->next == l;
}

static inline void
hf_list_push(struct hf_list *head, struct hf_list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Leaves the node a list of its own, so that removing twice is harmless. */
static inline void
hf_list_remove(struct hf_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	hf_list_init(node);
}

#endif
