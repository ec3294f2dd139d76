/* io/sip/name - the words of SIP: methods, headers, reason phrases. */

#include "base/check.h"
#include "io/sip/lex.h"
#include "io/sip/msg.h"

static const char *const methods[] = {
	[SIP_INVITE] = "INVITE",
	[SIP_ACK] = "ACK",
	[SIP_BYE] = "BYE",
	[SIP_CANCEL] = "CANCEL",
	[SIP_OPTIONS] = "OPTIONS",
	[SIP_REGISTER] = "REGISTER",
	[SIP_INFO] = "INFO",
	[SIP_REFER] = "REFER",
	[SIP_NOTIFY] = "NOTIFY",
	[SIP_PRACK] = "PRACK",
	[SIP_UPDATE] = "UPDATE",
	[SIP_MESSAGE] = "MESSAGE",
	[SIP_SUBSCRIBE] = "SUBSCRIBE",
	[SIP_PUBLISH] = "PUBLISH",
	[SIP_OTHER] = "OTHER",
};
_Static_assert(HF_LEN(methods) == SIP_OTHER + 1, "one name a method");

const char *
sip_method_name(enum sip_method m)
{
	hf_assert((unsigned)m < HF_LEN(methods));
	return methods[m];
}

enum sip_method
sip_method_of(struct hf_slice s)
{
	/* Methods are case-sensitive (7.1). */
	for (unsigned m = 0; m < SIP_OTHER; m++)
		if (s.n > 0 && s.p[0] == methods[m][0] &&
		    hf_slice_eq(s, hf_slice_of(methods[m])))
			return (enum sip_method)m;
	return SIP_OTHER;
}

/* As HF_SLICE, where only a constant may stand. */
#define TEXT(lit)                                                              \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
/* clang-format off */
static const struct hf_slice headers[SIP_H_NR] = {
	[SIP_H_OTHER] = TEXT("Other"),
	[SIP_H_ACCEPT] = TEXT("Accept"),
	[SIP_H_ALLOW] = TEXT("Allow"),
	[SIP_H_AUTHORIZATION] = TEXT("Authorization"),
	[SIP_H_CALL_ID] = TEXT("Call-ID"),
	[SIP_H_CONTACT] = TEXT("Contact"),
	[SIP_H_CONTENT_DISPOSITION] = TEXT("Content-Disposition"),
	[SIP_H_CONTENT_ENCODING] = TEXT("Content-Encoding"),
	[SIP_H_CONTENT_LENGTH] = TEXT("Content-Length"),
	[SIP_H_CONTENT_TYPE] = TEXT("Content-Type"),
	[SIP_H_CSEQ] = TEXT("CSeq"),
	[SIP_H_DATE] = TEXT("Date"),
	[SIP_H_DIVERSION] = TEXT("Diversion"),
	[SIP_H_EVENT] = TEXT("Event"),
	[SIP_H_EXPIRES] = TEXT("Expires"),
	[SIP_H_FROM] = TEXT("From"),
	[SIP_H_HISTORY_INFO] = TEXT("History-Info"),
	[SIP_H_MAX_FORWARDS] = TEXT("Max-Forwards"),
	[SIP_H_MIN_EXPIRES] = TEXT("Min-Expires"),
	[SIP_H_P_ASSERTED_IDENTITY] = TEXT("P-Asserted-Identity"),
	[SIP_H_PRIVACY] = TEXT("Privacy"),
	[SIP_H_PROXY_AUTHENTICATE] = TEXT("Proxy-Authenticate"),
	[SIP_H_PROXY_AUTHORIZATION] = TEXT("Proxy-Authorization"),
	[SIP_H_PROXY_REQUIRE] = TEXT("Proxy-Require"),
	[SIP_H_REASON] = TEXT("Reason"),
	[SIP_H_RECORD_ROUTE] = TEXT("Record-Route"),
	[SIP_H_REFER_TO] = TEXT("Refer-To"),
	[SIP_H_REFERRED_BY] = TEXT("Referred-By"),
	[SIP_H_REPLACES] = TEXT("Replaces"),
	[SIP_H_REQUIRE] = TEXT("Require"),
	[SIP_H_RETRY_AFTER] = TEXT("Retry-After"),
	[SIP_H_ROUTE] = TEXT("Route"),
	[SIP_H_RSEQ] = TEXT("RSeq"),
	[SIP_H_RACK] = TEXT("RAck"),
	[SIP_H_SERVER] = TEXT("Server"),
	[SIP_H_SESSION_EXPIRES] = TEXT("Session-Expires"),
	[SIP_H_SUBSCRIPTION_STATE] = TEXT("Subscription-State"),
	[SIP_H_SUPPORTED] = TEXT("Supported"),
	[SIP_H_TO] = TEXT("To"),
	[SIP_H_UNSUPPORTED] = TEXT("Unsupported"),
	[SIP_H_USER_AGENT] = TEXT("User-Agent"),
	[SIP_H_USER_TO_USER] = TEXT("User-to-User"),
	[SIP_H_VIA] = TEXT("Via"),
	[SIP_H_WARNING] = TEXT("Warning"),
	[SIP_H_WWW_AUTHENTICATE] = TEXT("WWW-Authenticate"),
};
/* clang-format on */

const char *
sip_header_name(enum sip_header h)
{
	hf_assert((unsigned)h < SIP_H_NR);
	return headers[h].p;
}

struct hf_slice
sip_header_text(enum sip_header h)
{
	hf_assert((unsigned)h < SIP_H_NR);
	return headers[h];
}

