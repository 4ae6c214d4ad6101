import {
  BatchJobStateChange,
  type BatchStatus,
  type ChildFailure,
  type DraftOf,
  FAILURES_MAX,
  FORGOTTEN,
  isActive,
  type Job,
  JobMissed,
  type JobProgress,
  progressOf,
  VISIBLE_WITHIN_MS,
} from '../../events';
import { attemptOf, type SeenJob } from './ports';

/** The id of a job that Batch has and has not finished; none for any other. */
export function idAtBatch(job: Job): string[] {
  return isActive(job) && job.jobId ? [job.jobId] : [];
}

/** How far Batch shows a job to be: whether that is news, `progressOf` says of both. */
export function shownProgress(shown: SeenJob): JobProgress {
  const { status, array } = shown;
  return { status, attempt: attemptOf(shown), arraySize: array?.size, counts: array?.counts };
}

/** What Batch knows of a job that the run does not: one event, or none. */
export function newsOf(
  job: Job,
  seen: readonly SeenJob[],
  now: number,
): DraftOf<'BatchJobStateChange' | 'JobMissed'>[] {
  const [jobId] = idAtBatch(job);
  if (!jobId) return [];
  const shown = seen.find((each) => each.jobId === jobId);
  if (!shown) return forgotten(job, jobId, now);
  const progress = shownProgress(shown);
  const isFurther = progressOf(progress) > progressOf(job);
  if (!isFurther && job.missedAt) return foundAgain(job, jobId);
  if (!isFurther) return [];
  return [
    BatchJobStateChange.of({
      ...named(job, jobId),
      status: shown.status,
      attempt: progress.attempt,
      ran: mayHaveRun(job, shown),
      ...lastWords(shown),
    }),
  ];
}

/** A job that was missed is there again: as far as it was known to be, for this answer may be old. */
function foundAgain(job: Job, jobId: string) {
  const { attempt, ran, counts, failures, exitCode, logStream, statusReason } = job;
  // It has an id, so its status is one of Batch's.
  const status = job.status as BatchStatus;
  const said = { exitCode, logStream, statusReason };
  const known = { status, attempt, ran, ...said, counts, failures: failures && [...failures] };
  return [BatchJobStateChange.of({ ...named(job, jobId), ...known })];
}

/** Where Batch says nothing of an array's tasks there may be something to keep. */
function mayHaveRun({ arraySize }: Job, { status, attempts, array }: SeenJob): boolean {
  if (array) return tasksRan(array);
  if (arraySize !== undefined) return status !== 'SUBMITTED';
  return status === 'RUNNING' || attempts.some(({ started }) => started);
}

/** A task that failed ran, unless it left no trace; of those that are not known it is assumed. */
function tasksRan({ counts, failures }: NonNullable<SeenJob['array']>): boolean {
  const { RUNNING = 0, SUCCEEDED = 0, FAILED = 0 } = counts;
  return RUNNING + SUCCEEDED > 0 || FAILED > failures.length || failures.some(leftTrace);
}

function leftTrace({ exitCode, logStream, statusReason = '' }: ChildFailure): boolean {
  return exitCode !== undefined || logStream !== undefined || statusReason.includes('Host EC2');
}

/** One answer without a job says little: it is missed for so long before it is taken for over. */
const MISSED_MS = 10 * 60_000;

/**
 * Batch keeps finished jobs for at least 7 days: one that is gone can no longer prove a success. It
 * may even be alive, so it counts as one that ran, and is stopped by name before anything else.
 */
function forgotten(job: Job, jobId: string, now: number) {
  const { since, missedAt } = job;
  if (now < Date.parse(since) + VISIBLE_WITHIN_MS) return [];
  if (!missedAt) return [JobMissed.of(named(job, jobId))];
  if (now < Date.parse(missedAt) + MISSED_MS) return [];
  return [
    BatchJobStateChange.of({
      ...named(job, jobId),
      status: 'FAILED',
      attempt: job.attempt,
      ran: true,
      statusReason: FORGOTTEN,
    }),
  ];
}

function named({ name, submission }: Job, jobId: string) {
  return { job: name, jobId, submission };
}

function lastWords(shown: SeenJob) {
  const { array, status, statusReason } = shown;
  if (!array) return lastWordsOfOne(shown);
  const failures = array.failures.slice(0, FAILURES_MAX);
  // Who looks for the cause begins with the task that failed first.
  const { exitCode, logStream } = failures[0] ?? {};
  const reason = status === 'FAILED' ? statusReason : undefined;
  return { statusReason: reason, exitCode, logStream, counts: array.counts, failures };
}

/** Why the last attempt ended, as far as Batch says; nothing while an attempt runs. */
function lastWordsOfOne({ status, statusReason, attempts, logStream }: SeenJob) {
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

/** A task of an array that failed, from the job that Batch shows for it: told as a job's end is told. */
export function childFailureOf(index: number, child: SeenJob): ChildFailure {
  return { index, ...lastWordsOfOne(child) };
}
