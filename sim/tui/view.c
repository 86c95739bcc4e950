#include "view.h"

const struct view *const views[PANEL_COUNT] = {
#define X(id, digit, name, title, text) [PANEL_##id] = &view_##name,
    PANEL_LIST(X)
#undef X
};

const char *panel_title(enum panel panel)
{
	static const char *const titles[PANEL_COUNT] = {
#define X(id, digit, name, title, text) title,
	    PANEL_LIST(X)
#undef X
	};
	return titles[panel];
}

const char *panel_name(enum panel panel)
{
	static const char *const names[PANEL_COUNT] = {
#define X(id, digit, name, title, text) #name,
	    PANEL_LIST(X)
#undef X
	};
	return names[panel];
}

int panel_digit(enum panel panel)
{
	static const int digits[PANEL_COUNT] = {
#define X(id, digit, name, title, text) (digit),
	    PANEL_LIST(X)
#undef X
	};
	return digits[panel];
}
