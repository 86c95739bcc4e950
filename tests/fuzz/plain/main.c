/* Sends files, and all files in folders, through a libFuzzer harness once each: the seeds as a regression test for
 * compilers without libFuzzer. Exits 1 when there is nothing to send. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_BYTES = 4096, INPUT_BYTES = 1 << 20 };

/* Copied to a block of its exact size, so that a sanitizer sees a read past the end. */
static void send(const char *path, FILE *file)
{
	static uint8_t buffer[INPUT_BYTES];
	size_t size = fread(buffer, 1, sizeof(buffer), file);
	uint8_t *exact = malloc(size + (size == 0));

	if (exact == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		exact[i] = buffer[i];
	printf("%s: %zu bytes\n", path, size);
	fflush(stdout);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static unsigned send_file(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	send(path, file);
	fclose(file);
	return 1;
}

static unsigned send_all(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	unsigned sent = 0;

	if (folder == NULL)
		return send_file(path);
	while ((entry = readdir(folder)) != NULL) {
		char inner[PATH_BYTES];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		sent += send_all(inner);
	}
	closedir(folder);
	return sent;
}

int main(int argc, char **argv)
{
	unsigned sent = 0;

	for (int i = 1; i < argc; i++)
		sent += send_all(argv[i]);
	printf("%u inputs\n", sent);
	return sent == 0;
}
