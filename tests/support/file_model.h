/* A file that several processes write, map, shorten and lengthen at random, against a flat array. What is looked at is
 * the first word of each half page. */
#ifndef FAULTLINE_FILE_MODEL_H
#define FAULTLINE_FILE_MODEL_H

#include "faultline/rng.h"
#include "rig.h"

enum { FILE_MODEL_PAGES = 250, FILE_MODEL_HALVES = 2 * FILE_MODEL_PAGES };
#define FILE_MODEL_SHARED ((uint64_t)0x30000000)
#define FILE_MODEL_PRIVATE ((uint64_t)0x38000000)

struct file_model {
	struct rig *rig;
	struct rng *rng;
	uint64_t bytes;
	uint64_t word[FILE_MODEL_HALVES];
};

/* What one process has of it besides: a descriptor, and the pages that it wrote to privately. */
struct file_view {
	uint64_t descriptor;
	bool copied[FILE_MODEL_PAGES];
	uint64_t word[FILE_MODEL_HALVES];
};

/* Makes the file on the disk; the kernel has booted. */
void file_model_init(struct file_model *model, struct rig *rig, struct rng *rng);
/* The current process opens and maps it. `scratch` is memory that it may write to, a page of zeroes, and is again. */
void file_model_open(struct file_model *model, struct file_view *view, uint64_t scratch);
/* One random step of the current process. Of `buffer`, a page of its own, the first word is *word and the others are
 * 0; it may be written to. True: the file became shorter, and all views must forget copies. */
bool file_model_step(struct file_model *model, struct file_view *view, uint64_t buffer, uint64_t *word);
void file_model_forget_copies(const struct file_model *model, struct file_view *view);
/* Everything that can be seen is as it should be. */
void file_model_check(const struct file_model *model, const struct file_view *view);

#endif
