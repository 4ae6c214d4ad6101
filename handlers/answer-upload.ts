import {
  anyOf,
  ExportRequested,
  FileSystemAvailable,
  JobSubmitted,
  linksOf,
  ReleaseStarted,
  type Run,
  RunAccepted,
  RunCancelled,
  RunFailed,
  RunRejected,
  RunSucceeded,
  StorageRetained,
  VolumeAvailable,
} from '../events';
import { ignore, proceed, reaction } from './lib';

/** Says beside the upload that started a run how the run stands. RunAccepted, …, RunCancelled → nothing. */
export const answerUpload = reaction({
  name: 'answer-upload',
  on: anyOf<unknown>(
    RunAccepted,
    VolumeAvailable,
    FileSystemAvailable,
    JobSubmitted,
    ExportRequested,
    ReleaseStarted,
    RunRejected,
    StorageRetained,
    RunSucceeded,
    RunFailed,
    RunCancelled,
  ),
  watches: [],
  uses: ['intake', 'settings'],
  emits: [],
  repeats: true,

  decide(run) {
    if (!run.cause || !('upload' in run.cause)) return ignore('no upload started this run');
    const isImporting = run.status === 'queued' || run.status === 'provisioning';
    if (isImporting && run.parameters.inputRepositoryPath) {
      return ignore('its answer would lie among the input');
    }
    const { bucket, key } = run.cause.upload;
    return proceed(`${run.id}.answer`, { bucket, key, text: answerOf(run) });
  },

  async act(answer, _key, { intake, settings }) {
    const { intakeBucket } = await settings.read();
    // A cause is what somebody said. We write into our own bucket and no other.
    if (answer.bucket !== intakeBucket) return 'the upload is not in the intake bucket';
    await intake.answer(answer);
    return 'the answer lies beside the upload';
  },

  record: (outcome) => ignore(outcome),
});

/** What a person finds beside the upload: always how the run stands now, whichever event came. */
function answerOf(run: Run): string {
  const { id: runId, status, verdict, since: time } = run;
  const reason = verdict && 'reason' in verdict ? verdict.reason : undefined;
  const results = status === 'rejected' ? undefined : linksOf(run)[0]?.repositoryPath;
  return `${JSON.stringify({ runId, status, reason, results, time }, null, 2)}\n`;
}
