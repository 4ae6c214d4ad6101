# shellcheck shell=bash
# What the sample jobs have in common: checkpoints one after the other on the run's storage, of
# which only the newest stays. Kill such a job at any moment and start it again: the result is the
# same, byte for byte. It is read by the jobs with `.`, and needs bash and coreutils, nothing else.
#
# Four habits make it so, and they are all that Ebbtide asks of a job:
#   1. A name says only what is true: data is synced first, then renamed to the name that counts it.
#   2. The old is deleted after the new is there: there is always something to go on from.
#   3. SIGTERM is heard at once and answered with exit code 143: "interrupted, call me again".
#   4. Exit code 0 comes last, when the result is where it belongs.
set -euo pipefail
LC_ALL=C # One decimal point and one meaning of [a-z], wherever this runs.
readonly MIB=1048576
last=0 saved=0 # The newest whole checkpoint, and how many MiB of the next one are synced.
task=''        # Which task of an array this is; empty for a job that is none.

# Looks at the directory as the attempt before left it, and says where this one goes on.
begin_checkpoints() {
  find_direct_writes
  find_last_checkpoint
  remove_checkpoint $((last - 1)) # Still there if an attempt was killed just before it deleted it.
  announce
}

write_checkpoints() {
  while ((last < FILE_COUNT)); do
    write_checkpoint $((last + 1))
    remove_checkpoint "$last"
    last=$((last + 1)) saved=0
  done
}

read_settings() {
  FILE_COUNT=${FILE_COUNT:-10} FILE_SIZE=${FILE_SIZE:-100G} WORK_SECONDS=${WORK_SECONDS:-0}
  [[ $FILE_COUNT =~ ^[1-9][0-9]{0,3}$ ]] || refuse "FILE_COUNT is '$FILE_COUNT'," \
    "but must be a whole number from 1 to 9999: set it to 10, for example"
  [[ $FILE_SIZE =~ ^[1-9][0-9]{0,6}[MG]$ ]] || refuse "FILE_SIZE is '$FILE_SIZE'," \
    "but must be a whole number followed by M or G (MiB, GiB): set it to 512M, for example"
  [[ $WORK_SECONDS =~ ^([0-9]{1,6})(\.([0-9]{1,3}))?$ ]] || refuse "WORK_SECONDS is" \
    "'$WORK_SECONDS', but must be seconds with at most three decimals: set it to 0.8, for example"
  local thousandths=${BASH_REMATCH[3]:-}000
  work_ms=$((10#${BASH_REMATCH[1]} * 1000 + 10#${thousandths:0:3})) # 10#, or 08 would be octal.
  size_mib=${FILE_SIZE%[MG]}
  [[ $FILE_SIZE == *M ]] || size_mib=$((size_mib * 1024))
  # One kill costs at most one slice, and starting dd must not be what takes the time.
  slice_mib=$((size_mib / 32))
  slice_mib=$((slice_mib < 1 ? 1 : slice_mib > 128 ? 128 : slice_mib))
}

# Goes to the run's storage, which is at $1 unless somebody says otherwise.
enter_storage() {
  local storage=${EBBTIDE_STORAGE_DIR:-$1}
  CDPATH='' cd -- "$storage" 2>/dev/null || refuse "EBBTIDE_STORAGE_DIR is '$storage'," \
    "but must be a directory that this job may enter: mount the storage there, or name another"
}

# Direct writes measure the storage instead of the memory, but not every file system has them.
find_direct_writes() {
  direct=''
  if dd if=/dev/zero of=.checkpoint-probe bs=4096 count=1 oflag=direct 2>/dev/null; then
    direct=oflag=direct
  fi
  rm -f .checkpoint-probe
}

# The newest checkpoint under its final name, which it got only when it was whole.
find_last_checkpoint() {
  local number=$FILE_COUNT
  while ((number > 0)) && [[ ! -e $(name_of "$number") ]]; do number=$((number - 1)); done
  last=$number
  ((last == 0)) || has_size "$(name_of "$last")" "$size_mib" || refuse \
    "FILE_SIZE is '$FILE_SIZE', but $(name_of "$last") has another size:" \
    "keep FILE_SIZE for a whole run, or use empty storage"
}

announce() {
  local batch=${AWS_BATCH_JOB_ATTEMPT:-} before='' from='starting from nothing'
  local attempt=${EBBTIDE_ATTEMPT:-${batch:-1}}
  [[ ${batch:-$attempt} == "$attempt" ]] || attempt+=" ($batch in Batch)"
  case ${EBBTIDE_INTERRUPTED:-} in '' | 0 | false) ;; *) before=', interrupted before' ;; esac
  ((last == 0)) || from="going on after checkpoint $last"
  saved=0
  ((last == FILE_COUNT)) || find_saved_part $((last + 1))
  ((saved == 0)) || from+=", with $saved of $size_mib MiB of checkpoint $((last + 1))"
  echo "attempt $attempt${task:+ of task $task}$before: $from"
}

