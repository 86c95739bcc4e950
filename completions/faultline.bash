# bash completion for faultline(1). tests/options_documented.py holds it to what --help prints.

_faultline() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	local commands="run batch validate list explain proc convert heap policy curve freelist tui quiz diff report"
	local words=""
	COMPREPLY=()

	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
		return
	fi

	case $previous in
	--stats | --format) words="text json csv markdown html" ;;
	--fail-if) words="faults.major>+5% cycles>+5% differs" ;;
	--events | --perfetto | --series | --sqlite | -o) compopt -o default; return ;;
	--compat) words="ostep" ;;
	--policy)
		words="fifo second-chance clock nru random lru mru lfu lfu-aging aging working-set wsclock 2q arc car"
		words="$words clock-pro lirs s3-fifo sieve linux mglru opt unopt"
		;;
	--refs | --frames | --seed | --window | --tick | --clock-bits) return ;;
	--set | --at | --pid | --sample | --set-a | --set-b | --baseline | --sweep | --repeat | --exclude | --jobs | --point | --best) return ;;
	--keys | --dump-screen) compopt -o default; return ;;
	--theme) words="default safe mono" ;;
	--size) words="80x24 132x36 160x50" ;;
	--break) words="fault syscall signal oom exception ring line page frame chunk pte" ;;
	esac

	if [ -z "$words" ]; then
		case $command:$word in
		run:-*)
			words="--set --stats --story --story=full --events --perfetto --sample --series --check --check=full"
			words="$words --timing -o --quiet --help"
			;;
		batch:-*)
			words="--sweep --set --repeat --exclude --jobs -o --resume --point --merge --sqlite --phases --series --histograms --best"
			words="$words --dry-run --quiet --help"
			;;
		explain:-*) words="--at --pid --set --help" ;;
		proc:-*) words="--at --pid --set -o --list --help" ;;
		proc:[a-z]*)
			words="maps smaps smaps_rollup status statm pagemap limits oom_score oom_score_adj meminfo vmstat buddyinfo"
			words="$words extfrag_index unusable_index"
			;;
		validate:-*) words="--help" ;;
		convert:-*) words="-o --help" ;;
		heap:-*) words="--at --pid --set -o --help" ;;
		tui:-*)
			words="--set --at --break --keys --dump-screen --dump-styles --theme --ascii --no-mouse --a11y --size"
			words="$words --help"
			;;
		quiz:-*) words="--seed --count --answers --format -o --help" ;;
		heap:m*) words="malloc_stats malloc_info mallinfo2" ;;
		heap:c*) words="chunks" ;;
		policy:-*)
			words="--refs --frames --policy --stats --seed --window --tick --hardware --set --save --jobs"
			words="$words --compat --clock-bits --help"
			;;
		curve:-*)
			words="--refs --frames --policy --stats --seed --window --tick --hardware --set --save --jobs --plot"
			words="$words --sample --tlb --help"
			;;
		freelist:-*)
			words="--fit --order --coalesce --ops --bytes --base --header --align --seed --count --range --percent"
			words="$words --compat --stats --help"
			;;
		policy:* | curve:*) compopt -o default; return ;;
		report:-*) words="--format --baseline -o --help" ;;
		report:*) compopt -o dirnames; return ;;
		diff:-*) words="--set --set-a --set-b --fail-if --format --all -o --help" ;;
		diff:*) compopt -o default; return ;;
		list:-*) words="--help" ;;
		list:*) words="workloads allocators policies profiles devices ops instructions events stats keys" ;;
		run:* | batch:* | validate:* | explain:* | proc:* | convert:* | heap:* | tui:* | quiz:*)
			compopt -o filenames
			mapfile -t COMPREPLY < <(
				compgen -d -- "$word"
				compgen -f -X '!*.json' -- "$word"
				compgen -f -X '!*.ops' -- "$word"
				compgen -f -X '!*.ops.gz' -- "$word"
			)
			return
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _faultline faultline
