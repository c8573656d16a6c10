#!/bin/bash
# docker-compose.yml for real: images from an empty base, the stack at scale 3, enrolment through it, and a container killed meanwhile.
#
# alone
#
# Needs root and an engine (docker.io, docker-compose; debootstrap for the base image), which setup.sh installs without starting it;
# where that cannot be had every test here is skipped by name.  The engine is one of this test's own: its daemon runs in a network
# namespace, so that no bridge, route or firewall rule of the machine changes, and pulls nothing: the base image is made from the
# Debian mirror that apt uses here.  $B/containers keeps that image's tar archive (remove it to have it made anew).
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

namespace=scep$$
cache=${B:-$top/build}/containers
export DOCKER_HOST=unix://$work/docker.sock DOCKER_BUILDKIT=0 DOCKER_CONFIG=$work/docker-config
export COMPOSE_PROJECT_NAME=scep HTTP_PORT=18080 HTTPS_PORT=18443 SCEP_SETTINGS=$work/settings.env
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY

# ---- the engine -----------------------------------------------------------------------------------------------------------------

inside() {
	nsenter --net="/run/netns/$namespace" "$@"
}

compose() {
	(cd "$top" && docker-compose "$@")
}

daemon_is_up() {
	docker info >/dev/null 2>&1
}

daemon_has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# engine_start build|run: to build, on the machine's own network but without a bridge; to run, in the namespace.
engine_start() {
	local enter=() options=()
	case $1 in
	build) options=(--bridge=none --iptables=false --ip-forward=false --ip-masq=false) ;;
	run) enter=(nsenter "--net=/run/netns/$namespace") ;;
	esac
	"${enter[@]}" dockerd --config-file "$work/daemon.json" --data-root "$data" --exec-root "$work/exec" \
		--pidfile "$work/dockerd.pid" --host "$DOCKER_HOST" --storage-driver=overlay2 "${options[@]}" \
		>>"$work/dockerd.log" 2>&1 </dev/null &
	daemon=$!
	echo "$daemon" >"$work/daemon"
	eventually 30 daemon_is_up_or_gone "$daemon"
	daemon_is_up
}

daemon_is_up_or_gone() {
	daemon_is_up || daemon_has_ended "$1"
}

engine_stop() {
	local pid child
	pid=$(cat "$work/daemon" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null
	if ! eventually 40 daemon_has_ended "$pid" >/dev/null; then
		child=$(cat "$work/exec/containerd/containerd.pid" 2>/dev/null)
		kill -9 "$pid" ${child:+"$child"} 2>/dev/null
	fi
	rm -f "$work/daemon"
	grep -o " $work/exec/[^ ]*" /proc/self/mounts | tac | xargs -r umount 2>/dev/null
}

# Called by lib.sh, whatever happened.
at_end() {
	if daemon_is_up; then
		compose down -v --remove-orphans -t 5 >/dev/null 2>&1
		docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1
	fi
	engine_stop
	ip netns del "$namespace" 2>/dev/null
	[ -z "${data-}" ] || rm -rf "$data"
}

# ---- the base image -------------------------------------------------------------------------------------------------------------

# "URI SUITE" of each Debian 12 source that apt has here.
debian_sources() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		sed -n 's/^\([^ ]*\) \(bookworm[^ ]*\) main$/\1 \2/p' | sort -u
}

# The archive for docker import, with apt's sources and proxies as they are on this machine.
make_base() {
	local root=$data/rootfs mirror
	mirror=$(debian_sources | sed -n 's/ bookworm$//p' | head -n 1)
	mirror=${mirror:-http://deb.debian.org/debian}
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	if [ -n "${proxy-}" ]; then
		export http_proxy=$proxy
	fi
	debootstrap --variant=minbase bookworm "$root" "$mirror" || return 1
	debian_sources | sed 's/.*/deb & main/' >"$root/etc/apt/sources.list"
	apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-|Retries|Queue-Mode)' | grep -v 'Proxy-Auto-Detect' \
		>"$root/etc/apt/apt.conf.d/99machine" || true
	rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
	tar -C "$root" -c . >"$cache/base.tar.part" && mv "$cache/base.tar.part" "$cache/base.tar"
	rm -rf "$root"
}

needed='dockerd docker docker-compose debootstrap ip nsenter iptables'

have_all() {
	local name
	for name in $needed; do
		command -v "$name" >/dev/null || return 1
	done
}

[ "$(id -u)" -eq 0 ] || skip_all "only root can run a container engine"
ischroot && skip_all "a chroot has no container engine"
have_all || "$top/setup.sh" containers >"$work/setup.log" 2>&1
have_all || skip_all "no container engine: $(tail -n 1 "$work/setup.log")"

