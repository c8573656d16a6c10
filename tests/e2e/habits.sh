#!/bin/bash
# What real clients do, each habit over HTTP against a running service, with its twin that is refused.  Clients that Debian packages
# are run themselves by tests/clients; the messages of the others are made by tests/e2e/habit.c.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
stack_up

habit() {
	"$STACK_BIN/e2e/habit" "$@"
}

# ca PROFILE: its GetCACert, in a file whose name is printed.
ca() {
	[ -s "$work/ca.$1" ] || curl -s -o "$work/ca.$1" "$HTTP_URL/scep/$1?operation=GetCACert"
	echo "$work/ca.$1"
}

# make FILE HABIT PROFILE [OPTIONS…]: writes $work/FILE.der.
make() {
	local file=$1 habit=$2 profile=$3
	shift 3
	habit make "$habit" --ca "$(ca "$profile")" --challenge "$CHALLENGE" --out "$work/$file.der" "$@"
}

# post FILE PROFILE [CURL-OPTIONS…]: prints the HTTP status; the reply goes to $work/FILE.reply, its headers to $work/FILE.head.
post() {
	local file=$1 profile=$2
	shift 2
	curl -s -m 30 -D "$work/$file.head" -o "$work/$file.reply" -w '%{http_code}' --data-binary "@$work/$file.der" "$@" \
		"$HTTP_URL/scep/$profile?operation=PKIOperation"
}

# get FILE PATH-AND-QUERY [CURL-OPTIONS…]: the same by GET.
get() {
	local file=$1 what=$2
	shift 2
	curl -s -g -m 30 -D "$work/$file.head" -o "$work/$file.reply" -w '%{http_code}' --path-as-is "$@" "$HTTP_URL$what"
}

# said FILE HABIT PROFILE: what the reply says, a line each; certificates go to $work/FILE1.pem …
said() {
	habit read "$2" --ca "$(ca "$3")" --message "$work/$1.der" --reply "$work/$1.reply" --certificates "$work/$1" || [ $? -eq 1 ]
}

# succeeds FILE HABIT PROFILE: the reply is a SUCCESS with a certificate that is in the store and the audit.
succeeds() {
	local text
	text=$(said "$1" "$2" "$3")
	matches '^pkiStatus SUCCESS$' "$text" "$1 at $3"
	matches '^certificates 1$' "$text" "$1 at $3"
	check issued "$work/${1}1.pem"
}

# fails FILE HABIT PROFILE FAILINFO TEXT: a signed FAILURE; TEXT is a pattern.
fails() {
	local text
	text=$(said "$1" "$2" "$3")
	matches '^pkiStatus FAILURE$' "$text" "$1 at $3"
	matches "^failInfo $4\$" "$text" "$1 at $3"
	matches "^failInfoText $5\$" "$text" "$1 at $3"
}

certificates() {
	sql 'SELECT count(*) FROM certificate'
}

# plays HABIT PROFILE: it gets its certificate; with one octet of the ciphertext changed it does not.
plays() {
	local before
	make "$1" "$1" "$2"
	equal 200 "$(post "$1" "$2")" "$1 at $2"
	succeeds "$1" "$1" "$2"
	before=$(certificates)
	make "$1-spoilt" "$1" "$2" --spoil yes
	equal 200 "$(post "$1-spoilt" "$2")" "$1, spoilt"
	fails "$1-spoilt" "$1" "$2" badMessageCheck ''
	equal "$before" "$(certificates)" "certificates after $1, spoilt"
}

# ---- messages -------------------------------------------------------------------------------------------------------------------

it_reads_BER_of_indefinite_length_as_Apple_and_jscep_send_it() {
	plays apple-ber demo
	plays jscep-ber demo
}

it_takes_and_echoes_nonces_of_8_and_64_octets() {
	plays apple-nonce-8 legacy
	plays nonce-64 demo
}

