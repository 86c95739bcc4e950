/* Any bytes as an op list: refused with the line, or read to the end, never a crash. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t operations = 0;
	struct error error;
	enum status status = document_check_op_list_text((const char *)data, size, "input", &operations, &error);
	if (status != STATUS_OK && strncmp(error.text, "input:", 6) != 0)
		abort();
	return 0;
}
