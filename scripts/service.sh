# service.sh: starting and ending one installation below one directory: what run.sh and tests/stack have in common.
# shellcheck shell=bash
#
# For bash, to be sourced.  The caller sets, after that:
#	service_dir	absolute; below it settings.env, state/, run/ (sockets and pids), redis/, nginx/, log/
#	service_bin	the directory of fcgi-scep, fcgi-admin and scepctl
#	service_env	an array of NAME=value: what the programs get into their environment, beside settings.env
# Programs are known by a name: redis, scep, admin, nginx.  Functions return 1 after saying on stderr what failed.

service_dir=
service_bin=
service_env=()
service_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
service_programs='nginx scep admin redis'
# nginx is not on the PATH of a plain user.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

service_say() {
	echo "${0##*/}: $*" >&2
}

# ---- directory and settings ---------------------------------------------------------------------------------------------------

service_make_directories() {
	# A socket's address has room for 107 octets, and settings want 95.
	if [ "${#service_dir}" -gt 75 ]; then
		service_say "$service_dir: the path is too long for the sockets below it, want <= 75 characters"
		return 1
	fi
	mkdir -p "$service_dir" && chmod 755 "$service_dir" &&
		mkdir -p "$service_dir"/{state,run,redis,nginx,log} && chmod 750 "$service_dir"/{state,redis}
}

# The settings that follow from the directory; the caller adds its own lines.
service_write_settings() {
	cat >"$service_dir/settings.env" <<-LINES
	SCEP_STATE_DIR=$service_dir/state
	SCEP_REDIS=unix:$service_dir/run/redis.sock
	SCEP_LISTEN=unix:$service_dir/run/scep.sock
	SCEP_ADMIN_LISTEN=unix:$service_dir/run/admin.sock
	NGINX_CERTIFICATE=$service_dir/nginx/tls.pem
	NGINX_CERTIFICATE_KEY=$service_dir/nginx/tls.key
	NGINX_LOG_DIR=$service_dir/log
	NGINX_USER=$(id -un)
	LINES
}

# service_add NAME VALUE: a later line for a name wins over an earlier one.
service_add() {
	printf '%s=%s\n' "$1" "$2" >>"$service_dir/settings.env"
}

# Settings in the environment go into the file; what a stack's DIR/env may have left there is no setting.
service_add_environment() {
	local name
	for name in ${!SCEP_@}; do
		case $name in
		SCEP_URL* | SCEP_TEST_*) ;;
		*) service_add "$name" "${!name}" ;;
		esac
	done
}

service_setting() {
	sed -n "s/^$1=//p" "$service_dir/settings.env" 2>/dev/null | tail -n 1
}

# Run a command with the environment of this installation, and none of another's.
service_with_environment() {
	local name
	for name in ${!SCEP_@} ${!NGINX_@}; do
		unset "$name"
	done
	exec env "${service_env[@]}" "$@"
}

service_ctl() {
	(service_with_environment "$service_bin/scepctl" --settings "$service_dir/settings.env" "$@")
}

# ---- processes ----------------------------------------------------------------------------------------------------------------

# When a process was born, in ticks since the machine started: with its pid it names the process for good.
service_birth() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# The name in brackets may hold blanks; after it comes field 3.  A zombie is no process any more.
	stat=${stat##*) }
	[ "${stat%% *}" != Z ] || return 1
	# shellcheck disable=SC2086
	set -- $stat
	echo "${20}"
}

# service_launch NAME COMMAND…: in a session of its own, so that Ctrl-C in the terminal ends nothing out of turn.
service_launch() {
	local name=$1 pid
	shift
	# Not the locks of the shell that starts it (8, 9).
	(service_with_environment setsid "$@") >>"$service_dir/log/$name.log" 2>&1 </dev/null 8>&- 9>&- &
	pid=$!
	echo "$pid $(service_birth "$pid")" >"$service_dir/run/$name.pid"
}

# service_pid NAME: the pid, if that very process is alive.
service_pid() {
	local pid birth
	read -r pid birth 2>/dev/null <"$service_dir/run/$1.pid" || return 1
	[ -n "$birth" ] && [ "$(service_birth "$pid")" = "$birth" ] && echo "$pid"
}

# service_wait SECONDS COMMAND…: until the command succeeds.
service_wait() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.05
	done
}

service_gone() {
	! service_pid "$1" >/dev/null
}

