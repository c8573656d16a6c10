#include "outbound/webhook_answer.h"
#include "outbound/json_text.h"

enum webhook_rc
webhook_answer_read(struct octets body, char message[256], struct errbuf *why)
{
	enum webhook_rc rc = WEBHOOK_DENIED;
	const json_t *error, *allow;
	json_t *json;

	message[0] = '\0';
	if ((json = json_text_read(body, why)) == NULL) {
		errbuf_prefix(why, "webhook: answer");
		return WEBHOOK_DENIED;
	}
	allow = json_object_get(json, "allow");
	error = json_object_get(json, "error");
	json_text_copy(json_text_member(error, "message"), message, 256);
	if (message[0] == '\0')
		json_text_copy(json_text_member(error, "code"), message, 256);
	if (json_is_true(allow))
		rc = WEBHOOK_ALLOWED;
	else if (json_is_false(allow))
		errbuf_set(why, "webhook: denied: %s", message);
	else
		errbuf_set(why, "webhook: answer: want allow, true or false");
	json_text_free(json);
	return rc;
}
