# bash completion for hfctl(1).  hfctl itself knows the verbs, the options and
# the names that the house has right now.
_hfctl()
{
	local i words=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | --timeout | --past | --pcap | --to | -c) ((i++)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--socket | --pcap | -c)
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
		return
		;;
	--to)
		mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
		return
		;;
	--timeout | --past) return ;;
	esac
	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete \
		"${words[@]}" "${COMP_WORDS[COMP_CWORD]}" 2>/dev/null)
}
complete -F _hfctl hfctl
