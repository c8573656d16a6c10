#include "base/settings_table.h"
#include "base/settings.h"

/* clang-format off */
#define AT(field) offsetof(struct settings, field)
#define TEXT(name, kind, field, fallback, meaning) \
	{name, kind, AT(field), fallback, 0, 0, "", NULL, meaning}
#define CREDENTIAL(name, field, file, meaning) \
	{name, SETTING_PATH, AT(field), "STATE/" file, 0, 0, "", file, meaning}
#define NUMBER(name, field, fallback, least, most, unit, meaning) \
	{name, SETTING_NUMBER, AT(field), fallback, least, most, unit, NULL, meaning}

const struct setting settings_table[SETTINGS_COUNT + 1] = {
	TEXT("SCEP_STATE_DIR", SETTING_PATH, state_dir, "/var/lib/fcgi-scep",
	    "the directory of all state; STATE in other defaults"),
	TEXT("SCEP_DATABASE", SETTING_PATH, database, "STATE/scep.db",
	    "the SQLite file; not on a network file system"),
	TEXT("SCEP_KEY_DIR", SETTING_PATH, key_dir, "STATE/keys",
	    "encrypted private keys of CAs and RAs"),
	CREDENTIAL("SCEP_MASTER_KEY_FILE", master_key_file, "master.key",
	    "the master key that scepctl init makes; the same on all hosts"),
	CREDENTIAL("SCEP_KEY_PASSPHRASE_FILE", passphrase_file, "key.passphrase",
	    "the passphrase of the private keys"),
	TEXT("SCEP_REDIS", SETTING_SOCKET, redis, "unix:STATE/redis.sock",
	    "Redis: unix:/path or tcp:host:port"),
	TEXT("SCEP_REDIS_PASSWORD_FILE", SETTING_PATH, redis_password_file, "",
	    "the password for Redis"),
	NUMBER("SCEP_REDIS_TIMEOUT_MS", redis_timeout_ms, "1000", 10, 60000, "ms",
	    "the longest wait for Redis"),

	TEXT("SCEP_LISTEN", SETTING_SOCKET, listen, "unix:STATE/scep.sock",
	    "where fcgi-scep takes requests: unix:/path or tcp:host:port"),
	TEXT("SCEP_ADMIN_LISTEN", SETTING_SOCKET, admin_listen, "unix:STATE/admin.sock",
	    "where fcgi-admin takes requests"),
	{"SCEP_SOCKET_MODE", SETTING_OCTAL, AT(socket_mode), "0660", 0, 0777, "octal", NULL,
	    "the mode of a unix socket that is listened on"},
	NUMBER("SCEP_BACKLOG", backlog, "1024", 512, 65535, "connections",
	    "how many may wait for a worker"),
	NUMBER("SCEP_WORKERS", workers, "0", 0, 1024, "processes",
	    "workers of fcgi-scep; 0: one a core, at least 2"),
	NUMBER("SCEP_ADMIN_WORKERS", admin_workers, "2", 1, 1024, "processes",
	    "workers of fcgi-admin"),
	NUMBER("SCEP_WORKER_REQUESTS", worker_requests, "0", 0, 1000000000, "requests",
	    "a worker is replaced after about so many; 0: never"),
	NUMBER("SCEP_DRAIN_TIMEOUT_S", drain_timeout_s, "20", 1, 3600, "s",
	    "how long requests in flight may take after SIGTERM"),
	NUMBER("SCEP_REQUEST_TIMEOUT_S", request_timeout_s, "30", 1, 3600, "s",
	    "a worker that is stuck in one request for longer is ended"),
	TEXT("SCEP_FCGI_SECRET_FILE", SETTING_PATH, fcgi_secret_file, "",
	    "the secret that nginx sends as SCEP_FCGI_SECRET; needed to listen on tcp:"),

	{"SCEP_LOG_FORMAT", SETTING_LOG_FORMAT, AT(log_json), "kv", 0, 0, "kv, json", NULL,
	    "one line an event, as key=value or as JSON"},
	{"SCEP_LOG_LEVEL", SETTING_LOG_LEVEL, AT(log_level), "info", 0, 0,
	    "debug, info, warning, error", NULL, "the least level that is written"},

	TEXT("SCEP_DEFAULT_PROFILE", SETTING_NAME, default_profile, "",
	    "the profile that /scep and /cgi-bin/pkiclient.exe serve"),
	TEXT("SCEP_PUBLIC_URL", SETTING_URL, public_url, "http://localhost",
	    "how devices reach this service; without a path"),
	NUMBER("SCEP_MESSAGE_MAX", message_max, "65536", 4096, 262144, "octets",
	    "the largest pkiMessage"),
	NUMBER("SCEP_STORE_TIMEOUT_MS", store_timeout_ms, "5000", 10, 60000, "ms",
	    "the longest wait for the writers' lock"),
	NUMBER("SCEP_DISK_RESERVE_MB", disk_reserve_mb, "16", 0, 1048576, "MiB",
	    "with less free disk refusals are not recorded, so that issuing can go on"),
	NUMBER("SCEP_AUDIT_REFUSALS_PER_MINUTE", refusals_per_minute, "60", 0, 1000000, "rows",
	    "refusals recorded one by one, for an address, profile and reason; more are counted"),
	NUMBER("SCEP_CHALLENGE_RESERVE_S", reserve_s, "30", 1, 3600, "s",
	    "how long a request in flight reserves a one-time challenge"),
	NUMBER("SCEP_CHALLENGE_TRIES", challenge_tries, "5", 1, 1000, "tries",
	    "failed tries that burn a one-time challenge"),
	NUMBER("SCEP_CRL_VALIDITY_HOURS", crl_validity_hours, "168", 1, 8760, "hours",
	    "from thisUpdate to nextUpdate of a CRL; a new one is made in its last quarter, and after each revocation"),
	NUMBER("SCEP_OCSP_VALIDITY_MINUTES", ocsp_validity_minutes, "240", 1, 44640, "minutes",
	    "how long an OCSP response may be relied on"),
	NUMBER("SCEP_AUDIT_RETENTION_DAYS", audit_retention_days, "0", 0, 36500, "days",
	    "how long audit rows are kept; 0: for ever"),

	NUMBER("SCEP_NGINX_RATE", nginx_rate, "20", 1, 1000000, "requests/s",
	    "nginx: the limit for an address on /scep"),
	NUMBER("SCEP_NGINX_BURST", nginx_burst, "100", 1, 1000000, "requests",
	    "nginx: how many may come at once on /scep"),
	TEXT("SCEP_NGINX_PROFILE_RATES", SETTING_RATES, nginx_profile_rates, "",
	    "nginx: limits of their own for profiles: NAME=RATE:BURST, separated by spaces"),
	NUMBER("SCEP_NGINX_API_RATE", nginx_api_rate, "20", 1, 1000000, "requests/s",
	    "nginx: the limit for an address on /api"),
	NUMBER("SCEP_NGINX_API_BURST", nginx_api_burst, "50", 1, 1000000, "requests",
	    "nginx: how many may come at once on /api"),
	NUMBER("SCEP_NGINX_CONNECTIONS", nginx_connections, "256", 1, 65535, "connections",
	    "nginx: connections of an address at once"),

	{NULL, SETTING_PATH, 0, NULL, 0, 0, NULL, NULL, NULL}
};
/* clang-format on */
