#include "scep/scep.h"

const char *
scep_message_type_name(int type)
{
	switch (type) {
	case SCEP_CERT_REP:
		return "CertRep";
	case SCEP_RENEWAL_REQ:
		return "RenewalReq";
	case SCEP_PKCS_REQ:
		return "PKCSReq";
	case SCEP_CERT_POLL:
		return "CertPoll";
	case SCEP_GET_CERT:
		return "GetCert";
	case SCEP_GET_CRL:
		return "GetCRL";
	default:
		return "unknown";
	}
}

const char *
scep_pki_status_name(enum scep_pki_status s)
{
	switch (s) {
	case SCEP_SUCCESS:
		return "SUCCESS";
	case SCEP_FAILURE:
		return "FAILURE";
	case SCEP_PENDING:
		return "PENDING";
	}
	return "unknown";
}

const char *
scep_fail_info_name(enum scep_fail_info f)
{
	switch (f) {
	case SCEP_BAD_ALG:
		return "badAlg";
	case SCEP_BAD_MESSAGE_CHECK:
		return "badMessageCheck";
	case SCEP_BAD_REQUEST:
		return "badRequest";
	case SCEP_BAD_TIME:
		return "badTime";
	case SCEP_BAD_CERT_ID:
		return "badCertId";
	case SCEP_NO_FAIL_INFO:
		return "none";
	}
	return "unknown";
}
