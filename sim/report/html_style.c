/* Style and script of an HTML report. The colours of Okabe and Ito ("Color Universal Design") can be told apart by
 * everybody; lines have dashes of their own, and every series meets its name in legend, tooltip and table, too. */
#include "html_style.h"

static const struct {
	const char *light, *dark, *dashes;
} colours[] = {{"#0072b2", "#56b4e9", "none"},     {"#d55e00", "#ff8c42", "9 3"}, {"#009e73", "#2fd6a3", "2 3"},
	       {"#cc79a7", "#f0a6cf", "12 3 2 3"}, {"#8a6d00", "#f0e442", "5 5"}, {"#56b4e9", "#0090e0", "none"},
	       {"#e69f00", "#e69f00", "9 3"},      {"#555555", "#bbbbbb", "2 3"}, {"#7b3294", "#c79be0", "12 3 2 3"},
	       {"#a6611a", "#dfc27d", "5 5"}};
enum { COLOURS = sizeof(colours) / sizeof(colours[0]) };

static const char light[] = ":root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--soft:#f3f3f6;"
			    "--rule:#c9c9d1;--muted:#55555f;";
static const char dark[] = "}\n@media (prefers-color-scheme:dark){:root{--ink:#e8e8ee;--paper:#15161a;--soft:#22242b;"
			   "--rule:#454853;--muted:#a9abb8;";

static const char *const rules[] = {
    "}}",
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}",
    "main{max-width:60rem;margin:0 auto;padding:1rem}",
    "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.25rem;margin-top:2rem}h3{font-size:1.05rem}",
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}",
    "dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}",
    ".scroll{overflow-x:auto}",
    ".scroll:focus-visible,summary:focus-visible{outline:2px solid var(--c0)}",
    "table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}",
    "caption{text-align:left;font-weight:600;padding:.3rem 0}",
    "th,td{padding:.25rem .6rem;border-bottom:1px solid var(--rule);text-align:left;white-space:nowrap}",
    "thead th{border-bottom:2px solid var(--rule)}tbody th{font-weight:400}",
    "th:first-child{position:sticky;left:0;background:var(--paper)}figure th:first-child{background:var(--soft)}",
    ".number{text-align:right;font-variant-numeric:tabular-nums}.best{font-weight:700}.star{color:var(--c2)}",
    "figure{margin:1.5rem 0;padding:.8rem;background:var(--soft);border-radius:.5rem}",
    ".unit{color:var(--muted)}summary{cursor:pointer;padding:.3rem 0}",
    "svg{display:block;width:100%;min-width:34rem;height:auto}",
    "svg text{fill:var(--ink);font:12px system-ui,sans-serif;pointer-events:none}.grid{stroke:var(--rule)}",
    ".line{fill:none;stroke-width:2}.box{stroke:none}.field{fill:var(--c0);stroke:none}",
    ".mark:hover,.box:hover,.field:hover{stroke:var(--ink);stroke-width:2}",
    ".whisker{fill:none;stroke:var(--ink);stroke-width:1.2;pointer-events:none}",
    ".strip{fill:transparent}.strip:hover{fill:var(--ink);fill-opacity:.1}",
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:.4rem 0;font-size:.9rem}",
    ".swatch{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.4rem}",
    "#tip{position:fixed;z-index:1;max-width:20rem;background:var(--ink);color:var(--paper)}",
    "#tip{padding:.2rem .5rem;border-radius:.3rem;font-size:.85rem;pointer-events:none}",
    "@media print{main{max-width:none}figure{break-inside:avoid;background:none;border:1px solid var(--rule)}",
    ".scroll{overflow:visible}svg{min-width:0}#tip{display:none}}",
};

void html_put_style(FILE *out)
{
	(void)fputs(light, out);
	for (unsigned i = 0; i < COLOURS; i++)
		(void)fprintf(out, "--c%u:%s;", i, colours[i].light);
	(void)fputs(dark, out);
	for (unsigned i = 0; i < COLOURS; i++)
		(void)fprintf(out, "--c%u:%s;", i, colours[i].dark);
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		(void)fprintf(out, "%s\n", rules[i]);
	for (unsigned i = 0; i < COLOURS; i++)
		(void)fprintf(out,
			      ".c%u{fill:var(--c%u);stroke:var(--c%u);background:var(--c%u)}"
			      ".line.c%u{fill:none;stroke-dasharray:%s}\n",
			      i, i, i, i, i, colours[i].dashes);
}

/* A tooltip at once, where the browser's own takes its time; touch shows it, too. */
void html_put_script(FILE *out)
{
	(void)fputs("const tip=document.getElementById('tip');\n"
		    "document.addEventListener('pointerover',event=>{\n"
		    "const title=event.target.closest('svg *')?.querySelector(':scope > title');\n"
		    "tip.hidden=!title;if(!title)return;tip.textContent=title.textContent;\n"
		    "tip.style.left=Math.max(4,Math.min(event.clientX+12,innerWidth-tip.offsetWidth-8))+'px';\n"
		    "tip.style.top=Math.max(event.clientY-tip.offsetHeight-8,4)+'px';});\n",
		    out);
}
