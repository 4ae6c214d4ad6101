import {
  BatchJobStateChange,
  isActive,
  type Job,
  progressOf,
  VISIBLE_WITHIN_MS,
} from '../../events';
import { attemptOf, type SeenJob } from './ports';

/** The id of a job that Batch has and has not finished; none for any other. */
export function idAtBatch(job: Job): string[] {
  return isActive(job) && job.jobId ? [job.jobId] : [];
}

/** What Batch knows of a job that the run does not: one event, or none. */
export function newsOf(job: Job, seen: readonly SeenJob[], now: number) {
  const [jobId] = idAtBatch(job);
  if (!jobId) return [];
  const shown = seen.find((each) => each.jobId === jobId);
  if (!shown) return forgotten(job, jobId, now);
  const attempt = attemptOf(shown);
  if (progressOf({ status: shown.status, attempt }) <= progressOf(job)) return [];
  return [
    BatchJobStateChange.of({
      ...named(job, jobId),
      status: shown.status,
      attempt,
      ran: mayHaveRun(job, shown),
      ...lastWords(shown),
    }),
  ];
}

/** Of an array only its children know: where in doubt, there may be something to keep. */
function mayHaveRun({ arraySize }: Job, { status, attempts }: SeenJob): boolean {
  if (arraySize !== undefined) return status !== 'SUBMITTED';
  return status === 'RUNNING' || attempts.some(({ started }) => started);
}

/** Batch keeps finished jobs for at least 7 days: one that is gone can no longer prove a success. */
function forgotten(job: Job, jobId: string, now: number) {
  if (now < Date.parse(job.since) + VISIBLE_WITHIN_MS) return [];
  return [
    BatchJobStateChange.of({
      ...named(job, jobId),
      status: 'FAILED',
      attempt: job.attempt,
      ran: job.ran,
      statusReason: 'Batch does not know this job any more',
    }),
  ];
}

function named({ name, submission }: Job, jobId: string) {
  return { job: name, jobId, submission };
}

/** Why the last attempt ended, as far as Batch says; nothing while an attempt runs. */
function lastWords({ status, statusReason, attempts, logStream }: SeenJob) {
  const isBegun = status === 'STARTING' || status === 'RUNNING';
  const last = isBegun ? undefined : attempts.at(-1);
  // What ended the job from outside stands at the job alone, what ended the attempt at the attempt.
  const reasons = isBegun ? [] : [last?.reason, statusReason, last?.statusReason];
  const said = [...new Set(reasons.filter((reason) => reason))].join('; ');
  return {
    statusReason: said === '' ? undefined : said,
    exitCode: last?.exitCode,
    logStream: last?.logStream ?? logStream,
  };
}
