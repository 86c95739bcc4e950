#include "session.h"

enum status session_open(struct session *session, const char *workload, const char *const *settings,
			 unsigned setting_count, struct error *error)
{
	*session = (struct session){0};
	enum status status = document_load(workload, &session->document, error);
	for (unsigned i = 0; i < setting_count && status == STATUS_OK; i++)
		status = document_set(session->document, settings[i], error);
	if (status == STATUS_OK)
		status = world_new(session->document, &session->world, error);
	if (status != STATUS_OK)
		session_close(session);
	return status;
}

void session_close(struct session *session)
{
	world_free(session->world);
	document_free(session->document);
	*session = (struct session){0};
}
