#!/bin/bash
# run.sh (make run): the whole service on this machine, on loopback, with everything it keeps below one directory.
#
# Installs what is missing, builds, makes a CA, an RA certificate and two profiles, starts Redis, the workers and nginx, enrols a
# device, says how to enrol another, and stays until Ctrl-C.  A second run goes on with what is there.
#
# From the environment: STATE (./state), HTTP_PORT and HTTPS_PORT (8080 and 8443, or the next free ones; a second run keeps its
# own), and any SCEP_… setting.
set -u

cd "$(dirname "$0")" || exit 1
. scripts/service.sh

state=${STATE:-state}
mkdir -p "$state" || exit 1
service_dir=$(cd "$state" && pwd) || exit 1
build=${B:-build}

say() {
	printf '%s\n' "$*"
}

give_up() {
	say "run.sh: $*" >&2
	service_stop_all
	exit 1
}

# Run a step quietly; what it said is told when it fails.
quietly() {
	local what=$1
	shift
	"$@" >"$service_dir/log/step.log" 2>&1 && return 0
	service_tell step
	give_up "$what"
}

# ---- what is kept ---------------------------------------------------------------------------------------------------------------

# choose_port SETTING WANTED FALLBACK: the port of the last run, else the one wanted, else one that is free.
choose_port() {
	local last=${previous[$1]-}
	if [ -n "$last" ] && [ -z "$2" ] && service_port_is_free "${last##*:}"; then
		echo "${last##*:}"
	else
		service_next_port "${2:-$3}"
	fi
}

write_settings() {
	local http https
	declare -A previous=([NGINX_HTTP]=$(service_setting NGINX_HTTP) [NGINX_HTTPS]=$(service_setting NGINX_HTTPS))
	http=$(choose_port NGINX_HTTP "${HTTP_PORT-}" 8080)
	https=$(choose_port NGINX_HTTPS "${HTTPS_PORT-}" 8443)
	service_write_settings
	service_add NGINX_HTTP "127.0.0.1:$http"
	service_add NGINX_HTTPS "127.0.0.1:$https"
	service_add SCEP_PUBLIC_URL "http://127.0.0.1:$http"
	service_add SCEP_DEFAULT_PROFILE demo
	service_add_environment
}

# Each piece is made if it is not there yet, so that a first run that was interrupted is no trouble.
make_installation() {
	local secret=$service_dir/state/demo.challenge
	quietly "the state cannot be made" service_ctl init
	[ -s "$secret" ] || (umask 077 && openssl rand -hex 12 >"$secret")
	service_ctl ca show demo-ca >/dev/null 2>&1 || {
		# RSA, since not every client can do with an EC CA (strongSwan's pki wants another package for it).
		say "making a CA: CN=Demo CA, RSA-3072"
		quietly "the CA cannot be made" service_ctl ca create demo-ca --subject 'CN=Demo CA,O=Demo' --key rsa:3072
	}
	service_ctl profile show demo >/dev/null 2>&1 || {
		say "making the profile demo, with a static challenge, and its RA certificate"
		quietly "the profile demo cannot be made" service_ctl profile create demo --ca demo-ca \
			--challenge-mode static --challenge-file "$secret"
	}
	# The one that issues now: ca switch may have put another generation into its place.
	ca=$(service_ctl profile show demo | sed -n 's/^CA  *//p')
	service_ctl profile show mdm >/dev/null 2>&1 || {
		say "making the profile mdm, with one-time challenges, and its RA certificate"
		quietly "the profile mdm cannot be made" service_ctl profile create mdm --ca "$ca" --challenge-mode dynamic
	}
	quietly "the CA's certificate cannot be read" service_ctl ca show "$ca" --pem
	cp "$service_dir/log/step.log" "$service_dir/ca.pem"
	# nginx's own certificate, anew a month before it ends, and of a new CA.
	openssl verify -attime $(($(date +%s) + 2592000)) -CAfile "$service_dir/ca.pem" "$service_dir/nginx/tls.pem" >/dev/null 2>&1 || {
		say "making nginx's TLS certificate"
		rm -f "$service_dir/nginx/tls.pem" "$service_dir/nginx/tls.key"
		quietly "nginx's certificate cannot be made" service_ctl ca server-certificate "$ca" \
			--dns localhost --ip 127.0.0.1 --out "$service_dir/nginx/tls.pem" --key-out "$service_dir/nginx/tls.key"
	}
}

# ---- what is started and said ---------------------------------------------------------------------------------------------------

