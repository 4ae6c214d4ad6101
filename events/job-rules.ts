import { isLast } from './contract';
import { type ChildFailure, isActive, type Job } from './jobs';
import { parameterOf } from './parameters';
import type { Run } from './run';

/**
 * When Batch tries a job again by itself, in this order; no match would mean "again" (Batch
 * RetryStrategy, five rules at most). Whoever submits hands this to Batch as it stands.
 */
export const RETRY_RULES = [
  { onStatusReason: 'Host EC2*', action: 'RETRY' },
  { onReason: 'CannotStartContainer*', action: 'RETRY' },
  { onReason: 'DockerTimeoutError*', action: 'RETRY' },
  { onExitCode: '143', action: 'RETRY' },
  { onReason: '*', action: 'EXIT' },
] as const;

/** What a job says with "interrupted, call me again": 128 + SIGTERM. */
export const INTERRUPTED_EXIT = 143;
const INTERRUPTIONS = /(^|; )(Host EC2|CannotStartContainer|DockerTimeoutError)/;
/** What Batch says of every container that left by itself. */
const LEFT = 'Essential container in task exited';

/** The jobs that may be submitted now: new ones whose dependencies allow it, and interrupted ones. */
export function nextJobs(run: Run): Job[] {
  const jobs = Object.values(run.jobs);
  const isFailing = jobs.some((job) => job.status === 'FAILED' && !mayGoOn(run, job));
  if (isFailing || run.stop || run.storage.over) return [];
  return jobs.filter((job) => {
    if (job.status === 'WAITING') return isItsTurn(run, job);
    return mayGoOn(run, job) && isItsTurn(run, job) && !isAwaited(run, job);
  });
}

/**
 * Whether a container of the run may be at work although no job of it should be: a job that is not
 * over, one that Batch lost sight of, or an earlier submission of which nobody knows its end. A first
 * submission that was seen to its end has claimed the storage, and lets no other in.
 */
export function mayBeAlive({ jobs, jobsEndedAt }: Run): boolean {
  if (jobsEndedAt) return false;
  return Object.values(jobs).some(
    (job) => isActive(job) || job.submission > 1 || job.missedAt !== undefined,
  );
}

/** Whether a run has nowhere to go but by time, or by a request: not while an end of its jobs is not known. */
export function isAtRest(run: Run): boolean {
  if (run.status === 'retained') return !mayBeAlive(run) && !Object.values(run.jobs).some(isActive);
  return isLast(run.status);
}

/** Batch has every array that this one's tasks wait for, and what must succeed first has succeeded. */
function isItsTurn(run: Run, { dependsOn, nToN = [] }: Job): boolean {
  return (
    dependsOn.every((name) => run.jobs[name]?.status === 'SUCCEEDED') &&
    nToN.every((name) => isAtBatch(run.jobs[name]))
  );
}

function isAtBatch(job: Job | undefined): boolean {
  if (!job?.jobId) return false;
  return isActive(job) || job.status === 'SUCCEEDED';
}

/**
 * Tasks of another array wait for this one's, or work with what they left. Batch ends that array,
 * too; until then nothing is done anew under its hands.
 */
function isAwaited(run: Run, { name }: Job): boolean {
  return Object.values(run.jobs).some((other) => other.nToN?.includes(name) && isActive(other));
}

/**
 * Batch gave up on the job, the job did not. A submission starts all tasks of an array anew, as Batch
 * cannot submit a part of one: what a task has finished it finds on the file system.
 */
function mayGoOn(run: Run, job: Job): boolean {
  if (job.status !== 'FAILED') return false;
  const made = job.submission - job.submissionsBefore;
  if (made > parameterOf(run, 'jobResubmissions')) return false;
  if (fellWith(run, job)) return true;
  // An array's tasks count their attempts at Batch, and one that was interrupted has none left.
  return wasInterrupted(job) && (job.arraySize !== undefined || job.attempt >= job.attempts);
}

