/* Style and script of an HTML report. The colours of Okabe and Ito ("Color Universal Design") can be told apart by
 * everybody; lines of different series meet their names in legend, tooltip and table, too. */
#ifndef FAULTLINE_REPORT_HTML_STYLE_H
#define FAULTLINE_REPORT_HTML_STYLE_H

/* X(index, light, dark) */
#define HTML_COLOUR_LIST(X)                                                                                            \
	X(0, "#0072b2", "#56b4e9")                                                                                     \
	X(1, "#d55e00", "#ff8c42")                                                                                     \
	X(2, "#009e73", "#2fd6a3")                                                                                     \
	X(3, "#cc79a7", "#f0a6cf")                                                                                     \
	X(4, "#8a6d00", "#f0e442")                                                                                     \
	X(5, "#56b4e9", "#0090e0")                                                                                     \
	X(6, "#e69f00", "#e69f00")                                                                                     \
	X(7, "#555555", "#bbbbbb")                                                                                     \
	X(8, "#7b3294", "#c79be0")                                                                                     \
	X(9, "#a6611a", "#dfc27d")

#define HTML_LIGHT(index, light, dark) "--c" #index ":" light ";"
#define HTML_DARK(index, light, dark) "--c" #index ":" dark ";"
#define HTML_CLASS(index, light, dark)                                                                                 \
	".c" #index "{fill:var(--c" #index ");stroke:var(--c" #index ");background:var(--c" #index ")}\n"

#define HTML_STYLE                                                                                                     \
	":root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--soft:#f3f3f6;--rule:#c9c9d1;"                      \
	"--muted:#55555f;" HTML_COLOUR_LIST(                                                                           \
	    HTML_LIGHT) "}\n"                                                                                          \
			"@media "                                                                                      \
			"(prefers-color-scheme:dark){:root{--ink:#e8e8ee;--paper:#15161a;--soft:#22242b;--rule:#"      \
			"454853;"                                                                                      \
			"--muted:#a9abb8;" HTML_COLOUR_LIST(                                                           \
			    HTML_DARK) "}}\n"                                                                          \
				       "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 "         \
				       "system-ui,sans-serif}\n"                                                       \
				       "main{max-width:60rem;margin:0 auto;padding:1rem}\n"                            \
				       "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.25rem;margin-top:2rem}h3{"  \
				       "font-size:1.05rem}\n"                                                          \
				       "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem "              \
				       "1rem}dt{color:var(--muted)}"                                                   \
				       "dd{margin:0;overflow-wrap:anywhere}\n"                                         \
				       ".scroll{overflow-x:auto}.scroll:focus-visible,summary:focus-visible{outline:"  \
				       "2px solid var(--c0)}\n"                                                        \
				       "table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}"                \
				       "caption{text-align:left;font-weight:600;padding:.3rem 0}\n"                    \
				       "th,td{padding:.25rem .6rem;border-bottom:1px solid "                           \
				       "var(--rule);text-align:left;white-space:nowrap}"                               \
				       "thead th{border-bottom:2px solid var(--rule)}tbody th{font-weight:400}\n"      \
				       ".number{text-align:right;font-variant-numeric:tabular-nums}.best{font-weight:" \
				       "700}"                                                                          \
				       ".star{color:var(--c2)}\n"                                                      \
				       "figure{margin:1.5rem "                                                         \
				       "0;padding:.8rem;background:var(--soft);border-radius:.5rem}"                   \
				       ".unit{color:var(--muted)}summary{cursor:pointer;padding:.3rem 0}\n"            \
				       "svg{display:block;width:100%;min-width:34rem;height:auto}"                     \
				       "svg text{fill:var(--ink);font:12px system-ui,sans-serif;pointer-events:none}"  \
				       ".grid{stroke:var(--rule)}\n" HTML_COLOUR_LIST(                                 \
					   HTML_CLASS) ".line{fill:none;stroke-width:2}.box{stroke:none}.field{fill:"  \
						       "var(--c0);stroke:none}"                                        \
						       ".mark:hover,.box:hover,.field:hover{stroke:var(--ink);stroke-" \
						       "width:2}\n"                                                    \
						       ".legend{display:flex;flex-wrap:wrap;gap:.2rem "                \
						       "1rem;list-style:none;padding:0;margin:.4rem "                  \
						       "0;font-size:.9rem}"                                            \
						       ".swatch{display:inline-block;width:.8rem;height:.8rem;border-" \
						       "radius:.2rem;margin-right:.4rem}\n"                            \
						       "#tip{position:fixed;z-index:1;background:var(--ink);color:"    \
						       "var(--paper);padding:.2rem .5rem;"                             \
						       "border-radius:.3rem;font-size:.85rem;pointer-events:none}\n"   \
						       "@media "                                                       \
						       "print{main{max-width:none}figure{break-inside:avoid;"          \
						       "background:none;border:1px solid var(--rule)}"                 \
						       ".scroll{overflow:visible}svg{min-width:0}#tip{display:none}}"  \
						       "\n"

/* A tooltip at once, where the browser's own takes its time; touch shows it, too. */
#define HTML_SCRIPT                                                                                                    \
	"const tip=document.getElementById('tip');\n"                                                                  \
	"document.addEventListener('pointerover',event=>{\n"                                                           \
	"const title=event.target.closest('svg *')?.querySelector(':scope > title');\n"                                \
	"tip.hidden=!title;if(!title)return;tip.textContent=title.textContent;\n"                                      \
	"tip.style.left=Math.min(event.clientX+12,innerWidth-tip.offsetWidth-8)+'px';\n"                               \
	"tip.style.top=Math.max(event.clientY-36,4)+'px';});\n"

#endif