start_all() {
	say "starting Redis, the workers and nginx"
	local name
	for name in redis scep admin nginx; do
		service_start "$name" || give_up "not all of them start"
	done
	service_wait 20 service_answers "$url?operation=GetCACaps" || {
		service_tell nginx scep
		give_up "$url does not answer"
	}
}

enrol_device() {
	local name
	name=$(uname -n)-$(date +%Y%m%d-%H%M%S)
	mkdir -p "$service_dir/devices"
	say "enrolling a device with scepctl enrol: CN=$name"
	quietly "the device is not enrolled" service_ctl enrol "$url" --subject "CN=$name,O=Demo" \
		--challenge-file "$service_dir/state/demo.challenge" --fingerprint "$fingerprint" \
		--key-out "$service_dir/devices/$name.key" --cert-out "$service_dir/devices/$name.pem"
	openssl x509 -in "$service_dir/devices/$name.pem" -noout -subject -issuer -serial -enddate | sed 's/^/    /'
	say "    ${service_dir#"$PWD/"}/devices/$name.pem"
}

say_how() {
	local ctl="$service_bin/scepctl --settings $service_dir/settings.env" once
	ctl=${ctl//"$PWD/"/}
	once=$(service_ctl challenge new --profile mdm) || give_up "no challenge can be minted"
	cat <<-TEXT

	SCEP, static challenge    $url
	      one-time challenges $http/scep/mdm
	      over HTTPS          $https/scep/demo and /scep/mdm
	API                       $https/api/v1/health
	CA certificate            ${service_dir#"$PWD/"}/ca.pem
	CA fingerprint (SHA-256)  $fingerprint
	static challenge          $(cat "$service_dir/state/demo.challenge")
	one-time challenge        $once (good for one device, for 60 minutes)

	Enrol another device, in another terminal:

	  with scepctl
	    ${service_bin#"$PWD/"}/scepctl enrol $http/scep/mdm --subject 'CN=device-2,O=Demo' --challenge $once \\
	      --fingerprint $fingerprint --key-out device-2.key --cert-out device-2.pem

	  with strongSwan (strongswan-pki and libstrongswan-extra-plugins)
	    pki --scepca --url $url --caout ca.pem --raout ra.pem --outform pem --force
	    pki --gen --type rsa --size 2048 --outform pem > device-3.key
	    pki --scep --url $url --in device-3.key --dn 'O=Demo, CN=device-3' --password $(cat "$service_dir/state/demo.challenge") \\
	      --cacert-enc ra.pem --cacert-sig ra.pem --cacert ca.pem --outform pem > device-3.pem

	  with certmonger (as root, its service running)
	    getcert add-scep-ca -c demo -u $url -N $service_dir/ca.pem
	    getcert request -c demo -k /etc/ssl/device-4.key -f /etc/ssl/device-4.pem -N 'CN=device-4' -L $(cat "$service_dir/state/demo.challenge") -w

	Another one-time challenge, and what was enrolled and refused:

	    $ctl challenge new --profile mdm
	    $ctl audit list

	A code for one device alone, under a profile of enrolment codes:

	    $ctl profile create seats --ca $ca --challenge-mode enrollmentCode
	    $ctl seat create device-5 --type device
	    $ctl enrollment create --profile seats --seat device-5

	Running until Ctrl-C; logs are in ${service_dir#"$PWD/"}/log, all state in ${service_dir#"$PWD/"}.
	TEXT
}

finish() {
	trap - INT TERM HUP
	say
	say "ending nginx, the workers and Redis"
	service_stop_all
	say "ended; the next run goes on with ${service_dir#"$PWD/"}"
	exit 0
}

stay() {
	local name
	while sleep 1; do
		for name in $service_programs; do
			service_pid "$name" >/dev/null && continue
			service_tell "$name"
			give_up "$name has ended by itself"
		done
	done
}

# ---- the run --------------------------------------------------------------------------------------------------------------------

./setup.sh run || exit 1
service_make_directories || exit 1
exec 9>"$service_dir/run/lock"
flock -n 9 || {
	say "run.sh: another run is using ${service_dir#"$PWD/"} already" >&2
	exit 1
}
# A run that was killed may have left its programs.
service_stop_all

say "building"
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -s -j "$(nproc)" B="$build" all || exit 1
service_bin=$(cd "$build/release" && pwd)

trap finish INT TERM HUP
write_settings
http=http://$(service_setting NGINX_HTTP)
https=https://$(service_setting NGINX_HTTPS)
url=$http/scep/demo
make_installation
fingerprint=$(service_ctl ca show "$ca" --fingerprint) || give_up "the CA has no fingerprint"
start_all
enrol_device
say_how
stay
