/* daemon/keeper/upgrade - see keeper.h */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/log.h"

/* One program after another is asked whether it could go on from here. */
enum step {
	STEP_VERSION,
	STEP_CONF,
	STEP_ROOMS,
	STEP_NR = STEP_ROOMS + ROOM_NR
};

static struct {
	bool asked, due;
	int step;
	char folder[PATH_MAX];
	char keeper[PATH_MAX + 32];
	char path[PATH_MAX + 64]; /* what is asked just now */
	char to[32];
	char **argv;
	upgrade_line *line;
	upgrade_end *end;
} upgrade;

void
upgrade_remember(char **argv)
{
	upgrade.argv = argv;
}

static void
refuse(const char *why)
{
	hf_log(LOG_ERROR, "upgrade_refused", "folder=\"%s\" why=\"%s\"",
	    upgrade.folder, why);
	upgrade.asked = false;
	upgrade.end(why, HF_VERSION, upgrade.to);
}

static void
tell_lines(const char *said)
{
	char line[256];

	for (; *said != '\0'; said += *said == '\n') {
		size_t n = strcspn(said, "\n");

		(void)snprintf(line, sizeof(line), "%.*s",
		    (int)(n < sizeof(line) ? n : sizeof(line) - 1), said);
		if (strstr(line, "take=yes") == NULL)
			upgrade.line(line);
		said += n;
	}
}

static void ask_next(void);

/* "holdfastd 0.1.0" */
static bool
take_version(const char *said)
{
	const char *name = "holdfastd ";

	if (strncmp(said, name, strlen(name)) != 0)
		return false;
	(void)snprintf(upgrade.to, sizeof(upgrade.to), "%.*s",
	    (int)strcspn(said + strlen(name), "\n"), said + strlen(name));
	return true;
}

static void
answered(bool well, const char *said)
{
	char why[128];

	if (well && upgrade.step == STEP_VERSION)
		well = take_version(said);
	if (!well) {
		(void)snprintf(why, sizeof(why),
		    "%.70s could not go on from here; what runs goes on",
		    upgrade.path + strlen(upgrade.folder) + 1);
		tell_lines(said);
		refuse(why);
		return;
	}
	upgrade.step++;
	ask_next();
}

static void
ask_next(void)
{
	char run_dir[KEEPER_PATH_MAX], file[PATH_MAX];
	char *argv[5] = { upgrade.path };
	int step = upgrade.step;

	if (step == STEP_ROOMS + ROOM_KEEPER)
		step = ++upgrade.step;
	if (step == STEP_NR) {
		upgrade.due = true;
		upgrade.end("", HF_VERSION, upgrade.to);
		return;
	}
	(void)snprintf(
	    run_dir, sizeof(run_dir), "%s", keeper_conf()->keeper.run_dir);
	(void)snprintf(file, sizeof(file), "%s", keeper_file());
	if (step >= STEP_ROOMS) {
		(void)snprintf(upgrade.path, sizeof(upgrade.path),
		    "%s/libexec/holdfast/hf-%s", upgrade.folder,
		    room_name((enum room)(step - STEP_ROOMS)));
		argv[1] = (char *)(uintptr_t) "--would-take";
		argv[2] = run_dir;
	} else {
		(void)snprintf(
		    upgrade.path, sizeof(upgrade.path), "%s", upgrade.keeper);
		argv[1] = (char *)(uintptr_t)(step == STEP_VERSION ? "--version"
								   : "-t");
		argv[2] = step == STEP_CONF ? (char *)(uintptr_t) "-c" : NULL;
		argv[3] = step == STEP_CONF ? file : NULL;
	}
	/* Who reads the secrets is the keeper, and who reads slots is not. */
	if (!try_run(upgrade.path, argv, step < STEP_ROOMS, answered))
		refuse("no process could be started; what runs goes on");
}

/* Also while a room is being replaced after the last one. */
bool
upgrade_busy(void)
{
	return upgrade.asked || try_busy();
}

/* Nobody but root and we may change it, or put another in its place. */
static bool
is_ours_alone(const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	if (realpath(path, real) == NULL)
		return false;
	errno = 0; /* from here on it is there, but not ours alone */
	for (char *end = real + strlen(real); end != NULL;
	     end = strrchr(real, '/')) {
		bool folder;

		*end = '\0';
		if (stat(real[0] != '\0' ? real : "/", &st) != 0)
			return false;
		folder = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
		if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
		    ((st.st_mode & (S_IWGRP | S_IWOTH)) && !folder))
			return false;
	}
	return true;
}

/* Whatever is run as we are must be nobody else's. */
static bool
is_trusted(char *why, size_t cap)
{
	char path[PATH_MAX + 64];

	if (upgrade.folder[0] != '/') {
		(void)snprintf(why, cap, "the folder's name begins with /");
		return false;
	}
	for (int r = 0; r < ROOM_NR; r++) {
		(void)snprintf(path, sizeof(path), "%s/libexec/holdfast/hf-%s",
		    upgrade.folder, room_name((enum room)r));
		if (r == ROOM_KEEPER)
			(void)snprintf(
			    path, sizeof(path), "%s", upgrade.keeper);
		if (is_ours_alone(path))
			continue;
		(void)snprintf(why, cap, "%.70s: %s",
		    path + strlen(upgrade.folder) + 1,
		    errno != 0 ? strerror(errno)
			       : "others than root may change it, or a folder "
				 "that it lies in");
		return false;
	}
	return true;
}

static void
tell_line(void *arg, const char *line)
{
	(void)arg;
	upgrade.line(line);
}

/* Why not, or NULL. */
static const char *
obstacle(void)
{
	static char why[160];

	if (keeper_stopping())
		return "the house is being stopped";
	if (!is_trusted(why, sizeof(why)))
		return why;
	/* The next keeper takes the file as it finds it. */
	if (!keeper_file_stays(tell_line, NULL))
		return "the configuration is not one that a reload would take; "
		       "what runs goes on";
	return NULL;
}

void
upgrade_begin(const char *folder, upgrade_line *line, upgrade_end *end)
{
	const char *why;

	if (folder[0] == '\0')
		folder = program_folder();
	upgrade.asked = true;
	upgrade.line = line;
	upgrade.end = end;
	upgrade.step = 0;
	upgrade.to[0] = '\0';
	(void)snprintf(upgrade.folder, sizeof(upgrade.folder), "%s", folder);
	(void)snprintf(upgrade.keeper, sizeof(upgrade.keeper),
	    "%s/sbin/holdfastd", upgrade.folder);
	hf_log(LOG_NOTICE, "upgrade_asked", "folder=\"%s\"", upgrade.folder);
	why = obstacle();
	if (why != NULL)
		refuse(why);
	else
		ask_next();
}

void
upgrade_if_due(void)
{
	char *was;

	if (!upgrade.due)
		return;
	hf_log(LOG_NOTICE, "keeper_replaced", "from=%s to=%s", HF_VERSION,
	    upgrade.to);
	was = upgrade.argv[0];
	upgrade.argv[0] = upgrade.keeper;
	service_exec(true);
	(void)execv(upgrade.keeper, upgrade.argv);
	service_exec(false);
	hf_log(LOG_ERROR, "upgrade_refused", "folder=\"%s\" why=\"%s\"",
	    upgrade.folder, strerror(errno));
	upgrade.argv[0] = was;
	upgrade.due = upgrade.asked = false;
}
