#include "console.h"
#include "quiz.h"

/* The first press asks, the second shows the answer, the third asks anew. */
void console_quiz_key(struct console *console)
{
	if (console->scene.quiz && !console->quiz.revealed) {
		console->quiz.revealed = true;
		return;
	}
	if (quiz_make(console->travel, console->quiz_seed++, &console->quiz))
		console->scene.quiz = &console->quiz;
	else
		console_say(console, "nothing to ask here: too little is left of the history");
}

bool console_quiz_answer(struct console *console, unsigned answer)
{
	struct quiz *quiz = &console->quiz;
	if (!console->scene.quiz || quiz->revealed || answer < 1 || answer > quiz->count)
		return false;
	quiz->chosen = (int)answer - 1;
	quiz->revealed = true;
	return true;
}

void console_quiz_end(struct console *console)
{
	console->scene.quiz = NULL;
}