mkdir -p "$cache"
data=$(mktemp -d "$cache/data.XXX") && cache=$(cd "$cache" && pwd) && data=$(cd "$data" && pwd) || exit 1
mkdir "$DOCKER_CONFIG"
echo '{}' >"$work/daemon.json"
if ! ip netns add "$namespace" 2>"$work/netns.log" || ! ip -n "$namespace" link set lo up 2>>"$work/netns.log"; then
	skip_all "no network namespace: $(tail -n 1 "$work/netns.log")"
fi
engine_start build || skip_all "the engine does not start: $(tail -n 1 "$work/dockerd.log" | cut -c1-200)"
if [ ! -s "$cache/base.tar" ] && ! make_base >"$work/base.log" 2>&1; then
	skip_all "no base image: $(tail -n 1 "$work/base.log" | cut -c1-200)"
fi

# ---- what the tests share -------------------------------------------------------------------------------------------------------

{
	cat "$top/docker/settings.env"
	echo SCEP_NGINX_RATE=10000
	echo SCEP_NGINX_API_RATE=10000
	echo SCEP_PUBLIC_URL=http://127.0.0.1:$HTTP_PORT
} >"$SCEP_SETTINGS"

STACK_BIN=${STACK_BIN:-${B:-$top/build}/test}
# A client on the host's side of the published ports, which are inside the namespace.
SCEPCTL="nsenter --net=/run/netns/$namespace $STACK_BIN/scepctl"
SCEP_URL=http://127.0.0.1:$HTTP_PORT/scep/devices
CA_PEM=$work/ca.pem
DB=$data/volumes/scep_state/_data/scep.db

one_shot() {
	compose run --rm scepctl "$@"
}

# healthy SERVICE COUNT
healthy() {
	[ "$(docker ps -q --filter "label=com.docker.compose.service=$1" --filter health=healthy | wc -l)" -eq "$2" ]
}

all_healthy() {
	healthy fcgi-scep 3 && healthy fcgi-admin 1 && healthy nginx 1 && healthy redis 1
}

# A one-time challenge, fetched as an MDM does.
mint() {
	inside curl -sf -m 20 --cacert "$CA_PEM" -H "Authorization: Bearer $(cat "$work/token")" \
		-X POST "https://127.0.0.1:$HTTPS_PORT/scep/devices/challenge"
}

# device NAME: until it has its certificate, with one challenge and one key; each try is a line in NAME.tries.
device() {
	local name=$1 try status challenge
	challenge=$(cat "$work/$name.challenge")
	for try in $(seq 20); do
		status=0
		scepctl enrol "$SCEP_URL" --subject "CN=$name,O=Example" --challenge "$challenge" --key-file "$work/$name.key" \
			--cert-out "$work/$name.pem" --timeout 20 >"$work/$name.said" 2>&1 || status=$?
		echo "try $try: exit status $status: $(tail -n 1 "$work/$name.said")" >>"$work/$name.tries"
		[ "$status" -ne 0 ] || return 0
		# A clean failure leaves no certificate, and says something.
		if [ -e "$work/$name.pem" ] || [ ! -s "$work/$name.said" ] || [ "$status" -gt 3 ]; then
			echo "unclean" >>"$work/$name.tries"
			return 1
		fi
		sleep 0.5
	done
	return 1
}

# ---- tests ----------------------------------------------------------------------------------------------------------------------

it_builds_its_images_from_the_bare_base_image() {
	docker import - debian:bookworm-slim <"$cache/base.tar"
	local target
	for target in redis nginx service; do
		check docker build --network=host --target "$target" -t "scep-build-$target" "$top"
	done
	docker tag scep-build-redis fcgi-scep-redis:latest
	docker tag scep-build-nginx fcgi-scep-nginx:latest
	docker tag scep-build-service fcgi-scep:latest
	engine_stop
	engine_start run
}

it_makes_ca_profile_token_and_tls_certificate_by_one_shots() {
	check one_shot ca create main --subject 'CN=Container CA,O=Example'
	check one_shot profile create devices --ca main --challenge-mode dynamic
	check one_shot ca server-certificate main --dns localhost --ip 127.0.0.1 --out /run/tls/tls.pem --key-out /run/tls/tls.key
	one_shot token create mdm --role challenge --profiles devices >"$work/token"
	matches '^[^ ]{20,}$' "$(cat "$work/token")" "the token"
	one_shot ca show main --pem >"$CA_PEM"
	check openssl x509 -in "$CA_PEM" -noout
}

it_comes_up_healthy_with_three_responders() {
	check compose up -d --no-build --scale fcgi-scep=3
	check eventually 60 all_healthy
}

it_runs_everything_read_only_unprivileged_and_without_capabilities() {
	local id
	for id in $(docker ps -q); do
		equal '10001:10001 true [ALL] [no-new-privileges:true] false' "$(docker inspect -f \
			'{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Privileged}}' "$id")" \
			"user, root file system, capabilities, security options and privilege of $(docker inspect -f '{{.Name}}' "$id")"
		equal '' "$(docker inspect -f '{{range .HostConfig.CapAdd}}{{.}}{{end}}' "$id")" "added capabilities"
	done
	equal 6 "$(docker ps -q | wc -l)" "containers that run"
}

