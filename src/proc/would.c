/* proc/would - see would.h */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proc/slots.h"
#include "proc/would.h"

enum { PATH_LEN = 512, WHY_LEN = 160 };

static bool
look(const char *path, const char *name, const struct slots_form *f)
{
	char why[WHY_LEN];
	bool take;

	if (access(path, F_OK) != 0)
		return true;
	take = slots_would_take(path, f, 0, why, sizeof(why));
	printf("table=%s take=%s", name, take ? "yes" : "no");
	if (!take)
		printf(" why=\"%s\"", why);
	printf("\n");
	return take;
}

int
would_take(const struct proc_room *room, const char *run_dir)
{
	char path[PATH_LEN];
	bool all = true;

	for (unsigned i = 0; i < room->forms_nr; i++) {
		const struct slots_form *f = room->forms[i];
		int dir = snprintf(path, sizeof(path), "%s/", run_dir);

		if (dir < 0 || dir >= PATH_LEN - 64)
			return EXIT_FAILURE;
		for (unsigned w = 0; w < (f->per_worker ? PROC_MEDIA_MAX : 1);
		     w++) {
			size_t left = sizeof(path) - (size_t)dir;

			if (f->per_worker)
				(void)snprintf(
				    path + dir, left, "%s.%u", f->name, w);
			else
				(void)snprintf(path + dir, left, "%s", f->name);
			all &= look(path, path + dir, f);
		}
	}
	return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