write_checkpoint() {
  local before step next
  find_saved_part "$1"
  before=$saved written_us=1
  while ((saved < size_mib)); do
    step=$((size_mib - saved < slice_mib ? size_mib - saved : slice_mib))
    pretend_to_compute "$step"
    write_slice "$step"
    next=$(partial_of "$1" $((saved + step)))
    mv -f "$partial" "$next"
    partial=$next saved=$((saved + step))
    sync_directory
  done
  mv -f "$partial" "$(name_of "$1")"
  sync_directory
  local tenths=$(((saved - before) * 10000000 / written_us)) kept=''
  ((before == 0)) || kept=", $before MiB were there"
  echo "checkpoint $1 of $FILE_COUNT: wrote $((saved - before)) MiB" \
    "at $((tenths / 10)).$((tenths % 10)) MiB/s$kept"
}

# What counts of a half-written checkpoint: as much as its name says, if the last MiB of that reads
# back right. What was written after it got that name may be torn, and is written again.
find_saved_part() {
  local found mib
  make_line "$1"
  partial=$(partial_of "$1" 0) saved=0
  for found in ".$(name_of "$1").partial-"*-mib; do
    [[ $found =~ \.partial-([1-9][0-9]{0,9})-mib$ ]] || continue
    mib=${BASH_REMATCH[1]}
    if ((mib <= size_mib)) &&
      [[ $(last_mib_of "$found" "$mib" | sha256) == $(repeat_line 1 | sha256) ]]; then
      partial=$found saved=$mib
    else
      mv -f "$found" "$partial" # In doubt, from the start.
    fi
  done
}

# Sets the line that checkpoint $1 consists of. It follows from the checkpoint before as it was
# read from the storage: the last one can only be right if none was lost on the way.
make_line() {
  local hash prefix start
  if (($1 == 1)); then
    hash=$(printf %s "ebbtide${task:+ task $task}" | sha256)
  else
    IFS= read -r start <"$(name_of $(($1 - 1)))" || start=''
    printf -v prefix 'checkpoint %04d ' $(($1 - 1))
    hash=${start:${#prefix}:64}
    [[ $start == "$prefix"* && $hash =~ ^[0-9a-f]{64}$ ]] ||
      fail "$(name_of $(($1 - 1))) does not begin with its line, so this job did not write it"
  fi
  hash=$(printf %s "$hash $1" | sha256)
  printf -v line 'checkpoint %04d %s%47s' "$1" "$hash" ''
}

# Writes $1 MiB behind what is saved. dd cuts the file there first, which drops what was torn.
write_slice() {
  local start
  start=$(now_us)
  dd of="$partial" ibs=$MIB obs=$MIB seek="$saved" conv=fsync status=none ${direct:+"$direct"} \
    < <(repeat_line "$1") &
  wait "$!" || storage_failed "$1"
  # A feeder that was killed looks to dd like the end of the data.
  has_size "$partial" $((saved + $1)) || fail "$partial is too short, so its end is not counted"
  written_us=$((written_us + $(now_us) - start))
}

# A share of WORK_SECONDS, for $1 MiB: where a real job would think.
pretend_to_compute() {
  local us=$((work_ms * 1000 * $1 / size_mib)) seconds
  printf -v seconds '%d.%06d' $((us / 1000000)) $((us % 1000000))
  ((us == 0)) || run sleep "$seconds"
}

interrupted() {
  trap '' TERM INT
  set +e           # The children may be gone already.
  exec 2>/dev/null # The shell would report the child's death as if it were an accident.
  # KILL, because a child that is just being born would miss a TERM, and none has anything to save.
  local child
  for child in $(jobs -pr); do kill -KILL "$child"; done
  wait
  echo "interrupted: checkpoint $last and $saved MiB of the next are saved"
  exit 143
}

# Runs a command so that SIGTERM is heard at once: for a command in the foreground, the shell would
# keep the trap waiting until it ends.
run() {
  "$@" &
  wait "$!"
}

# A new name lasts when its directory is synced; not every system can, so this is no failure.
sync_directory() { run sync . 2>/dev/null || true; }

remove_checkpoint() { (($1 < 1)) || run rm -f "$(name_of "$1")"; }
name_of() { printf 'checkpoint-%04d' "$1"; }
partial_of() { echo ".$(name_of "$1").partial-$2-mib"; }
repeat_line() { yes "$line" 2>/dev/null | head -c $(($1 * MIB)); }
last_mib_of() { dd if="$1" bs=$MIB skip=$(($2 - 1)) count=1 2>/dev/null; }
has_size() { [[ -f $1 && $(stat -c %s "$1") == "$(($2 * MIB))" ]]; }
now_us() { local now=${EPOCHREALTIME:-$(date +%s).000000} && echo "${now/./}"; }
sha256() { sha256sum | cut -c 1-64; }

storage_failed() {
  local free_mib
  free_mib=$(($(df -k --output=avail . | tail -n 1) / 1024))
  ((free_mib >= $1)) || fail "no space left in '$PWD': $saved of $size_mib MiB of the checkpoint\
 are saved, but two files of FILE_SIZE must fit"
  fail "cannot write $partial, dd says why above"
}

fail() { echo "$1" >&2 && exit "${2:-1}"; }
refuse() { echo "$*" >&2 && exit 2; }
