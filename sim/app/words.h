/* Misspelt words: the nearest of a list. */
#ifndef FAULTLINE_APP_WORDS_H
#define FAULTLINE_APP_WORDS_H

/* The word of the list that is fewest edits (insert, delete, replace) away from `word`; NULL when more than a third of
 * it, and more than two letters, would have to change. */
const char *nearest_word(const char *word, const char *const *words, unsigned count);

#endif
