/* doctor_read.c: what is in a server's answers: capabilities, certificates, and who is who among these. */
#include "fcgi-admin/cli/doctor.h"
#include "pki/public_key.h"

bool
doctor_is_ra(const struct certificate *c)
{
	return !c->ca && !certificate_is_self_issued(c);
}

const struct certificate *
doctor_issuer(const struct doctor *d, const struct certificate *c)
{
	int by = d->issuers[c - d->certificates];

	return by == -1 ? NULL : &d->certificates[by];
}

/* Each pair is looked at once here, since a stranger's list may make every signature dear. */
static int
find_issuer(const struct doctor *d, const struct certificate *c)
{
	int named = -1;

	if (certificate_is_self_issued(c))
		return -1;
	for (int i = 0; i < d->count; i++) {
		const struct certificate *other = &d->certificates[i];

		if (other == c || !octets_equal(other->subject, c->issuer))
			continue;
		if (certificate_verify(c, other, NULL))
			return i;
		if (named == -1)
			named = i;
	}
	return named;
}

bool
doctor_is_rsa(const struct certificate *c)
{
	struct public_key key;
	bool rsa;

	if (!public_key_parse(c->spki, &key, NULL))
		return false;
	rsa = key.type == PKI_KEY_RSA;
	public_key_free(&key);
	return rsa;
}

static bool
may_encipher(const struct certificate *c)
{
	return c->key_usage == -1 || (c->key_usage & KEY_USAGE_KEY_ENCIPHERMENT) != 0;
}

/* As most clients do: an RA's that may encipher, then a CA's that may, then whatever is first. */
static void
choose_recipient(struct doctor *d)
{
	for (int pass = 0; pass < 4 && d->recipient == NULL; pass++)
		for (int i = 0; i < d->count && d->recipient == NULL; i++) {
			const struct certificate *c = &d->certificates[i];

			if ((pass == 3 || doctor_is_ra(c) == (pass % 2 == 0)) &&
			    (pass >= 2 || may_encipher(c)) && (pass == 3 || doctor_is_rsa(c)))
				d->recipient = c;
		}
	if (d->recipient != NULL)
		d->issuer =
		    doctor_is_ra(d->recipient) ? doctor_issuer(d, d->recipient) : d->recipient;
}

static void
read_certificates(struct doctor *d, struct octets body)
{
	int count =
	    scep_client_ca_certificates(body, d->der, DOCTOR_CERTIFICATES, &d->certificates_why);

	for (; d->count < count; d->count++)
		if (!certificate_parse(buffer_octets(&d->der[d->count]), &d->certificates[d->count],
			&d->certificates_why))
			break;
	if (d->count == count)
		return;
	/* Half a list says nothing about the whole. */
	for (; d->count > 0; d->count--)
		certificate_free(&d->certificates[d->count - 1]);
}

void
doctor_read(struct doctor *d)
{
	const struct doctor_answer *caps = &d->answers[DOCTOR_ASK_CAPS];
	const struct doctor_answer *list = &d->answers[DOCTOR_ASK_CA_CERT];

	if (caps->asked && caps->rc == HTTP_DONE && caps->http.status == 200)
		scep_capabilities_parse(buffer_octets(&caps->http.body), &d->capabilities);
	if (list->asked && list->rc == HTTP_DONE && list->http.status == 200)
		read_certificates(d, buffer_octets(&list->http.body));
	for (int i = 0; i < d->count; i++)
		d->issuers[i] = find_issuer(d, &d->certificates[i]);
	choose_recipient(d);
}
