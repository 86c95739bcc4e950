/* Any bytes as a workload document: refused with a message that says where, or accepted, never a crash. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *document = NULL;
	struct error error;
	enum status status = document_parse((const char *)data, size, "input", &document, &error);
	bool located = strncmp(error.text, "input:", 6) == 0;
	if (status == STATUS_OK ? document == NULL : (document != NULL || !located))
		abort();
	document_free(document);
	return 0;
}
