/* settings.h: every setting, read from SCEP_… variables.  settings_table.c has each one's default, limits, unit and meaning. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/errbuf.h"
#include "base/log.h"

#define SETTINGS_TEXT 256 /* longest value with its NUL */

/* "" in a text means none. */
struct settings {
	/* where things are */
	char state_dir[SETTINGS_TEXT];		 /* SCEP_STATE_DIR */
	char database[SETTINGS_TEXT];		 /* SCEP_DATABASE; its lock file is DATABASE.lock */
	char key_dir[SETTINGS_TEXT];		 /* SCEP_KEY_DIR */
	char master_key_file[SETTINGS_TEXT];	 /* SCEP_MASTER_KEY_FILE */
	char passphrase_file[SETTINGS_TEXT];	 /* SCEP_KEY_PASSPHRASE_FILE */
	char redis[SETTINGS_TEXT];		 /* SCEP_REDIS: unix:/path or tcp:host:port */
	char redis_password_file[SETTINGS_TEXT]; /* SCEP_REDIS_PASSWORD_FILE */
	int64_t redis_timeout_ms;		 /* SCEP_REDIS_TIMEOUT_MS */

	/* listening and workers */
	char listen[SETTINGS_TEXT];	      /* SCEP_LISTEN: unix:/path or tcp:host:port */
	char admin_listen[SETTINGS_TEXT];     /* SCEP_ADMIN_LISTEN */
	int64_t socket_mode;		      /* SCEP_SOCKET_MODE, octal as text */
	int64_t backlog;		      /* SCEP_BACKLOG */
	int64_t workers;		      /* SCEP_WORKERS; 0: one a core, at least 2 */
	int64_t admin_workers;		      /* SCEP_ADMIN_WORKERS */
	int64_t worker_requests;	      /* SCEP_WORKER_REQUESTS; 0: never recycled */
	int64_t drain_timeout_s;	      /* SCEP_DRAIN_TIMEOUT_S */
	int64_t request_timeout_s;	      /* SCEP_REQUEST_TIMEOUT_S */
	char fcgi_secret_file[SETTINGS_TEXT]; /* SCEP_FCGI_SECRET_FILE: needed with tcp: */

	/* log */
	bool log_json;		  /* SCEP_LOG_FORMAT kv|json */
	enum log_level log_level; /* SCEP_LOG_LEVEL debug|info|warning|error */

	/* service */
	char default_profile[SETTINGS_TEXT]; /* SCEP_DEFAULT_PROFILE */
	char public_url[SETTINGS_TEXT];	     /* SCEP_PUBLIC_URL, without a slash at its end */
	int64_t message_max;		     /* SCEP_MESSAGE_MAX, octets */
	int64_t store_timeout_ms;	     /* SCEP_STORE_TIMEOUT_MS */
	int64_t disk_reserve_mb;	     /* SCEP_DISK_RESERVE_MB */
	int64_t refusals_per_minute;	     /* SCEP_AUDIT_REFUSALS_PER_MINUTE */
	int64_t reserve_s;		     /* SCEP_CHALLENGE_RESERVE_S */
	int64_t challenge_tries;	     /* SCEP_CHALLENGE_TRIES */
	int64_t crl_validity_hours;	     /* SCEP_CRL_VALIDITY_HOURS */
	int64_t ocsp_validity_minutes;	     /* SCEP_OCSP_VALIDITY_MINUTES */
	int64_t audit_retention_days;	     /* SCEP_AUDIT_RETENTION_DAYS; 0: for ever */
	int64_t
	    code_window_s; /* SCEP_CODE_WINDOW_S: wrong tries at a seat's codes are counted in it */
	int64_t code_tries_per_window; /* SCEP_CODE_TRIES_PER_WINDOW; more slow the seat down */
	int64_t code_lock_after;       /* SCEP_CODE_LOCK_AFTER; 0: never */
	int64_t code_lock_s;	       /* SCEP_CODE_LOCK_S */
	int64_t
	    wrong_per_minute; /* SCEP_WRONG_PER_MINUTE: wrong challenges from one address, then 429; 0: any number */

	/* calls of others */
	int64_t
	    outbound_timeout_ms; /* SCEP_OUTBOUND_TIMEOUT_MS: of one exchange with Intune or a webhook, retry included */
	char intune_login_url[SETTINGS_TEXT]; /* SCEP_INTUNE_LOGIN_URL */
	char intune_graph_url[SETTINGS_TEXT]; /* SCEP_INTUNE_GRAPH_URL */
	char intune_resource
	    [SETTINGS_TEXT]; /* SCEP_INTUNE_RESOURCE: the API that is called, as the token's scope names it */
	char intune_hosts
	    [SETTINGS_TEXT]; /* SCEP_INTUNE_HOSTS: suffixes of hosts that get the token, comma-separated */
	char intune_ca_file[SETTINGS_TEXT]; /* SCEP_INTUNE_CA_FILE; "": the system's CAs */
	int64_t
	    intune_revocation_minutes; /* SCEP_INTUNE_REVOCATION_MINUTES; at least 60 outside tests */

	/* read by nginx/render, not by the programs; here so that they are checked and listed */
	int64_t nginx_rate;			 /* SCEP_NGINX_RATE, a second */
	int64_t nginx_burst;			 /* SCEP_NGINX_BURST */
	char nginx_profile_rates[SETTINGS_TEXT]; /* SCEP_NGINX_PROFILE_RATES */
	int64_t nginx_api_rate;			 /* SCEP_NGINX_API_RATE, a second */
	int64_t nginx_api_burst;		 /* SCEP_NGINX_API_BURST */
	int64_t nginx_connections;		 /* SCEP_NGINX_CONNECTIONS */
	char trusted_proxies
	    [SETTINGS_TEXT]; /* SCEP_TRUSTED_PROXIES: networks whose X-Forwarded-For is believed; "": nobody's */
	int64_t
	    nginx_challenge_rate; /* SCEP_NGINX_CHALLENGE_RATE, a second, of the challenge endpoints */
	int64_t nginx_challenge_burst; /* SCEP_NGINX_CHALLENGE_BURST */
};

/*
 * Defaults, then file (lines NAME=value, as systemd's EnvironmentFile: # comments, optional quotes) where file is not NULL,
 * then the environment, which wins.  An empty value counts as none.  A value that does not fit, or an unknown SCEP_ name in
 * the file, is false with one line in why that names the variable, what it has and what it wants; *s is then as it was.
 * (SCEP_TEST_… names are left to the test build.)
 */
bool settings_load(struct settings *s, const char *file, struct errbuf *why);

/* A table for people (name, value, default, unit, meaning), NAME=value lines, JSON, or Markdown for docs/settings.md. */
enum settings_format { SETTINGS_TABLE, SETTINGS_ENV, SETTINGS_JSON, SETTINGS_MARKDOWN };

/* Of files with secrets only the path is printed.  Markdown has the defaults and limits, not the values. */
void settings_print(const struct settings *s, enum settings_format format, FILE *out);

#endif
