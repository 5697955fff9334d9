#!/bin/bash
# The fragments that eyried keeps on its own machine: the schedd's flocking and the shares of the virtual
# pool's negotiator, in the configuration of real daemons. What somebody else does to them is found, named by
# file and line where another file has the last word, and mended where it can be; and leaving leaves
# nothing. Needs a lab that nobody else uses; takes about a minute.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
site_of() { echo "/run/lab/$1/config.d/99-site.conf"; }
# site_file MACHINE LINE…: the site's own file, which the daemons of MACHINE read last.
site_file() {
	printf '%s\n' "${@:2}" | "$lab" run tee "$(site_of "$1")" >/dev/null
	on "$1" condor_reconfig >/dev/null
}
no_site_file() {
	"$lab" run rm "$(site_of "$1")"
	on "$1" condor_reconfig >/dev/null
}
# differs TEXT: eyrie flock diff says so, and its exit status is that of a difference.
diff_said=$EYRIE_LAB/flock-diff.out
flock_diff() { "$lab" run "$pool_build/controller/cli/eyrie" flock diff -c "$policy" >"$diff_said"; }
differs() {
	local status=0
	flock_diff || status=$?
	[ "$status" = 2 ] && grep -qF -- "$1" "$diff_said"
}
in_folders() { "$lab" run ls /run/lab/schedd/config.d /run/lab/vcm/config.d; }

site_up
policy_write -e 's|60-eyrie-vpool.conf|&, tools: /run/lab/bin/schedd|' \
	-e 's|tools: /run/lab/bin/vcm|&, shares: /run/lab/vcm/config.d/70-eyrie-vpool-shares.conf|'
before=$(dump schedd) before_vcm=$(dump vcm) before_files=$(in_folders)
trap pool_end EXIT
pool_launch
ok 'schedd and negotiator go by the fragments' wait_for 60 flock_is applied
ok 'and eyrie flock diff finds nothing' wait_for 30 flock_diff

on schedd sh -c "echo 'FLOCK_BY_DEFAULT = true' >>$file"
by_the_policy() { [ "$(fragment)" = "$(wanted)" ] && [ "$(believes)" = "$(revision)" ]; }
ok 'a fragment that was edited by hand is mended' wait_for 30 by_the_policy
on schedd sh -c "head -c 1000 $file >$file.cut && mv $file.cut $file"
ok 'so is one that was cut short' wait_for 30 by_the_policy
on schedd rm "$file"
ok 'and one that was removed' wait_for 30 by_the_policy

# A later file of the site has the last word: named, not fought.
site_file schedd '# ours' 'FLOCK_BY_DEFAULT = true' 'IMMUTABLE_JOB_ATTRS = Iwd'
ok 'a knob that a later file sets is named with file and line' wait_for 30 differs \
	"schedd.lab: FLOCK_BY_DEFAULT is \"true\" by $(site_of schedd), line 2, and not by the fragment: it should be \"false\""
ok 'so is a list that it replaces' wait_for 30 differs \
	"IMMUTABLE_JOB_ATTRS is \"Iwd\" by $(site_of schedd), line 3, and not by the fragment: VirtualPool is missing in it"
no_site_file schedd
site_file vcm 'NEGOTIATOR_JOB_CONSTRAINT = true'
ok 'so is a knob of the negotiator' wait_for 30 differs "NEGOTIATOR_JOB_CONSTRAINT is \"true\" by $(site_of vcm), line 1"
no_site_file vcm
ok 'without these there is no difference' wait_for 30 flock_diff

# An admin's copy of the fragment, which is read after it.
"$lab" run cp "$file" "$(site_of schedd)"
on schedd condor_reconfig >/dev/null
old=$(fragment)
walltime 3601s
ok 'a fragment that HTCondor would not go by is not put in place' wait_for 60 flock_says 'does no later file set'
ok 'the old one stays, whole' equal "$(fragment)" "$old"
ok 'and the copy is named' wait_for 30 differs "EYRIE_REVISION_vpool is \"$(revision)\" by $(site_of schedd), line "
no_site_file schedd
ok 'without the copy the new one is applied' wait_for 60 allows 3601

eyrie flock remove --yes >/dev/null
ok 'eyrie flock remove takes the fragments away' wait_for 60 flock_is absent
ok 'the schedd is what it was' equal "$(dump schedd)" "$before"
ok 'and so is the central manager' equal "$(dump vcm)" "$before_vcm"
ok 'no file is left' equal "$(in_folders)" "$before_files"

tap_end