static enum sip_header
compact(char c)
{
	switch (c | 0x20) {
	case 'b':
		return SIP_H_REFERRED_BY;
	case 'c':
		return SIP_H_CONTENT_TYPE;
	case 'e':
		return SIP_H_CONTENT_ENCODING;
	case 'f':
		return SIP_H_FROM;
	case 'i':
		return SIP_H_CALL_ID;
	case 'k':
		return SIP_H_SUPPORTED;
	case 'l':
		return SIP_H_CONTENT_LENGTH;
	case 'm':
		return SIP_H_CONTACT;
	case 'o':
		return SIP_H_EVENT;
	case 'r':
		return SIP_H_REFER_TO;
	case 't':
		return SIP_H_TO;
	case 'v':
		return SIP_H_VIA;
	case 'x':
		return SIP_H_SESSION_EXPIRES;
	default:
		return SIP_H_OTHER;
	}
}

/* By length: at most seven names to look at, told apart by their first letter
 * or, in the end, by all. */
enum sip_header
sip_header_of(struct hf_slice n)
{
#define TRY(id)                                                                \
	if (same_name(n, headers[SIP_H_##id].p, n.n))                          \
	return SIP_H_##id
	switch (n.n) {
	case 1:
		return compact(n.p[0]);
	case 2:
		TRY(TO);
		break;
	case 3:
		TRY(VIA);
		break;
	case 4:
		TRY(FROM);
		TRY(CSEQ);
		TRY(DATE);
		TRY(RSEQ);
		TRY(RACK);
		break;
	case 5:
		TRY(ALLOW);
		TRY(ROUTE);
		TRY(EVENT);
		break;
	case 6:
		TRY(ACCEPT);
		TRY(REASON);
		TRY(SERVER);
		break;
	case 7:
		TRY(CALL_ID);
		TRY(CONTACT);
		TRY(EXPIRES);
		TRY(PRIVACY);
		TRY(REQUIRE);
		TRY(WARNING);
		break;
	case 8:
		TRY(REFER_TO);
		TRY(REPLACES);
		break;
	case 9:
		TRY(SUPPORTED);
		TRY(DIVERSION);
		break;
	case 10:
		TRY(USER_AGENT);
		break;
	case 11:
		TRY(MIN_EXPIRES);
		TRY(REFERRED_BY);
		TRY(RETRY_AFTER);
		TRY(UNSUPPORTED);
		break;
	case 12:
		TRY(MAX_FORWARDS);
		TRY(CONTENT_TYPE);
		TRY(RECORD_ROUTE);
		TRY(HISTORY_INFO);
		TRY(USER_TO_USER);
		break;
	case 13:
		TRY(AUTHORIZATION);
		TRY(PROXY_REQUIRE);
		break;
	case 14:
		TRY(CONTENT_LENGTH);
		break;
	case 15:
		TRY(SESSION_EXPIRES);
		break;
	case 16:
		TRY(WWW_AUTHENTICATE);
		TRY(CONTENT_ENCODING);
		break;
	case 18:
		TRY(SUBSCRIPTION_STATE);
		TRY(PROXY_AUTHENTICATE);
		break;
	case 19:
		TRY(P_ASSERTED_IDENTITY);
		TRY(PROXY_AUTHORIZATION);
		TRY(CONTENT_DISPOSITION);
		break;
	default:
		break;
	}
#undef TRY
	return SIP_H_OTHER;
}

static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{ 100, "Trying" },
	{ 180, "Ringing" },
	{ 181, "Call Is Being Forwarded" },
	{ 182, "Queued" },
	{ 183, "Session Progress" },
	{ 199, "Early Dialog Terminated" },
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Notification" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Moved Temporarily" },
	{ 305, "Use Proxy" },
	{ 380, "Alternative Service" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 410, "Gone" },
	{ 412, "Conditional Request Failed" },
	{ 413, "Request Entity Too Large" },
	{ 414, "Request-URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 421, "Extension Required" },
	{ 422, "Session Interval Too Small" },
	{ 423, "Interval Too Brief" },
	{ 428, "Use Identity Header" },
	{ 429, "Provide Referrer Identity" },
	{ 433, "Anonymity Disallowed" },
	{ 439, "First Hop Lacks Outbound Support" },
	{ 480, "Temporarily Unavailable" },
	{ 469, "Bad Info Package" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 483, "Too Many Hops" },
	{ 484, "Address Incomplete" },
	{ 485, "Ambiguous" },
	{ 486, "Busy Here" },
	{ 487, "Request Terminated" },
	{ 488, "Not Acceptable Here" },
	{ 489, "Bad Event" },
	{ 491, "Request Pending" },
	{ 493, "Undecipherable" },
	{ 494, "Security Agreement Required" },
	{ 500, "Server Internal Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Server Time-out" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
	{ 580, "Precondition Failure" },
	{ 600, "Busy Everywhere" },
	{ 603, "Decline" },
	{ 604, "Does Not Exist Anywhere" },
	{ 606, "Not Acceptable" },
	{ 607, "Unwanted" },
	{ 608, "Rejected" },
};

const char *
sip_reason(uint16_t status)
{
	static const char *const classes[] = {
		"Unknown",
		"Session Progress",
		"Accepted",
		"Redirection",
		"Bad Request",
		"Server Failure",
		"Global Failure",
	};
	unsigned class = status / 100;

	for (size_t i = 0; i < HF_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return classes[class < HF_LEN(classes) ? class : 0];
}
