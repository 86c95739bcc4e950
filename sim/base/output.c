#define _GNU_SOURCE /* O_TMPFILE */
#include "faultline/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status fail(const char *path, const char *what, struct error *error)
{
	return error_set(error, STATUS_HOST, "%s: cannot be %s: %s", strcmp(path, "-") == 0 ? "standard output" : path,
			 what, strerror(errno));
}

/* The folder that will hold the target: a symbolic link is followed, so that the link stays and its target changes. */
static void resolve(const char *path, char target[PATH_MAX], char folder[PATH_MAX])
{
	if (!realpath(path, target))
		(void)snprintf(target, PATH_MAX, "%s", path);
	(void)snprintf(folder, PATH_MAX, "%s", target);
	char *slash = strrchr(folder, '/');
	if (!slash)
		(void)snprintf(folder, PATH_MAX, ".");
	else
		slash[slash == folder] = '\0';
}

static FILE *open_nameless(const char *path)
{
#ifdef O_TMPFILE
	char target[PATH_MAX];
	char folder[PATH_MAX];
	resolve(path, target, folder);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (fd >= 0)
		return fdopen(fd, "w+");
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
		return NULL;
	/* ENOENT and EISDIR also mean a kernel or file system without O_TMPFILE, open(2). */
	if (access(folder, W_OK) != 0)
		return NULL;
#else
	(void)path;
#endif
	return tmpfile();
}

enum status output_open(struct output *output, const char *path, struct error *error)
{
	struct stat found;
	*output = (struct output){.path = path};
	if (strcmp(path, "-") == 0) {
		output->file = stdout;
		return STATUS_OK;
	}
	output->nameless = stat(path, &found) != 0 || S_ISREG(found.st_mode);
	if (output->nameless && access(path, F_OK) == 0 && access(path, W_OK) != 0)
		output->file = NULL;
	else
		output->file = output->nameless ? open_nameless(path) : fopen(path, "we");
	if (output->file)
		return STATUS_OK;
	output->path = NULL;
	return fail(path, "written", error);
}

/* Copies from the start of one open file to another. */
static bool copy_all(int from, int to)
{
	char block[65536];
	ssize_t got;
	if (lseek(from, 0, SEEK_SET) != 0)
		return false;
	while ((got = read(from, block, sizeof(block))) > 0) {
		for (ssize_t done = 0; done < got;) {
			ssize_t put = write(to, block + done, (size_t)(got - done));
			if (put < 0)
				return false;
			done += put;
		}
	}
	return got == 0;
}

/* A name beside the target. A link to the nameless file costs nothing; where that cannot be, its content is copied. */
static bool name_beside(int fd, const char *folder, char beside[PATH_MAX])
{
	char self[64];
	if (snprintf(beside, PATH_MAX, "%s/.faultline-XXXXXX", folder) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	int placeholder = mkostemp(beside, O_CLOEXEC);
	if (placeholder < 0)
		return false;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	(void)unlink(beside);
	bool done = linkat(AT_FDCWD, self, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) == 0;
	if (!done) {
		(void)close(placeholder);
		placeholder = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		done = placeholder >= 0 && copy_all(fd, placeholder);
	}
	int why = errno;
	if (placeholder >= 0 && close(placeholder) != 0)
		done = false;
	if (!done)
		(void)unlink(beside);
	errno = why;
	return done;
}

static bool give_name(const struct output *output)
{
	char target[PATH_MAX];
	char folder[PATH_MAX];
	char beside[PATH_MAX];
	struct stat before;
	resolve(output->path, target, folder);
	if (!name_beside(fileno(output->file), folder, beside))
		return false;
	if (stat(target, &before) == 0)
		(void)chmod(beside, before.st_mode & 07777);
	if (rename(beside, target) == 0)
		return true;
	int why = errno;
	(void)unlink(beside);
	errno = why;
	return false;
}

enum status output_commit(struct output *output, struct error *error)
{
	enum status status = STATUS_OK;
	sigset_t all;
	sigset_t before;
	if (!output->path)
		return STATUS_OK;
	if (fflush(output->file) != 0 || ferror(output->file))
		status = fail(output->path, "written", error);
	/* Between the two names no signal may end the program. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	if (status == STATUS_OK && output->nameless && !give_name(output))
		status = fail(output->path, "written", error);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (output->file != stdout && fclose(output->file) != 0 && status == STATUS_OK)
		status = fail(output->path, "closed", error);
	*output = (struct output){0};
	return status;
}

void output_discard(struct output *output)
{
	if (output->path && output->file != stdout)
		(void)fclose(output->file);
	*output = (struct output){0};
}
