/* "files" of a document: what lies on the disk before anything runs. */
#include <string.h>

#include "document_private.h"
#include "loader.h"
#include "value.h"

static bool read_name(struct loader *loader, const cJSON *node, const cJSON *name, struct file_spec *file)
{
	if (!name)
		return loader_fail(loader, node, LOADER_VALUE,
				   "a file lacks the key \"name\": add the path by which programs open it");
	loader_enter_key(loader, "name");
	if (!loader_text(loader, name, &file->path))
		return false;
	if (strlen(file->path) > DOCUMENT_LONGEST_PATH)
		return loader_fail(loader, name, LOADER_VALUE, "the name of a file has at most %d bytes",
				   DOCUMENT_LONGEST_PATH);
	for (unsigned i = 0; i < loader->document->file_count; i++) {
		if (strcmp(loader->document->files[i].path, file->path) == 0)
			return loader_fail(loader, name, LOADER_VALUE,
					   "two files are called \"%s\": give this one another name",
					   quoted(file->path).text);
	}
	loader_leave(loader);
	return true;
}

static bool read_size(struct loader *loader, const cJSON *node, const cJSON *size, struct file_spec *file)
{
	struct why why;
	int64_t number = 0;
	size_t length = 0;
	if (!size)
		return loader_fail(loader, node, LOADER_VALUE, "a file lacks the key \"size\": add its bytes");
	loader_enter_key(loader, "size");
	if (cJSON_IsString(size)) {
		if (!value_size(size->valuestring, strlen(size->valuestring), &file->bytes, &why))
			return loader_fail(loader, size, LOADER_VALUE, "%s", why.text);
	} else {
		const char *literal = json_source_number(&loader->source, size, &length);
		if (!cJSON_IsNumber(size) || !value_whole(literal, length, &number, &why) || number < 0)
			return loader_fail(loader, size, LOADER_VALUE, "\"size\" cannot be %s; allowed is %s",
					   loader_found(loader, size).text, "a number of bytes, or \"4KiB\"");
		file->bytes = (uint64_t)number;
	}
	if (file->bytes > DOCUMENT_MOST_FILE_BYTES)
		return loader_fail(loader, size, LOADER_VALUE, "a file has at most 4GiB, found %s",
				   loader_found(loader, size).text);
	loader_leave(loader);
	return true;
}

static bool read_content(struct loader *loader, const cJSON *node, struct file_spec *file)
{
	loader_enter_key(loader, "content");
	const char *word = cJSON_IsString(node) ? node->valuestring : "";
	const char *contents[FILE_CONTENT_COUNT];
	unsigned i = 0;
	for (unsigned k = 0; k < FILE_CONTENT_COUNT; k++)
		contents[k] = file_content_name((enum file_content)k);
	while (i < FILE_CONTENT_COUNT && strcmp(contents[i], word) != 0)
		i++;
	if (i == FILE_CONTENT_COUNT)
		return loader_fail(loader, node, LOADER_VALUE,
				   "a file holds zeroes or offsets, found %s; did you mean "
				   "\"%s\"?",
				   loader_found(loader, node).text,
				   contents[nearest_name(word, contents, FILE_CONTENT_COUNT)]);
	file->content = (enum file_content)i;
	loader_leave(loader);
	return true;
}

static bool read_file(struct loader *loader, const cJSON *node, struct file_spec *file)
{
	enum { NAME, SIZE, CONTENT, KEYS };
	static const char *const names[KEYS] = {"name", "size", "content"};
	const cJSON *members[KEYS];
	return loader_members(loader, node, "a file", names, KEYS, members) &&
	       read_name(loader, node, members[NAME], file) && read_size(loader, node, members[SIZE], file) &&
	       (!members[CONTENT] || read_content(loader, members[CONTENT], file));
}

bool loader_files(struct loader *loader, const cJSON *list)
{
	loader_enter_key(loader, "files");
	int count = cJSON_GetArraySize(list);
	if (!cJSON_IsArray(list) || count > DOCUMENT_MAX_FILES)
		return loader_fail(
		    loader, list, LOADER_VALUE, "files are a list of at most %d objects with name and size, found %s%s",
		    DOCUMENT_MAX_FILES, loader_found(loader, list).text, cJSON_IsArray(list) ? " with more" : "");
	struct file_spec *files = arena_new_array(loader->arena, struct file_spec, (size_t)count + 1);
	loader->document->files = files;
	for (const cJSON *node = list->child; node; node = node->next) {
		loader_enter_index(loader, loader->document->file_count);
		if (!read_file(loader, node, &files[loader->document->file_count]))
			return false;
		loader->document->file_count++;
		loader_leave(loader);
	}
	loader_leave(loader);
	return true;
}
