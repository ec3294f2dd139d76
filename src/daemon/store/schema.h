/*
 * daemon/store/schema - the tables of journal.db, as a row of steps: a file of
 * an earlier house is raised step by step, a file of a later one is not
 * touched.
 */
#ifndef HF_DAEMON_STORE_SCHEMA_H
#define HF_DAEMON_STORE_SCHEMA_H

#include "io/db/db.h"

/* DB_FAULT: the file is of a later house than we are. */
enum db_result schema_raise(struct db *db) HF_CHECK;

#endif
