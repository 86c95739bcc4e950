#include "faultline/bell.h"

#include <fcntl.h>
#include <unistd.h>

bool bell_open(struct bell *bell)
{
	int ends[2];
	*bell = (struct bell){-1, -1};
	if (pipe(ends) != 0)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
	}
	*bell = (struct bell){ends[0], ends[1]};
	return true;
}

void bell_close(struct bell *bell)
{
	if (bell->hear >= 0)
		(void)close(bell->hear);
	if (bell->pull >= 0)
		(void)close(bell->pull);
	*bell = (struct bell){-1, -1};
}

void bell_ring(const struct bell *bell)
{
	(void)!write(bell->pull, "", 1);
}

void bell_silence(const struct bell *bell)
{
	char byte;
	while (read(bell->hear, &byte, 1) == 1)
		continue;
}