# A static challenge has 255 octets at most; what is longer is for another to judge, and is read whole.
it_reads_challenges_of_255_and_of_2000_characters_as_Intune_has() {
	local CHALLENGE
	CHALLENGE=$(head -c 127 /dev/urandom | od -An -tx1 | tr -d ' \n')x
	scepctl profile create long --ca test-ca --challenge-mode static --challenge "$CHALLENGE"
	plays intune-long-challenge long
	CHALLENGE=${CHALLENGE%?}y
	make almost intune-long-challenge long
	equal 200 "$(post almost long)" "one character wrong"
	fails almost intune-long-challenge long badRequest 'the request is not authorised'
	CHALLENGE=$(head -c 1000 /dev/urandom | od -An -tx1 | tr -d ' \n')
	make long intune-long-challenge demo
	equal 200 "$(post long demo)" "2000 characters"
	fails long intune-long-challenge demo badRequest 'the request is not authorised'
	eventually 10 audit_says 'challenge: wrong \(static, 2000 octets\)'
}

audit_says() {
	scepctl audit list --failed --limit 50 | grep -qE -- "$1"
}

it_serves_Cisco_IOS_with_MD5_DES_and_no_CN_where_the_profile_allows_it() {
	plays ios-md5-des legacy
	# The subject is as it came: one RDN of two attributes.
	equal 'subject=serialNumber = FTX1234A5B6 + unstructuredName = router.example.com' \
		"$(openssl x509 -in "$work/ios-md5-des1.pem" -noout -subject)" "the certificate's subject"
	make ios ios-md5-des demo
	equal 200 "$(post ios demo)" "MD5 at demo"
	fails ios ios-md5-des demo badAlg '.*MD5.*1\.2\.840\.113549\.2\.5.*'
}

it_keeps_a_subject_without_CN_as_it_came() {
	plays ios-no-cn demo
	equal 'subject=serialNumber = FTX1234A5B6 + unstructuredName = router.example.com' \
		"$(openssl x509 -in "$work/ios-no-cn1.pem" -noout -subject)" "the certificate's subject"
	scepctl profile create named --ca test-ca --challenge-mode static --challenge "$CHALLENGE" --field subject.commonName,required
	make unnamed ios-no-cn named
	equal 200 "$(post unnamed named)" "no CN"
	fails unnamed ios-no-cn named badRequest '.*commonName.*'
}

it_takes_a_signer_whose_subject_is_not_the_CSRs_as_Cisco_ASA_sends_it() {
	plays asa-other-subject demo
	matches 'CN = asa-other-subject' "$(openssl x509 -in "$work/asa-other-subject1.pem" -noout -subject)" "the CSR's subject counts"
}

it_serves_MikroTik_with_SHA_1_triple_DES_and_1024_bits_where_the_profile_allows_it() {
	local old=(--digests 'SHA-256,SHA-1' --ciphers 'AES-128-CBC,DES3')
	plays mikrotik legacy
	make tik mikrotik demo
	equal 200 "$(post tik demo)" "SHA-1 at demo"
	fails tik mikrotik demo badAlg '.*SHA-1.*1\.3\.14\.3\.2\.26.*'
	# These two need no --allow-legacy; a small key is another question.
	scepctl profile create tik --ca test-ca --challenge-mode static --challenge "$CHALLENGE" "${old[@]}"
	make small mikrotik tik
	equal 200 "$(post small tik)" "1024 bits"
	fails small mikrotik tik badRequest '.*1024.*2048.*'
	scepctl profile set tik --min-rsa-bits 1024
	equal 200 "$(post small tik)" "1024 bits, allowed"
	succeeds small mikrotik tik
}

it_takes_a_signer_with_a_serial_number_of_32_octets_as_sscep_has() {
	plays sscep-serial-32 demo
}

