#include "result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum status result_cannot_write(const char *path, struct error *error)
{
	const char *mend = errno == ENOSPC || errno == EDQUOT
			       ? "; what was finished is safe: make room, then give the same command with --resume"
			       : "";
	return error_set(error, STATUS_HOST, "%s: cannot be written: %s%s", path, strerror(errno), mend);
}

enum status result_file_open(struct result_file *out, const char *folder, const char *name, struct error *error)
{
	int length = snprintf(out->path, sizeof(out->path), "%s/%s", folder, name);
	out->file = NULL;
	if (length >= (int)sizeof(out->path))
		return error_set(error, STATUS_HOST, "%s: the path is too long", folder);
	(void)snprintf(out->part, sizeof(out->part), "%s.part", out->path);
	out->file = fopen(out->part, "we");
	return out->file ? STATUS_OK : result_cannot_write(out->path, error);
}

enum status result_file_commit(struct result_file *file, struct error *error)
{
	enum status status = STATUS_OK;
	errno = 0;
	if (fflush(file->file) != 0 || ferror(file->file) || fsync(fileno(file->file)) != 0)
		status = result_cannot_write(file->path, error);
	if (fclose(file->file) != 0 && status == STATUS_OK)
		status = result_cannot_write(file->path, error);
	file->file = NULL;
	if (status == STATUS_OK && rename(file->part, file->path) != 0)
		status = result_cannot_write(file->path, error);
	if (status != STATUS_OK)
		(void)unlink(file->part);
	return status;
}

void result_file_discard(struct result_file *file)
{
	if (!file->file)
		return;
	(void)fclose(file->file);
	(void)unlink(file->part);
	file->file = NULL;
}

enum status result_open_alone(const char *path, int *fd, uint64_t *bytes, struct error *error)
{
	enum status status = STATUS_OK;
	struct stat found = {0};
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (*fd < 0)
		return result_cannot_write(path, error);
	/* Where a file system has no locks, we trust the user. */
	if (flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		status = error_set(error, STATUS_BAD_INPUT,
				   "%s: another batch is writing it: wait for it, or name another folder", path);
	else if (fstat(*fd, &found) != 0)
		status = result_cannot_write(path, error);
	*bytes = (uint64_t)found.st_size;
	if (status != STATUS_OK) {
		(void)close(*fd);
		*fd = -1;
	}
	return status;
}

bool result_has_file(const char *folder, const char *name)
{
	char path[PATH_MAX];
	return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) && access(path, F_OK) == 0;
}

enum status result_folder_make(const char *folder, struct error *error)
{
	struct stat found;
	if (mkdir(folder, 0777) == 0 || (errno == EEXIST && stat(folder, &found) == 0 && S_ISDIR(found.st_mode)))
		return STATUS_OK;
	return error_set(error, STATUS_HOST, "%s: cannot be made a folder: %s", folder, strerror(errno));
}

void result_folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

void put_json_text(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}
