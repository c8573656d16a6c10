/* settings.h: every setting, its default, unit and meaning, in one table (settings.c); read from SCEP_… variables. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/errbuf.h"
#include "base/log.h"

#define SETTINGS_TEXT 256 /* longest value with its NUL */

struct settings {
	/* where things are */
	char state_dir[SETTINGS_TEXT]; /* SCEP_STATE_DIR, /var/lib/fcgi-scep */
	char database
	    [SETTINGS_TEXT]; /* SCEP_DATABASE, default STATE/scep.db; its lock file is DATABASE.lock */
	char key_dir[SETTINGS_TEXT]; /* SCEP_KEY_DIR, default STATE/keys */
	char master_key_file
	    [SETTINGS_TEXT]; /* SCEP_MASTER_KEY_FILE; default $CREDENTIALS_DIRECTORY/master.key if there, else STATE/master.key */
	char passphrase_file[SETTINGS_TEXT]; /* SCEP_KEY_PASSPHRASE_FILE; likewise key.passphrase */
	char redis
	    [SETTINGS_TEXT]; /* SCEP_REDIS: unix:/path or tcp:host:port, default unix:STATE/redis.sock */
	char redis_password_file[SETTINGS_TEXT]; /* SCEP_REDIS_PASSWORD_FILE: none by default */
	int64_t redis_timeout_ms;		 /* SCEP_REDIS_TIMEOUT_MS 1000 */
	/* listening and workers */
	char listen
	    [SETTINGS_TEXT]; /* SCEP_LISTEN: unix:/path or tcp:host:port, default unix:STATE/scep.sock */
	char admin_listen[SETTINGS_TEXT]; /* SCEP_ADMIN_LISTEN, default unix:STATE/admin.sock */
	int64_t socket_mode;		  /* SCEP_SOCKET_MODE 0660 (octal) */
	int64_t backlog;		  /* SCEP_BACKLOG 1024, at least 512 */
	int64_t workers;		  /* SCEP_WORKERS 0: one a core, at least 2 */
	int64_t admin_workers;		  /* SCEP_ADMIN_WORKERS 2 */
	int64_t worker_requests;	  /* SCEP_WORKER_REQUESTS 0: never recycled */
	int64_t drain_timeout_s;	  /* SCEP_DRAIN_TIMEOUT_S 20 */
	int64_t
	    request_timeout_s; /* SCEP_REQUEST_TIMEOUT_S 30: a worker stuck longer is ended by its own alarm */
	char fcgi_secret_file[SETTINGS_TEXT]; /* SCEP_FCGI_SECRET_FILE: needed with tcp: */
	/* log */
	bool log_json;		  /* SCEP_LOG_FORMAT kv|json */
	enum log_level log_level; /* SCEP_LOG_LEVEL debug|info|warning|error */
	/* service */
	char default_profile[SETTINGS_TEXT]; /* SCEP_DEFAULT_PROFILE: none */
	char public_url[SETTINGS_TEXT];	     /* SCEP_PUBLIC_URL http://localhost */
	int64_t message_max;		     /* SCEP_MESSAGE_MAX 65536 octets of a pkiMessage */
	int64_t store_timeout_ms; /* SCEP_STORE_TIMEOUT_MS 5000: waiting for the writers' lock */
	int64_t disk_reserve_mb; /* SCEP_DISK_RESERVE_MB 16: refusals stop being written below it */
	int64_t
	    refusals_per_minute; /* SCEP_AUDIT_REFUSALS_PER_MINUTE 60: per address, profile and reason; above, counted */
	int64_t reserve_s;	 /* SCEP_CHALLENGE_RESERVE_S 30: life of a reservation */
	int64_t challenge_tries; /* SCEP_CHALLENGE_TRIES 5: failed tries that burn a challenge */
	int64_t audit_retention_days; /* SCEP_AUDIT_RETENTION_DAYS 0: for ever */
	/* read by nginx/render, not by the programs; here so that they are checked and listed */
	int64_t nginx_rate;	   /* SCEP_NGINX_RATE 20: requests a second per address on /scep */
	int64_t nginx_burst;	   /* SCEP_NGINX_BURST 100 */
	int64_t nginx_api_rate;	   /* SCEP_NGINX_API_RATE 20 */
	int64_t nginx_api_burst;   /* SCEP_NGINX_API_BURST 50 */
	int64_t nginx_connections; /* SCEP_NGINX_CONNECTIONS 256: at once per address */
};

/*
 * Defaults, then file (lines NAME=value, as systemd's EnvironmentFile: # comments, optional quotes) where file is not NULL,
 * then the environment, which wins.  A value that does not fit, or an unknown SCEP_ name in the file, is false with one line
 * in why that names the variable, what it has and what it wants.  (SCEP_TEST_… names are left to the test build.)
 */
bool settings_load(struct settings *s, const char *file, struct errbuf *why);

/* A table for people (name, value, default, unit, meaning), NAME=value lines, JSON, or Markdown for docs/settings.md. */
enum settings_format { SETTINGS_TABLE, SETTINGS_ENV, SETTINGS_JSON, SETTINGS_MARKDOWN };
void settings_print(const struct settings *s, enum settings_format format, FILE *out);

#endif
