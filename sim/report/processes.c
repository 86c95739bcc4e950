#include "processes.h"

const char *report_state_name(enum world_state state)
{
	static const char *const names[] = {
	    [WORLD_RUNNING] = "running",
	    [WORLD_FINISHED] = "finished",
	    [WORLD_EXITED] = "exited",
	    [WORLD_KILLED] = "killed",
	};
	return names[state];
}