/**
 * Whether an array failed because one that it waits for did, and that one may go on or went on: no
 * task of it failed by itself. It goes again with the other, and within the same budget.
 */
function fellWith(run: Run, job: Job): boolean {
  const { nToN = [], counts, failures = [] } = job;
  // Refused, or forgotten by Batch: that is its own.
  if (!job.jobId || !counts || nToN.length === 0) return false;
  if (!failures.every((each) => neverBegan(each) || isInterruption(each))) return false;
  return nToN.some((name) => {
    const other = run.jobs[name];
    if (!other) return false;
    const wentOn = other.submission - other.submissionsBefore > 1 && other.status !== 'FAILED';
    return wentOn || mayGoOn(run, other);
  });
}

/** Batch's words for a task whose dependency failed are not known for sure; that it left no trace is. */
function neverBegan({ exitCode, logStream }: ChildFailure): boolean {
  return exitCode === undefined && logStream === undefined;
}

/**
 * Whether the last attempt was ended by its host's end; of an array, that of every task known to have
 * failed. A job that leaves with 143 at its time limit or when somebody terminates it was not: Batch
 * then gives a reason of its own.
 */
export function wasInterrupted(job: Job): boolean {
  if (job.arraySize === undefined) return isInterruption(job);
  const failures = ownFailures(job);
  return failures.length > 0 && failures.every(isInterruption);
}

/** Where tasks run one after the other, those behind one that failed fell with it. */
function ownFailures({ sequential, failures = [] }: Job): readonly ChildFailure[] {
  if (!sequential) return failures;
  const own = failures.filter((each) => isInterruption(each) || !neverBegan(each));
  return own.length > 0 ? own : failures;
}

type LastWords = Pick<ChildFailure, 'exitCode' | 'statusReason'>;

function isInterruption({ exitCode, statusReason = LEFT }: LastWords): boolean {
  if (INTERRUPTIONS.test(statusReason)) return true;
  return exitCode === INTERRUPTED_EXIT && statusReason === LEFT;
}

/** The job whose failure is the run's: one that failed by itself before one that fell with it. */
export function firstFailed(run: Run): Job | undefined {
  const failed = Object.values(run.jobs).filter(({ status }) => status === 'FAILED');
  const isFirst = ({ nToN = [] }: Job) => !nToN.some((name) => run.jobs[name]?.status === 'FAILED');
  return failed.find(isFirst) ?? failed[0];
}

/** Why a job failed, as one sentence for people. */
export function failureOf(job: Job): string {
  const { name, attempts, submission, ran } = job;
  const which = tasksOf(job);
  if (wasInterrupted(job)) {
    const what = ran ? 'was interrupted to the end of' : 'could not be started in';
    const tries = `${counted(submission, 'submission')} of ${counted(attempts, 'attempt')}`;
    return `job ${name} ${what} ${tries}: ${which ?? whyInterrupted(job)}`;
  }
  return which ? `job ${name} failed: ${which}` : `job ${name} failed${whyFailed(job)}`;
}

/** How many tasks of an array failed, and what is known of the first; undefined where nothing is. */
function tasksOf({ arraySize, counts, failures: [first] = [] }: Job): string | undefined {
  if (arraySize === undefined || !first) return undefined;
  const count = Math.max(1, counts?.FAILED ?? 0);
  return `${count} of ${arraySize} tasks, the first (task ${first.index})${whyFailed(first)}`;
}

function whyInterrupted({ exitCode, statusReason }: LastWords): string {
  const reason = statusReason === LEFT ? undefined : statusReason;
  return reason ?? (exitCode === undefined ? 'no reason given' : `exit code ${exitCode}`);
}

function whyFailed({ exitCode, statusReason }: LastWords): string {
  if (exitCode === undefined) return `: ${whyInterrupted({ statusReason })}`;
  const said = statusReason
    ?.split('; ')
    .filter((each) => each !== LEFT)
    .join('; ');
  return ` with exit code ${exitCode}${said ? ` (${said})` : ''}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