it_echoes_transactionIDs_of_any_form_in_their_string_type() {
	local name
	for name in certmonger-77-digits base64-id utf8-id; do
		plays "$name" demo
	done
	matches '^1$' "$(sql "SELECT count(*) FROM audit_event WHERE outcome = 'success' AND transaction_id = 'q+4/Zx0vT7+W8y/1cK3='")" \
		"audit rows of the transactionID in base64"
}

it_tells_requests_apart_that_share_a_constant_transactionID() {
	local first
	plays constant-id demo
	first=$(serial_of "$work/constant-id1.pem")
	make other nonce-64 demo --id 1
	equal 200 "$(post other demo)" "another CSR"
	succeeds other nonce-64 demo
	refuse test "$first" = "$(serial_of "$work/other1.pem")"
	make other constant-id legacy
	equal 200 "$(post other legacy)" "at another profile"
	succeeds other constant-id legacy
	refuse test "$first" = "$(serial_of "$work/other1.pem")"
	# The same key, CSR and transactionID are a repeat, whatever else is new.
	make again constant-id demo --digest SHA-512
	equal 200 "$(post again demo)" "the same CSR again"
	succeeds again constant-id demo
	equal "$first" "$(serial_of "$work/again1.pem")" "the serial number of the repeat"
}

it_reads_a_challenge_in_each_string_type_and_in_the_extensionRequest() {
	local name
	for name in challenge-bmp challenge-t61 challenge-utf8 challenge-ia5 challenge-in-extensions; do
		plays "$name" demo
		CHALLENGE=wrong$CHALLENGE make wrong "$name" demo
		equal 200 "$(post wrong demo)" "$name, wrong"
		fails wrong "$name" demo badRequest 'the request is not authorised'
	done
}

it_finds_recipient_and_signer_by_their_key_identifiers() {
	plays ski-recipient demo
	plays ski-signer demo
	make stranger ski-recipient legacy
	equal 200 "$(post stranger demo)" "for the RA of another profile"
	fails stranger ski-recipient demo badMessageCheck ''
}

it_serves_devices_whose_clock_is_wrong_and_notes_it() {
	plays no-clock demo
	plays fast-clock demo
	check grep -q 'event=signing-time' "$STACK_DIR/log/scep.log"
}

# ---- algorithms of the reply ----------------------------------------------------------------------------------------------------

digests='MD5=1.2.840.113549.2.5 SHA-1=1.3.14.3.2.26 SHA-256=2.16.840.1.101.3.4.2.1 SHA-384=2.16.840.1.101.3.4.2.2
	SHA-512=2.16.840.1.101.3.4.2.3'
ciphers='DES=1.3.14.3.2.7 DES3=1.2.840.113549.3.7 AES-128-CBC=2.16.840.1.101.3.4.1.2 AES-256-CBC=2.16.840.1.101.3.4.1.42'

it_answers_in_the_digest_and_the_cipher_of_the_request() {
	local d c text
	for d in $digests; do
		for c in $ciphers; do
			make follow nonce-64 legacy --digest "${d%=*}" --cipher "${c%=*}"
			equal 200 "$(post follow legacy)" "$d $c"
			text=$(said follow nonce-64 legacy)
			matches '^pkiStatus SUCCESS$' "$text" "$d $c"
			equal "digest ${d#*=}" "$(grep ^digest <<<"$text")" "$d $c"
			equal "cipher ${c#*=}" "$(grep ^cipher <<<"$text")" "$d $c"
			# strongSwan 5.9.8 takes no other.
			equal 'signature 1.2.840.113549.1.1.1' "$(grep ^signature <<<"$text")" "$d $c"
		done
		# A refusal follows too.
		CHALLENGE=wrong make refused nonce-64 legacy --digest "${d%=*}"
		equal 200 "$(post refused legacy)" "$d, refused"
		equal "digest ${d#*=}" "$(said refused nonce-64 legacy | grep ^digest)" "$d, refused"
	done
}

