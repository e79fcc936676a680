#!/bin/bash
# Runs inside the host: measure.sh WARM_UPS RUNS RESET COMMAND...
# Prints "EXIT MICROSECONDS" for each run but the warm-ups, the start of the process included. RESET is a shell command that goes before each run, unmeasured.
# What the last run printed is in /tmp/measure.out.
warm_ups=$1 runs=$2 reset=$3
shift 3
for ((run = 0; run < warm_ups + runs; run++)); do
	eval "$reset" >/dev/null 2>&1
	started=${EPOCHREALTIME/./}
	"$@" >/tmp/measure.out 2>&1
	exit=$?
	ended=${EPOCHREALTIME/./}
	if ((run >= warm_ups)); then echo "$exit $((ended - started))"; fi
done