# service_stop NAME: SIGTERM, and SIGKILL to its whole group when it is still there after SCEP_DRAIN_TIMEOUT_S and some.
service_stop() {
	local pid drain
	pid=$(service_pid "$1") || return 0
	drain=$(service_setting SCEP_DRAIN_TIMEOUT_S)
	kill -TERM "$pid" 2>/dev/null
	if ! service_wait $((${drain:-20} + 5)) service_gone "$1"; then
		service_say "$1 ($pid) does not end by SIGTERM: SIGKILL"
		kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
		service_wait 5 service_gone "$1" || service_say "$1 ($pid) is still there"
	fi
	rm -f "$service_dir/run/$1.pid"
}

service_stop_all() {
	local name
	for name in $service_programs; do
		service_stop "$name"
	done
}

# service_tell NAME…: the ends of their logs.
service_tell() {
	local name log
	for name; do
		for log in "$service_dir/log/$name.log" "$service_dir/log/$name-error.log"; do
			[ -s "$log" ] || continue
			echo "--- $log" >&2
			tail -n 20 "$log" >&2
		done
	done
}

# ---- the four programs --------------------------------------------------------------------------------------------------------

service_redis_answers() {
	[ "$(redis-cli -s "$service_dir/run/redis.sock" ping 2>/dev/null)" = PONG ]
}

# Append-only file, synchronised each second; no port; nothing is evicted.
service_start_redis() {
	service_launch redis redis-server --port 0 --unixsocket "$service_dir/run/redis.sock" --unixsocketperm 700 \
		--dir "$service_dir/redis" --appendonly yes --appendfsync everysec --save '' \
		--maxmemory-policy noeviction --daemonize no --logfile '' --loglevel warning
	service_wait 20 service_up_or_gone redis service_redis_answers && service_redis_answers && return 0
	service_say "Redis does not answer"
	service_tell redis
	return 1
}

# service_up_or_gone NAME COMMAND…: true when there is nothing to wait for any more.
service_up_or_gone() {
	local name=$1
	shift
	"$@" || service_gone "$name"
}

# service_listens SETTING: a unix socket that is there, or a TCP port that is listened on, without connecting to it.
service_listens() {
	local at
	at=$(service_setting "$1")
	case $at in
	unix:*) [ -S "${at#unix:}" ] ;;
	*) ! service_port_is_free "${at##*:}" ;;
	esac
}

# service_start_workers scep|admin
service_start_workers() {
	local setting=SCEP_LISTEN
	[ "$1" = scep ] || setting=SCEP_ADMIN_LISTEN
	# A socket that a killed process left behind says nothing.
	rm -f "$service_dir/run/$1.sock"
	service_launch "$1" "$service_bin/fcgi-$1" --settings "$service_dir/settings.env"
	service_wait 20 service_up_or_gone "$1" service_listens $setting
	service_gone "$1" || { service_listens $setting && return 0; }
	service_say "fcgi-$1 does not come up"
	service_tell "$1"
	return 1
}

service_nginx_runs() {
	[ -s "$service_dir/nginx/nginx.pid" ]
}

service_start_nginx() {
	rm -f "$service_dir/nginx/nginx.pid"
	(service_with_environment "$service_top/nginx/render" --settings "$service_dir/settings.env" "$service_dir/nginx") || return 1
	# It writes its pid once it has all its ports.
	service_launch nginx nginx -e "$service_dir/log/nginx-error.log" -p "$service_dir/nginx" -c conf/nginx.conf -g 'daemon off;'
	service_wait 20 service_up_or_gone nginx service_nginx_runs
	service_gone nginx || { service_nginx_runs && return 0; }
	service_say "nginx does not come up"
	service_tell nginx
	return 1
}

service_start() {
	case $1 in
	redis) service_start_redis ;;
	scep | admin) service_start_workers "$1" ;;
	nginx) service_start_nginx ;;
	esac
}

service_answers() {
	[ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' "$1")" = 200 ]
}

# ---- ports --------------------------------------------------------------------------------------------------------------------

service_port_is_free() {
	! grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$1") [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# service_next_port FROM: the first free one from there on.
service_next_port() {
	local port=$1
	until service_port_is_free "$port"; do
		port=$((port + 1))
		[ "$port" -le 65535 ] || return 1
	done
	echo "$port"
}
