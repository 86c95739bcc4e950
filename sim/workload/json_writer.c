#include "json_writer.h"

#include <string.h>

void json_put(struct json_writer *writer, const char *text)
{
	writer->good = writer->good && writer->write(writer->self, text, strlen(text));
}

/* A JSON text. Patterns hold backslashes. */
void json_quoted(struct json_writer *writer, const char *text)
{
	json_put(writer, "\"");
	for (; *text; text++) {
		const char one[2] = {*text, '\0'};
		json_put(writer, *text == '\\' ? "\\\\" : *text == '"' ? "\\\"" : one);
	}
	json_put(writer, "\"");
}

void json_item(struct json_writer *writer)
{
	json_put(writer, writer->first ? "\n" : ",\n");
	for (unsigned i = 0; i < writer->depth; i++)
		json_put(writer, "\t");
	writer->first = false;
}

void json_key(struct json_writer *writer, const char *key)
{
	json_item(writer);
	json_quoted(writer, key);
	json_put(writer, ": ");
}

void json_open(struct json_writer *writer, const char *bracket)
{
	json_put(writer, bracket);
	writer->depth++;
	writer->first = true;
}

void json_close(struct json_writer *writer, const char *bracket)
{
	writer->depth--;
	if (!writer->first) {
		json_put(writer, "\n");
		for (unsigned i = 0; i < writer->depth; i++)
			json_put(writer, "\t");
	}
	json_put(writer, bracket);
	writer->first = false;
}

void json_text(struct json_writer *writer, const char *key, const char *text)
{
	json_key(writer, key);
	json_quoted(writer, text);
}

void json_raw(struct json_writer *writer, const char *key, const char *json)
{
	json_key(writer, key);
	json_put(writer, json);
}