it_gives_each_container_only_the_secrets_that_it_needs() {
	local all='ls /run/secrets/* /run/redis /var/lib/fcgi-scep /var/lib/fcgi-scep/keys' seen
	seen=$(compose exec -T nginx sh -c "$all" || true)
	no_match 'master.key|key.passphrase|redis.sock|scep.db|ca-' "$seen" "what nginx sees"
	seen=$(compose exec -T redis sh -c "$all" || true)
	no_match 'master.key|key.passphrase|^secret$|scep.db|ca-' "$seen" "what Redis sees"
	seen=$(compose exec -T fcgi-admin sh -c "$all" || true)
	no_match 'key.passphrase|^ca-|^ra-' "$seen" "what fcgi-admin sees"
	matches 'master.key' "$seen" "what fcgi-admin sees"
	seen=$(compose exec -T fcgi-scep sh -c "$all" || true)
	matches '^ca-' "$seen" "what fcgi-scep sees"
}

it_enrols_over_http_and_https() {
	check enrol d1 "$SCEP_URL" --challenge "$(mint)"
	check issued "$work/d1.pem"
	check enrol d2 "https://127.0.0.1:$HTTPS_PORT/scep/devices" --ca-file "$CA_PEM" --challenge "$(mint)"
	check issued "$work/d2.pem"
}

it_refuses_a_wrong_challenge_and_one_used_twice() {
	local once
	once=$(mint)
	check enrol d3 "$SCEP_URL" --challenge "$once"
	refuse enrol d4 "$SCEP_URL" --challenge "$once"
	refuse enrol d5 "$SCEP_URL" --challenge 00000000000000000000000000000000
}

it_refuses_fastcgi_without_the_secret() {
	local answer
	answer=$(compose exec -T fcgi-admin sh -c 'REQUEST_METHOD=GET DOCUMENT_URI=/scep QUERY_STRING=operation=GetCACaps \
		SCEP_FCGI_SECRET=not-the-secret-of-this-stack cgi-fcgi -bind -connect fcgi-scep:9000' </dev/null)
	matches '^Status: 403' "$answer" "the answer"
}

it_lets_all_three_responders_work() {
	local i name
	for i in $(seq 12); do
		enrol "spread$i" "$SCEP_URL" --challenge "$(mint)"
	done
	for i in 1 2 3; do
		name=scep_fcgi-scep_$i
		matches 'operation=PKIOperation .*outcome=success' "$(docker logs "$name" 2>&1)" "the log of $name"
	done
}

it_loses_no_certificate_when_a_container_is_killed_while_enrolling() {
	local names=() i enrolling killed
	killed=$(docker ps -q --filter label=com.docker.compose.service=fcgi-scep | head -n 1)
	for i in $(seq 40); do
		names+=("killed$i")
		openssl genrsa -out "$work/killed$i.key" 2048 2>/dev/null
		mint >"$work/killed$i.challenge"
	done
	# Four devices at a time; the container goes when a quarter is through.
	(
		for lane in 0 1 2 3; do
			(for ((i = lane; i < 40; i += 4)); do device "${names[i]}" || true; done) &
		done
		wait
	) &
	enrolling=$!
	eventually 60 quarter_is_through
	docker kill "$killed"
	wait "$enrolling"

	for i in "${names[@]}"; do
		[ -s "$work/$i.pem" ] || fail "$i has no certificate: $(cat "$work/$i.tries")"
		check issued "$work/$i.pem"
		# Retried or not, each has exactly one.
		equal 1 "$(sql "SELECT count(*) FROM certificate WHERE subject LIKE '%CN=$i' OR subject LIKE '%CN=$i,%'")" "certificates of $i"
	done
	no_match unclean "$(cat "$work"/killed*.tries)" "the tries"
	equal ok "$(sql 'PRAGMA integrity_check')" "the store's integrity"
	equal 0 "$(sql 'SELECT count(*) FROM certificate c WHERE c.scep_profile_id IS NOT NULL AND NOT EXISTS
		(SELECT 1 FROM challenge_use u WHERE u.certificate_id = c.id)')" "certificates without the use of a challenge"
	healthy fcgi-scep 2
}

quarter_is_through() {
	[ "$(find "$work" -name 'killed*.pem' | wc -l)" -ge 10 ]
}

it_goes_on_with_its_volumes_after_down_and_up() {
	local before
	before=$(sql 'SELECT count(*) FROM certificate')
	mint >"$work/kept"
	compose down
	check compose up -d --no-build --scale fcgi-scep=3
	check eventually 60 all_healthy
	equal "$before" "$(sql 'SELECT count(*) FROM certificate')" "certificates"
	# Redis' append-only file has the challenge that was minted before.
	check enrol after "$SCEP_URL" --challenge "$(cat "$work/kept")"
	check issued "$work/after.pem"
}

run_tests "$@"
