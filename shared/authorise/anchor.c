/* anchor.c: certificates of others' CAs. */
#include "authorise/anchor.h"

#include "pki/name.h"

/* Is the value of want, as UTF-8, also that of an attribute of the type oid in v? */
static bool
has_value(const struct name_view *v, struct octets oid, const struct name_attribute *want)
{
	struct buffer wanted = {0}, value = {0};
	bool found = false;

	if (name_value_utf8(want->value, want->tag, &wanted)) {
		for (int i = 0; i < name_count(v) && !found; i++) {
			const struct name_attribute *a = name_get0(v, i);

			buffer_free(&value);
			found = octets_equal(a->oid, oid) &&
				name_value_utf8(a->value, a->tag, &value) &&
				octets_equal(buffer_octets(&value), buffer_octets(&wanted));
		}
	}
	buffer_free(&wanted);
	buffer_free(&value);
	return found;
}

static bool
each_value_is_known(const struct name_view *signer, const struct name_view *asked)
{
	const struct name_type *common_name = name_type_of_field("subject.commonName");
	const struct name_type *serial = name_type_of_field("subject.serialNumber");

	for (int i = 0; i < name_count(asked); i++) {
		const struct name_attribute *a = name_get0(asked, i);

		if (!has_value(signer, a->oid, a) &&
		    !(octets_equal(a->oid, common_name->oid) && has_value(signer, serial->oid, a)))
			return false;
	}
	return name_count(asked) > 0;
}

/* What would be copied from the CSR, and says whom or what Windows takes the certificate for. */
static bool
asks_microsoft(const struct field_rules *rules, const struct csr *csr)
{
	return (rules->microsoft_sid && csr->microsoft_sid.data != NULL) ||
	       (rules->microsoft_template && (csr->microsoft_template.data != NULL ||
						 csr->microsoft_template_name.data != NULL));
}

static bool
speaks_for_itself(const struct certificate *signer, const struct csr *csr)
{
	struct name_view *own = NULL, *asked = NULL;
	bool fits = csr->san.len == 0 && name_parse(signer->subject, &own, NULL) &&
		    name_parse(csr->subject, &asked, NULL) && each_value_is_known(own, asked);

	name_free(own);
	name_free(asked);
	return fits;
}

bool
anchor_trusts(const struct profile *p, const struct certificate *signer, const struct csr *csr,
    int64_t now_ms)
{
	int64_t now = now_ms / 1000;

	if (p->anchor_count == 0 || signer->ca || now < signer->not_before ||
	    now > signer->not_after || asks_microsoft(&p->rules, csr))
		return false;
	for (int i = 0; i < p->anchor_count; i++) {
		const struct certificate *anchor = &p->anchors[i];

		if (now >= anchor->not_before && now <= anchor->not_after && anchor->ca &&
		    certificate_verify(signer, anchor, NULL))
			return speaks_for_itself(signer, csr);
	}
	return false;
}