it_names_what_the_profile_does_not_allow_with_its_OID() {
	local d c
	for d in MD5=1.2.840.113549.2.5 SHA-1=1.3.14.3.2.26; do
		make forbidden nonce-64 demo --digest "${d%=*}"
		equal 200 "$(post forbidden demo)" "$d"
		fails forbidden nonce-64 demo badAlg ".*${d%=*} \(${d#*=}\).*"
		# Not in the digest that is not allowed.
		equal 'digest 2.16.840.1.101.3.4.2.1' "$(said forbidden nonce-64 demo | grep ^digest)" "$d"
	done
	for c in DES=1.3.14.3.2.7 DES3=1.2.840.113549.3.7; do
		make forbidden nonce-64 demo --cipher "${c%=*}"
		equal 200 "$(post forbidden demo)" "$c"
		fails forbidden nonce-64 demo badAlg ".*${c#*=}.*"
	done
}

# ---- GET ------------------------------------------------------------------------------------------------------------------------

# by_get SENTENCE QUERY: in QUERY, @ stands for the message in base64, as the command in $encode makes it.
by_get() {
	local message
	make byget nonce-64 demo
	message=$(eval "$encode" <"$work/byget.der")
	equal 200 "$(get byget "/scep/demo?${2//@/$message}")" "$1"
	succeeds byget nonce-64 demo
	equal http-get "$(sql "SELECT transport FROM audit_event WHERE outcome = 'success' AND serial = lower('$(serial_of "$work/byget1.pem")')")" "$1"
}

it_takes_base64_in_GET_in_every_form_of_escaping() {
	local encode
	encode='base64 -w 0'
	by_get "+, / and = unescaped: Apple" 'operation=PKIOperation&message=@'
	encode='base64 -w 0 | sed "s/+/%2B/g; s,/,%2F,g; s/=/%3D/g"'
	by_get "all escaped" 'operation=PKIOperation&message=@'
	encode='base64 -w 0 | sed "s/+/%2b/g; s/=/%3d/g"'
	by_get "in small letters, / unescaped" 'operation=PKIOperation&message=@'
	encode='base64 -w 64 | sed "s/+/%2B/g; s/\$/%0A/" | tr -d "\n"'
	by_get "lines that end in %0A: Cisco, sscep" 'operation=PKIOperation&message=@'
	encode='base64 -w 76 | sed "s/\$/%0d%0a/" | tr -d "\n"'
	by_get "lines that end in %0d%0a" 'operation=PKIOperation&message=@'
	encode='base64 -w 0 | sed "s/+/%20/g"'
	by_get "a space for +" 'operation=PKIOperation&message=@'
	encode='base64 -w 0 | tr -d ='
	by_get "no padding" 'operation=PKIOperation&message=@'
	encode='base64 -w 0 | tr "+/" "-_"'
	by_get "base64url, message first: scepclient" 'message=@&operation=PKIOperation'
	encode='base64 -w 0 | tr "+/" "-_" | tr -d ='
	by_get "base64url without padding" 'message=@&operation=PKIOperation'
}

it_takes_parameters_of_GET_in_any_order_and_case_and_with_unknown_ones() {
	local encode='base64 -w 0'
	by_get "message first" 'message=@&operation=PKIOperation'
	by_get "small letters" 'operation=pkioperation&message=@'
	by_get "capitals" 'OPERATION=PKIOPERATION&MESSAGE=@'
	by_get "unknown parameters" 'profile=x&operation=PKIOperation&message=@&device=1'
	by_get "a parameter without a value, and an empty one" 'x&operation=PKIOperation&&message=@&'
	by_get "escapes in a name" 'op%65ration=PKI%4fperation&message=@'
}

it_refuses_base64_that_is_none_and_notices_a_changed_character() {
	local message
	make broken nonce-64 demo
	message=$(base64 -w 0 <"$work/broken.der")
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation&message=$message!")" "a character that is none"
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation&message=%${message}")" "a broken escape"
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation&message=${message}x")" "behind the padding"
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation&message=$message&message=$message")" "twice"
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation&message=")" "empty"
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation")" "missing"
	equal 400 "$(get broken "/scep/demo?operation=PKIOperation&message=${message:0:1000}")" "cut off"
	make broken nonce-64 demo --spoil yes
	equal 200 "$(get broken "/scep/demo?operation=PKIOperation&message=$(base64 -w 0 <"$work/broken.der")")" "changed"
	fails broken nonce-64 demo badMessageCheck ''
}

# same_answer OPERATION PATH-AND-QUERY…: each gets the octets that the plain query gets.
same_answer() {
	local want what
	want=$(curl -s "$HTTP_URL/scep/demo?operation=$1" | sha256sum)
	shift
	for what in "$@"; do
		equal 200 "$(get same "$what")" "$what"
		equal "$want" "$(sha256sum <"$work/same.reply")" "$what"
	done
}

it_answers_GetCACaps_and_GetCACert_whatever_message_says() {
	local op
	for op in GetCACaps GetCACert; do
		same_answer "$op" "/scep/demo?operation=$op&message=default" "/scep/demo?operation=$op&message=CAIdentifier" \
			"/scep/demo?operation=$op&message=" "/scep/demo?message=0&operation=$op" "/scep/demo?operation=${op,,}" \
			"/scep/demo?OPERATION=${op^^}&MESSAGE=x" "/scep/demo?operation=$op&unknown=1" "/scep/demo?operation=$op&" \
			"/scep/demo?operation=$op&message=a%20name%2C%20with+blanks"
	done
	equal 400 "$(get same '/scep/demo?operation=GetCACap')" "a word too short"
	equal 400 "$(get same '/scep/demo?operation=GetCACaps&operation=GetCACaps')" "twice"
}

it_answers_under_the_names_of_programs_that_clients_append() {
	local path
	for path in /scep/demo/pkiclient.exe /scep/demo/mscep.dll /scep/demo/ /scep /scep/ /scep/pkiclient.exe /scep/mscep.dll \
		/cgi-bin/pkiclient.exe /certsrv/mscep/mscep.dll /CertSrv/mscep/mscep.dll /certsrv/mscep/mscep.dll/pkiclient.exe \
		/scep/demo/mscep.dll/pkiclient.exe /cgi-bin/pkiclient.exe/pkiclient.exe; do
		same_answer GetCACert "$path?operation=GetCACert&message=default"
		make program nonce-64 demo
		equal 200 "$(curl -s -o "$work/program.reply" -w '%{http_code}' --data-binary "@$work/program.der" \
			"$HTTP_URL$path?operation=PKIOperation&message=default")" "$path"
		succeeds program nonce-64 demo
	done
	for path in /scep/demo/a/pkiclient.exe/b /scep/demo/a/b/pkiclient.exe /certsrv/mscep/other.dll /pkiclient.exe /cgi-bin/other.exe; do
		equal 404 "$(http "$HTTP_URL$path?operation=GetCACert")" "$path"
	done
}

# ---- HTTP -----------------------------------------------------------------------------------------------------------------------

# plain_answer FILE: its length is told, and it does not come in chunks.
plain_answer() {
	matches "^Content-Length: $(stat -c %s "$work/$1.reply")"$'\r''$' "$(cat "$work/$1.head")" "length"
	no_match '^Transfer-Encoding' "$(cat "$work/$1.head")" "chunks"
}

it_serves_HTTP_1_0_without_a_Host() {
	make old nonce-64 demo
	equal 200 "$(post old demo --http1.0 -H Host: -H Content-Type:)" POST
	succeeds old nonce-64 demo
	plain_answer old
	make old nonce-64 demo
	equal 200 "$(get old "/cgi-bin/pkiclient.exe?operation=PKIOperation&message=$(base64 -w 0 <"$work/old.der")" --http1.0 -H Host:)" GET
	succeeds old nonce-64 demo
	plain_answer old
	make old nonce-64 demo --spoil yes
	equal 200 "$(get old "/cgi-bin/pkiclient.exe?operation=PKIOperation&message=$(base64 -w 0 <"$work/old.der")" --http1.0 -H Host:)" FAILURE
	fails old nonce-64 demo badMessageCheck ''
	plain_answer old
	for path in '/scep/demo?operation=GetCACert' '/scep/demo?operation=GetCACaps' '/scep/demo?operation=Other' '/scep/nobody?operation=GetCACert'; do
		get old "$path" --http1.0 -H Host: >"$work/code"
		plain_answer old
	done
}

it_takes_a_POST_with_any_Content_Type_or_none_and_without_operation() {
	local type
	for type in 'Content-Type:' 'Content-Type: application/x-pki-message' 'Content-Type: application/octet-stream' 'Content-Type: text/plain'; do
		make typed nonce-64 demo
		equal 200 "$(post typed demo -H "$type")" "$type"
		succeeds typed nonce-64 demo
		matches '^Content-Type: application/x-pki-message'$'\r''$' "$(cat "$work/typed.head")" "the reply's type"
	done
	make bare nonce-64 demo
	equal 200 "$(curl -s -o "$work/bare.reply" -w '%{http_code}' --data-binary "@$work/bare.der" "$SCEP_URL")" "no operation"
	succeeds bare nonce-64 demo
	make bare nonce-64 demo
	equal 200 "$(post bare demo -H 'Transfer-Encoding: chunked')" "in chunks"
	succeeds bare nonce-64 demo
	make bare nonce-64 demo
	equal 200 "$(post bare demo -H 'Expect: 100-continue')" "with Expect"
	succeeds bare nonce-64 demo
	equal 400 "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "$(base64 "$work/bare.der")" "$SCEP_URL")" "a body in base64"
}

# ---- what a profile can be set to -----------------------------------------------------------------------------------------------

# A CA below another, with a profile: the CAs of a chain.
make_chain() {
	[ -s "$work/root.pem" ] && return
	openssl req -x509 -newkey rsa:2048 -nodes -days 3000 -subj '/O=Example/CN=Root' -keyout "$work/root.key" -out "$work/root.pem" 2>/dev/null
	scepctl ca request sub --subject 'CN=Sub CA,O=Example' --key rsa:2048 --out "$work/sub.csr"
	printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\nsubjectKeyIdentifier=hash\n' >"$work/sub.ext"
	openssl x509 -req -in "$work/sub.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -set_serial 2 -days 2000 -sha256 -extfile "$work/sub.ext" \
		-out "$work/sub.crt" 2>/dev/null
	cat "$work/sub.crt" "$work/root.pem" >"$work/sub.pem"
	scepctl ca import sub --certificate "$work/sub.pem"
	scepctl profile create sub --ca sub --challenge-mode static --challenge "$CHALLENGE"
}

fingerprint() {
	openssl x509 -in "$1" -noout -fingerprint -sha256
}

it_puts_leaf_issuer_or_chain_into_the_CertRep_with_the_leaf_first() {
	local what count text
	make_chain
	for what in leaf=1 issuer=2 chain=3 leaf=1; do
		scepctl profile set sub --cert-rep "${what%=*}"
		make rep nonce-64 sub
		rm -f "$work"/rep?.pem
		equal 200 "$(post rep sub)" "$what"
		text=$(said rep nonce-64 sub)
		equal "certificates ${what#*=}" "$(grep ^certificates <<<"$text")" "$what"
		matches 'CN = nonce-64' "$(openssl x509 -in "$work/rep1.pem" -noout -subject)" "$what: the first one"
		check openssl verify -CAfile "$work/root.pem" -untrusted "$work/sub.crt" "$work/rep1.pem"
		count=${what#*=}
		[ "$count" -lt 2 ] || equal "$(fingerprint "$work/sub.crt")" "$(fingerprint "$work/rep2.pem")" "$what: the second"
		[ "$count" -lt 3 ] || equal "$(fingerprint "$work/root.pem")" "$(fingerprint "$work/rep3.pem")" "$what: the third"
	done
	refuse scepctl profile set sub --cert-rep everything
}

it_gives_GetCACert_as_one_certificate_or_as_the_chain_with_the_RA_first() {
	local answer
	make_chain
	scepctl profile set sub --get-ca-cert chain
	sleep 3.1
	equal 200 "$(get chain '/scep/sub?operation=GetCACert')" chain
	matches '^Content-Type: application/x-x509-ca-ra-cert' "$(cat "$work/chain.head")" chain
	answer=$(openssl pkcs7 -inform DER -in "$work/chain.reply" -print_certs -noout | grep ^subject)
	equal 3 "$(wc -l <<<"$answer")" "certificates of the chain"
	matches 'CN = sub SCEP RA' "$(sed -n 1p <<<"$answer")" "the RA first"
	matches 'CN = Sub CA' "$(sed -n 2p <<<"$answer")" "its CA next"
	matches 'CN = Root' "$(sed -n 3p <<<"$answer")" "the root last"
	scepctl profile set sub --get-ca-cert single
	sleep 3.1
	equal 200 "$(get single '/scep/sub?operation=GetCACert')" single
	matches '^Content-Type: application/x-x509-ca-cert' "$(cat "$work/single.head")" single
	openssl x509 -inform DER -in "$work/single.reply" -out "$work/single.pem"
	matches 'CN = sub SCEP RA' "$(openssl x509 -in "$work/single.pem" -noout -subject)" "the one it is"
	rm -f "$work/ca.sub"
	make alone nonce-64 sub
	equal 200 "$(post alone sub)" "enveloped to what single gave"
	succeeds_below alone
	refuse scepctl profile set sub --get-ca-cert both
}

succeeds_below() {
	matches '^pkiStatus SUCCESS$' "$(said "$1" nonce-64 sub)" "$1"
	check openssl verify -CAfile "$work/root.pem" -untrusted "$work/sub.crt" "$work/${1}1.pem"
}

it_lists_the_capabilities_of_the_profile_without_an_empty_line() {
	local caps line
	caps=$(curl -s "$SCEP_URL?operation=GetCACaps" | tee "$work/caps")
	# strongSwan 5.9.8 believes in AES and SHA-256 where SHA-384 is in the list, and in everything where a line is empty.
	for line in AES SHA-256 SHA-384 SHA-512 POSTPKIOperation SCEPStandard; do
		equal 1 "$(grep -cx -- "$line" <<<"$caps")" "$line"
	done
	equal 0 "$(grep -c '^[[:space:]]*$' "$work/caps" || true)" "empty lines"
	equal 0 "$(grep -c $'\r' "$work/caps" || true)" "lines that end in CR LF"
	equal 0 "$(grep -cxE 'DES3|SHA-1|DES|MD5' <<<"$caps" || true)" "what the profile does not take"
	caps=$(curl -s "$SCEP_URL_LEGACY?operation=GetCACaps")
	for line in DES3 SHA-1; do
		equal 1 "$(grep -cx -- "$line" <<<"$caps")" "$line at legacy"
	done
	scepctl profile create only --ca test-ca --challenge-mode static --challenge "$CHALLENGE" --digests SHA-512 --ciphers AES-256-CBC
	caps=$(curl -s "$HTTP_URL/scep/only?operation=GetCACaps")
	equal 0 "$(grep -cxE 'AES|SHA-256|SHA-384|SCEPStandard' <<<"$caps" || true)" "what a profile of SHA-512 and AES-256 has not"
	equal 1 "$(grep -cx SHA-512 <<<"$caps")" "SHA-512"
}

it_keeps_what_always_holds() {
	check invariants
}

run_tests "$@"
