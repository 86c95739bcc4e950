"""The manual page and the completion know every command and every option that the program's help prints, and the completion,
sourced by bash, offers them.

usage: options_documented.py PROGRAM SOURCE_DIR
"""
import pathlib
import re
import shlex
import subprocess
import sys

COMMAND = re.compile(r"^  ([a-z]+)(?:\s|$)")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]*|-[a-zA-Z](?![\w-]))")


def help_of(program, *command):
    done = subprocess.run([program, *command, "--help"], text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{program} {' '.join(command)} --help: exit status {done.returncode}")
    return done.stdout


def completed(root, *words):
    """What bash offers for the last of these words."""
    line = " ".join(shlex.quote(word) for word in words)
    script = (f"set -u; compopt() {{ :; }}; source {shlex.quote(str(root / 'completions/faultline.bash'))} || exit 1; "
              f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _faultline; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "-c", script], text=True, capture_output=True)
    if done.returncode or done.stderr:
        raise SystemExit(f"the completion of \"{line}\": {done.stderr}")
    return done.stdout.split()


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    manual = (root / "man/faultline.1").read_text()
    completion = (root / "completions/faultline.bash").read_text()
    overview = help_of(program)
    commands = [match.group(1) for line in overview.splitlines() if (match := COMMAND.match(line))]
    if not {"run", "validate", "list", "explain"} <= set(commands):
        raise SystemExit(f"--help does not list the commands, two blanks before each:\n{overview}")
    problems = []
    for command in commands:
        problems += [f"the manual has no command {command}"] * (f".It Cm {command}" not in manual)
        own = re.findall(r"^  (--[a-z][a-z0-9-]*)", help_of(program, command), re.M)
        missing = set(own) - set(completed(root, "faultline", command, "--"))
        problems += [f"the completion does not offer {' '.join(sorted(missing))} of {command}"] * bool(missing)
        for option in sorted(set(OPTION.findall(help_of(program, command)))):
            bare = option.lstrip("-") if len(option) == 2 else option[1:]
            # mdoc: ".Fl -stats" is --stats, ".Fl o" is -o; \- is a minus sign.
            if not re.search(rf"Fl {re.escape(bare)}\b", manual.replace("\\-", "-")):
                problems.append(f"the manual has no option {option} of {command}")
            if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", completion):
                problems.append(f"the completion has no option {option} of {command}")
    topics = re.findall(r"^  ([a-z]+)  ", subprocess.run([program, "list"], text=True, capture_output=True).stdout, re.M)
    for topic in topics[1:]:  # the first is the headline
        problems += [f"the manual has no topic {topic}"] * (not re.search(rf"^\.?.*\b{topic}\b", manual, re.M))
        problems += [f"the completion has no topic {topic}"] * (topic not in completion)
    files = subprocess.run([program, "proc", "--list"], text=True, capture_output=True).stdout
    views = re.findall(r"^  ([a-z_]+) ", files, re.M)
    for view in views[1:]:
        offered = completed(root, "faultline", "proc", "W.json", view[:1])
        problems += [f"the completion does not offer {view} of proc"] * (view not in offered)
    print("\n".join(problems) or f"{len(commands)} commands, every option in the manual and in the completion")
    raise SystemExit(1 if problems else 0)


main()
