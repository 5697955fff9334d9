# shellcheck shell=bash
# render FILE NAME=VALUE…: prints FILE with each @NAME@ replaced; fails if one is left. To be sourced.
render() {
	local file=$1 text setting left
	shift
	text=$(<"$file")
	for setting; do
		text=${text//"@${setting%%=*}@"/"${setting#*=}"}
	done
	if left=$(grep -o '@[A-Z_]\+@' <<<"$text"); then
		echo "$file: no value for" "$left" >&2
		return 1
	fi
	printf '%s\n' "$text"
}
