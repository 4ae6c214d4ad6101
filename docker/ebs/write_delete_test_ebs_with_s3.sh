#!/usr/bin/env bash
# The sample job of EBS mode: it makes checkpoints one after the other on the run's volume, keeps
# only the newest, and copies the last one to S3. How it outlives being killed is in checkpoints.sh.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
[[ -e $here/checkpoints.sh ]] || here+=/.. # Beside this file in an image, one up in a clone.
# shellcheck source=docker/checkpoints.sh
. "$here/checkpoints.sh"

main() {
  trap interrupted TERM INT
  read_settings
  read_target
  enter_storage /data
  begin_checkpoints
  write_checkpoints
  copy_to_s3 "$(name_of "$last")"
}

read_target() {
  [[ -n ${S3_BUCKET_NAME:-} ]] || refuse "S3_BUCKET_NAME is not set, but must name the bucket" \
    "for the result: Ebbtide sets it, by hand set it to a bucket of yours"
  [[ ${EBBTIDE_RESULTS_PREFIX:-} == ?*/ ]] || refuse \
    "EBBTIDE_RESULTS_PREFIX is '${EBBTIDE_RESULTS_PREFIX:-}', but must end with a slash:" \
    "Ebbtide sets it, by hand set it to runs/by-hand/, for example"
}

copy_to_s3() {
  local target=s3://$S3_BUCKET_NAME/$EBBTIDE_RESULTS_PREFIX status=0
  run aws s3 cp --no-progress "./$1" "$target" || status=$?
  ((status == 0)) || fail "$1 could not be copied to $target, aws left with $status" "$status"
  echo "done: $1 is at $target$1"
}

main "$@"
