#!/usr/bin/env bash
# The sample job of the Lustre modes: it makes checkpoints one after the other in the run's shared
# directory and keeps only the newest. It copies nothing: what lies there when it ends with 0 is the
# result, and the export takes it to S3. How it outlives being killed is in checkpoints.sh.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
[[ -e $here/checkpoints.sh ]] || here+=/.. # Beside this file in an image, one up in a clone.
# shellcheck source=docker/checkpoints.sh
. "$here/checkpoints.sh"

main() {
  trap interrupted TERM INT
  read_settings
  read_task
  enter_storage /scratch
  enter_task_folder
  begin_checkpoints
  run announce_input || true # It only informs.
  write_checkpoints
  echo "done: $(name_of "$last") is in '$PWD', for the export"
}

# Batch numbers the tasks of an array; all of them see the same directory.
read_task() {
  task=${AWS_BATCH_JOB_ARRAY_INDEX:-}
  [[ $task =~ ^(|0|[1-9][0-9]{0,3})$ ]] || refuse "AWS_BATCH_JOB_ARRAY_INDEX is '$task'," \
    "but must be a whole number from 0 to 9999: Batch sets it, by hand leave it out"
}

# A folder of its own for each task, so that no two of them ever use the same name.
enter_task_folder() {
  [[ -n $task ]] || return 0
  local folder
  printf -v folder 'task-%04d' "$task"
  { mkdir -p "$folder" && CDPATH='' cd -- "$folder"; } ||
    fail "task $task cannot use '$PWD/$folder': this must be a directory, or not be there yet"
  run sync .. 2>/dev/null || true
}

# It reads names and sizes only: on Lustre, opening a file that was imported fetches it from S3.
announce_input() {
  local folder=${EBBTIDE_INPUT_DIR:-} file
  local -a files=()
  [[ -n $folder ]] || return 0
  shopt -s globstar dotglob nullglob
  for file in "$folder"/**; do [[ ! -f $file || -L $file ]] || files+=("$file"); done
  ((${#files[@]} > 0)) || return 0
  echo "input: ${#files[@]} files, $(bytes_of "${files[@]}") bytes in '$folder'"
}

bytes_of() { printf '%s\0' "$@" | du -bcl --files0-from=- | tail -n 1 | cut -f 1; }

main "$@"
