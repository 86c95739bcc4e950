/* Documents in one line. */
#ifndef FAULTLINE_TEST_DOCUMENT_H
#define FAULTLINE_TEST_DOCUMENT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "faultline/document.h"

/* The whole document. */
static inline struct document *parse(const char *text)
{
	struct document *document = NULL;
	struct error error;
	if (document_parse(text, strlen(text), "test.json", &document, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	return document;
}

/* Around a list of operations. */
static inline struct document *parse_script(const char *ops)
{
	char text[8192];
	(void)snprintf(text, sizeof(text), "{\"faultline\": 1, \"script\": [%s]}", ops);
	return parse(text);
}

/* The message of a document that is refused. */
static inline struct error refuse(const char *text, size_t length)
{
	struct document *document = NULL;
	struct error error;
	assert_int_equal(document_parse(text, length, "test.json", &document, &error), STATUS_BAD_INPUT);
	assert_null(document);
	return error;
}

static inline struct error refuse_script(const char *ops)
{
	char text[8192];
	int length = snprintf(text, sizeof(text), "{\"faultline\": 1, \"script\": [%s]}", ops);
	return refuse(text, (size_t)length);
}

static inline void assert_mentions(struct error error, const char *part)
{
	if (!strstr(error.text, part))
		fail_msg("\"%s\" does not mention \"%s\"", error.text, part);
}

#endif
