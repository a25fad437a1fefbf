/*
 * config - the daemon's settings: defaults, then the file, then the command line.
 *
 * Pure but for reading the file. One table names every key with its kind, bounds and
 * whether a reload may change it; an unknown key, a key given twice or a value out
 * of bounds is an error that names file, line and key, and leaves nothing behind.
 * Immutable once made; any thread may read.
 *
 * Durations are numbers with a unit (250ms, 5s, 10m, 72h, 7d; none: seconds), sizes bytes
 * with an optional KiB, MiB or GiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

#define CONFIG_ERROR_LEN  512u
#define CONFIG_LISTEN_MAX 16u

struct config_backup {
	char *folder;     /* NULL: STATE/backup */
	char *recipient;  /* public key backups are sealed to, hex; NULL: STATE/backup.pub */
	int64_t every_ms; /* 0: never by itself */
	int64_t keep_days;
	int64_t keep_weeks;
	int64_t keep_months;
};

/* The daily alert, and what is told at once (alert.h, alert_sender.h). */
struct config_alert {
	int64_t hour;    /* of the day in Viet Nam it is sent at */
	char *folder;    /* of the files; NULL: STATE/alerts */
	int64_t keep;    /* files kept; 0: none are written */
	char *mail_to;   /* addresses, with commas; NULL: no mail */
	char *mail_from; /* NULL: ctxhd */
	char *mail_by;   /* a sendmail program, or smtp://HOST:PORT; NULL: /usr/sbin/sendmail */
	char *webhook;   /* https URL; NULL: none */
	char *webhook_secret;    /* file of what nobody may see in the settings; NULL: none */
	char *webhook_ca;        /* PEM file of who signs that server; NULL: the system's */
	int64_t urgent_every_ms; /* the same is not told at once again before; 0: nothing is */
	int64_t quiet_ms;        /* a commune not heard of for so long; 0: not told */
	int64_t backup_age_ms;   /* the last backup is older; 0: not told */
	int64_t disk_free;       /* bytes; less: told. 0: not */
	/* From how many on it is told; 0: never. */
	int64_t missing;
	int64_t quarantine;
	int64_t conflicts;
	int64_t clocks;
	int64_t devices;
	int64_t placing;
};

struct config_limits {
	int64_t connections;             /* at once, all listeners of devices */
	int64_t connections_per_address; /* loopback is exempt: a proxy or a test lives there */
	int64_t body_budget;             /* bytes of request bodies held at once */
	int64_t header_ms;               /* TLS handshake and request head */
	int64_t body_ms;                 /* grace for a body, beyond its length at 4 KiB/s */
	int64_t idle_ms;                 /* a kept-alive connection without a request */
	int64_t answer_ms;               /* a peer taking nothing of its answer */
	int64_t enrol_per_minute;        /* tries of one address */
	int64_t enrol_per_hour;          /* tries of all */
	int64_t refused_per_minute;      /* refused contacts of one address in the sync log */
	int64_t refused_per_hour;        /* of all */
	int64_t queue;                   /* jobs waiting for the writer */
	int64_t wait_ms;                 /* while one of them has waited longer, no more come in */
	int64_t group_jobs;              /* jobs in one transaction */
	int64_t group_ms;                /* time one transaction may collect jobs */
	int64_t wal_pages;               /* the WAL is moved into the file above this */
	int64_t disk_free;               /* pushes are refused below this */
	int64_t readers;                 /* reading connections */
	int64_t login_idle_ms;           /* a login of the console nobody works with */
	int64_t login_life_ms;           /* a login at all */
};

struct config {
	char *listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	bool has_listen;       /* somebody named one: config_finish() */
	char *admin_socket;    /* NULL: STATE/admin.sock */
	char *console_listen;  /* NULL: with the devices' listeners; "none": no console */
	char *public_address;  /* what invitations name; NULL: the first listener */
	char *schema;          /* folder; NULL: as installed */
	char *web;             /* folder of the pages; NULL: as installed */
	char *web_libraries;   /* folder of browsers' libraries; NULL: where Debian has them */
	char *tls_certificate; /* PEM; NULL: the daemon's own */
	char *tls_key;
	char *log_level;
	int64_t clock_tolerance_ms;
	struct config_backup backup;
	struct config_alert alert;
	struct config_limits limits;
};

/* Every key at its default. */
struct config *config_new(void);
void config_free(struct config *c);
DEFINE_AUTO(struct config *, config_free)

/*
 * Sets one key, as the file does; a repeatable one is appended to. ERR_NOTFOUND: no such key;
 * ERR_INVAL: not a value of it. `ret_error` says what is wrong.
 */
enum err config_set(struct config *c, const char *key, const char *value,
		    char ret_error[CONFIG_ERROR_LEN]);
/* Reads a YAML file over the defaults in `c`. `ret_error`: "file:line: key: what is wrong". */
enum err config_read(struct config *c, const char *path, char ret_error[CONFIG_ERROR_LEN]);
/*
 * What no single key shows: both or none of certificate and key; whom alerts go to, and how; a
 * default listener when none is named. Call once, after file and command line.
 */
enum err config_finish(struct config *c, char ret_error[CONFIG_ERROR_LEN]);

/* Its `listen` names exactly the addresses of `in_use`, one a line. */
bool config_listens_at(const struct config *c, const char *in_use);
/*
 * NULL, or the first key that differs and that only a restart may change. `in_use`: the addresses
 * listened on, one a line; a `listen` that names exactly these is no difference (port 0 was given
 * a number).
 */
const char *config_needs_restart(const struct config *old, const struct config *new,
				 const char *in_use);
