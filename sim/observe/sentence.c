#include "sentence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faultline/phrase.h"
#include "faultline/status.h"
#include "faultline/syscall.h"

/* ---- building ---- */

static void add(struct sentence *sentence, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct sentence *sentence, const char *format, ...)
{
	size_t room = sizeof(sentence->text) - sentence->used;
	va_list args;
	va_start(args, format);
	int length = vsnprintf(sentence->text + sentence->used, room, format, args);
	va_end(args);
	sentence->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* Takes back the ", " before an argument that does not count. */
static void drop_separator(struct sentence *sentence)
{
	if (sentence->used >= 2 && strcmp(sentence->text + sentence->used - 2, ", ") == 0)
		sentence->used -= 2;
	sentence->text[sentence->used] = '\0';
}

/* ---- arguments of calls: how many count, and what each is ----
 * a address, s size, d number, p protection, f flags of mmap, r flags of mremap, v advice of madvise */

struct call {
	const char *name;
	const char *arguments;
};

static const struct call libc_calls[] = {
    {"malloc", "s"},
    {"calloc", "ds"},
    {"realloc", "as"},
    {"free", "a"},
    {"aligned_alloc", "ds"},
    {"mallopt", "dd"},
    {"malloc_usable_size", "a"},
    {"malloc_trim", "s"},
    {NULL, "aa"},
};

static const struct call system_calls[] = {
    {"brk", "a"},     {"mmap", "aspf"}, {"munmap", "as"}, {"mprotect", "asp"}, {"mremap", "assr"}, {"madvise", "asv"},
    {"write", "das"}, {"getpid", ""},   {"exit", "d"},    {"tgkill", "ddd"},   {NULL, "aaaa"},
};

static const char *arguments_of(const struct call *calls, const char *name)
{
	while (calls->name && strcmp(calls->name, name) != 0)
		calls++;
	return calls->arguments;
}

struct flag {
	const char *name;
	uint64_t bit;
};

static const struct flag protections[] = {
    {"PROT_READ", LINUX_PROT_READ}, {"PROT_WRITE", LINUX_PROT_WRITE}, {"PROT_EXEC", LINUX_PROT_EXEC}, {NULL, 0}};
static const struct flag map_flags[] = {{"MAP_SHARED", LINUX_MAP_SHARED},
					{"MAP_PRIVATE", LINUX_MAP_PRIVATE},
					{"MAP_FIXED", LINUX_MAP_FIXED},
					{"MAP_ANONYMOUS", LINUX_MAP_ANONYMOUS},
					{"MAP_NORESERVE", LINUX_MAP_NORESERVE},
					{"MAP_POPULATE", LINUX_MAP_POPULATE},
					{"MAP_HUGETLB", LINUX_MAP_HUGETLB},
					{"MAP_HUGE_2MB", LINUX_MAP_HUGE_2MB},
					{"MAP_HUGE_1GB", LINUX_MAP_HUGE_1GB},
					{"MAP_FIXED_NOREPLACE", LINUX_MAP_FIXED_NOREPLACE},
					{NULL, 0}};
static const struct flag mremap_flags[] = {
    {"MREMAP_MAYMOVE", LINUX_MREMAP_MAYMOVE}, {"MREMAP_FIXED", LINUX_MREMAP_FIXED}, {NULL, 0}};

static void add_flags(struct sentence *sentence, const struct flag *flags, uint64_t value)
{
	const char *separator = "";
	for (; flags->name; flags++) {
		if ((value & flags->bit) != flags->bit)
			continue;
		add(sentence, "%s%s", separator, flags->name);
		separator = "|";
		value &= ~flags->bit;
	}
	if (value || !separator[0])
		add(sentence, "%s%s%" PRIx64, separator, value ? "0x" : "", value);
}

static void add_argument(struct sentence *sentence, char what, uint64_t value)
{
	switch (what) {
	case 's':
	case 'd':
		add(sentence, "%" PRIu64, value);
		break;
	case 'p':
		if (value)
			add_flags(sentence, protections, value);
		else
			add(sentence, "PROT_NONE");
		break;
	case 'f':
		add_flags(sentence, map_flags, value);
		break;
	case 'r':
		add_flags(sentence, mremap_flags, value);
		break;
	case 'v':
		if (value == LINUX_MADV_DONTNEED)
			add(sentence, "MADV_DONTNEED");
		else
			add(sentence, "%" PRIu64, value);
		break;
	default:
		add(sentence, "0x%" PRIx64, value);
	}
}

/* True when the field is an argument of a call; then it has been dealt with. */
static bool add_call_argument(struct sentence *sentence, const struct event *event, unsigned index)
{
	const struct call *calls = event->kind == EVENT_LIBC_CALL ? libc_calls
				   : event->kind == EVENT_SYSCALL ? system_calls
								  : NULL;
	if (!calls || index == 0)
		return false;
	const char *arguments = arguments_of(calls, event_arg_text(event, 0));
	if (index <= strlen(arguments))
		add_argument(sentence, arguments[index - 1], event->arg[index]);
	else
		drop_separator(sentence);
	return true;
}

/* ---- values ---- */

/* The name that a VMA without one has in sentences. */
static const char *text_of(const struct event *event, unsigned index)
{
	const char *text = event_arg_text(event, index);
	bool area = event->kind == EVENT_VMA_ADD || event->kind == EVENT_VMA_CHANGE || event->kind == EVENT_VMA_REMOVE;
	return area && !text[0] ? "anonymous" : text;
}

/* Whatever a document has put into a text, it shows no control characters. */
static void add_text(struct sentence *sentence, const char *text)
{
	for (; *text; text++)
		add(sentence, "%c", (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
}

static void add_hex(struct sentence *sentence, const struct event *event, const char *name, unsigned index)
{
	uint64_t value = event->arg[index];
	bool entry = event->kind == EVENT_PTE_SET || event->kind == EVENT_PTE_CLEAR || event->kind == EVENT_WALK;
	if (event->kind == EVENT_LIBC_SEARCH && value == 0)
		add(sentence, "nothing");
	else if (value == UINT64_MAX)
		add(sentence, "-1");
	else
		add(sentence, "0x%" PRIx64, value);
	if (entry && strcmp(name, "entry") == 0) {
		/* A walk does not say where it ended; an entry with bit 7 set is taken for a large page. */
		unsigned level = event->kind == EVENT_WALK ? 2 : (unsigned)event->arg[2];
		add(sentence, " (%s)", phrase_entry((struct pte){value}, level).text);
	}
	if (event->kind == EVENT_EXCEPTION && strcmp(name, "error") == 0 &&
	    strcmp(event_arg_text(event, 0), "#PF") == 0)
		add(sentence, " (%s)", phrase_fault_code((uint32_t)value).text);
}

static void add_field(struct sentence *sentence, const struct event_fields *fields, const struct event *event,
		      unsigned index)
{
	const struct event_field *field = &fields->field[event->kind][index];
	if (add_call_argument(sentence, event, index))
		return;
	switch (field->type) {
	case FIELD_HEX:
		add_hex(sentence, event, field->name, index);
		break;
	case FIELD_PFN:
		add(sentence, "0x%" PRIx64, event->arg[index]);
		break;
	case FIELD_DEC:
		add(sentence, "%" PRIu64, event->arg[index]);
		break;
	case FIELD_BYTES:
		add(sentence, "%s", phrase_size(event->arg[index]).text);
		break;
	case FIELD_RESULT:
		add(sentence, "%s", phrase_result(event->arg[index]).text);
		break;
	case FIELD_TEXT:
		add_text(sentence, text_of(event, index));
		break;
	case FIELD_TYPE_COUNT:
		BUG();
	}
}

static const char *exception_template(const struct event *event)
{
	const char *name = event_arg_text(event, 0);
	if (strcmp(name, "#PF") == 0)
		return event_info(EVENT_EXCEPTION)->sentence;
	return strcmp(name, "INT") == 0 ? "an interrupt at RIP {rip}" : "{name}, error code {error}, at RIP {rip}";
}

/* Of the places where a libc searches, glibc's bins are numbered. */
static bool has_bins(const char *where)
{
	static const char *const numbered[] = {"tcache", "fastbin", "small bin", "large bin", "larger bins"};
	for (unsigned i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		if (strcmp(where, numbered[i]) == 0)
			return true;
	}
	return false;
}

/* Only an access can have been one to address 0. */
static bool has_address(const struct event *signal)
{
	return signal->arg[1] != 0 || strcmp(event_arg_text(signal, 0), "SIGSEGV") == 0;
}

/* The sentence of the event, without what it does not have: a result, an address, a process that maps the page. */
static const char *template_of(const struct event *event)
{
	bool zero = event->arg[1] == 0;
	bool foreign = event_subject(event) != event->pid;
	if (event->kind == EVENT_PTE_SET && foreign)
		return "writes the level-{level} entry {entry} for {va} of process {of}";
	if (event->kind == EVENT_PTE_CLEAR && foreign)
		return "clears the level-{level} entry for {va} of process {of}; it was {entry}";
	if (event->kind == EVENT_SIGNAL && !has_address(event))
		return "signal {name}: {why}";
	if (event->kind == EVENT_EVICT && event->arg[2] == 0)
		return "frame {frame} ({use}), which nobody maps, is taken away: {how}";
	if (event->kind == EVENT_SWAP_OUT && event->arg[2] == 0)
		return "frame {frame}, a page that nobody maps, is written to swap slot {slot}";
	if (event->kind == EVENT_OP_END && zero)
		return "{op} is done";
	if (event->kind == EVENT_TLB_FLUSH && zero)
		return "{how} drops TLB entries";
	if (event->kind == EVENT_LIBC_RETURN && strcmp(event_arg_text(event, 0), "free") == 0)
		return "{function} returns";
	if (event->kind == EVENT_EXCEPTION)
		return exception_template(event);
	if (event->kind == EVENT_LIBC_SEARCH && !has_bins(event_arg_text(event, 0)))
		return "looks in {where} for {need}: {found}";
	return event_info((enum event_kind)event->kind)->sentence;
}

/* "1 entries" */
static const char *add_singular(struct sentence *sentence, const char *at)
{
	static const struct {
		const char *plural, *singular;
	} nouns[] = {{" entries", " entry"}, {" words are", " word is"}, {" words", " word"}, {" pages", " page"}};
	for (unsigned i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++) {
		size_t length = strlen(nouns[i].plural);
		if (strncmp(at, nouns[i].plural, length) == 0) {
			add(sentence, "%s", nouns[i].singular);
			return at + length;
		}
	}
	return at;
}

void sentence_make(struct sentence *sentence, const struct event_fields *fields, const struct event *event)
{
	sentence_fill(sentence, fields, event, template_of(event));
}

void sentence_fill(struct sentence *sentence, const struct event_fields *fields, const struct event *event,
		   const char *template)
{
	const char *at = template;
	sentence->used = 0;
	sentence->text[0] = '\0';
	while (*at) {
		size_t plain = strcspn(at, "{");
		add(sentence, "%.*s", (int)plain, at);
		at += plain;
		if (!*at)
			break;
		size_t name = strcspn(at + 1, "}");
		unsigned index;
		bool found = event_fields_find(fields, (enum event_kind)event->kind, at + 1, name, &index);
		BUG_ON(!found);
		add_field(sentence, fields, event, index);
		at += name + 2;
		if (event->arg[index] == 1)
			at = add_singular(sentence, at);
	}
	/* Of a last field that is empty a blank remains. */
	while (sentence->used && sentence->text[sentence->used - 1] == ' ')
		sentence->text[--sentence->used] = '\0';
}
