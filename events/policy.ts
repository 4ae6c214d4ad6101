import { isLast } from './contract';
import { hash } from './fingerprint';
import { isActive, type Job } from './jobs';
import { parameterOf } from './parameters';
import { pricePerHour } from './prices';
import type { Run } from './run';
import {
  DeadlinePassed,
  type DraftOf,
  ExportRequested,
  ReleaseStarted,
  RequestRefused,
  RunCancelled,
  RunFailed,
  RunResumed,
  RunSucceeded,
  StopRequested,
  StorageRequested,
  StorageRetained,
  type Verdict,
} from './run-events';
import { deadlineOf } from './time';

const HOUR_MS = 3_600_000;

/** The ways out of the jobs, and out of a failure. */
export type Ending = DraftOf<'ReleaseStarted' | 'StorageRetained' | 'ExportRequested'>;

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

/** The storage a run asks for, in the zone of this try. */
export function storageWanted(run: Run): DraftOf<'StorageRequested'> {
  const isVolume = run.storage.kind === 'volume';
  return StorageRequested.of({
    kind: run.storage.kind,
    zone: zoneOf(run),
    sizeGib: parameterOf(run, isVolume ? 'ebsSizeGb' : 'lustreStorageCapacity'),
  });
}

/** The zone of the parameter, else one by the run's id; another one after every refusal. */
function zoneOf({ id, parameters: { zone, zones = [] }, storage: { tries } }: Run): string {
  if (zone) return zone;
  const chosen = zones[(hash(id) + tries - 1) % zones.length];
  if (!chosen) throw new Error(`run ${id} has no zones to choose from`);
  return chosen;
}

/** The jobs that may be submitted now: new ones whose dependencies succeeded, and interrupted ones. */
export function nextJobs(run: Run): Job[] {
  const jobs = Object.values(run.jobs);
  const isFailing = jobs.some((job) => job.status === 'FAILED' && !mayGoOn(run, job));
  if (isFailing || run.stop || run.storage.over) return [];
  return jobs.filter((job) => {
    if (job.status !== 'WAITING') return mayGoOn(run, job);
    return job.dependsOn.every((name) => run.jobs[name]?.status === 'SUCCEEDED');
  });
}

/** Batch gave up on the job, the job did not: its attempts went by without one exit of its own. */
function mayGoOn(run: Run, job: Job): boolean {
  if (job.status !== 'FAILED' || job.attempt < job.attempts) return false;
  const made = job.submission - job.submissionsBefore;
  return wasInterrupted(job) && made <= parameterOf(run, 'jobResubmissions');
}

/**
 * Whether the last attempt was ended by its host's end. A job that leaves with 143 at its time limit
 * or when somebody terminates it was not: Batch then gives a reason of its own.
 */
export function wasInterrupted({ exitCode, statusReason = LEFT }: Job): boolean {
  if (INTERRUPTIONS.test(statusReason)) return true;
  return exitCode === INTERRUPTED_EXIT && statusReason === LEFT;
}

/** What follows a change of the jobs: nothing while one of them can still do something. */
export function afterJobs(run: Run, now: number): Ending[] {
  const jobs = Object.values(run.jobs);
  if (run.status !== 'running' && run.status !== 'ready') return [];
  if (jobs.some(isActive)) return [];
  if (run.stop) return ending(run, run.stop.verdict, now);
  if (nextJobs(run).length > 0) return [];
  const failed = jobs.find(({ status }) => status === 'FAILED');
  if (failed) return afterFailure(run, failureOf(failed), now);
  if (jobs.some(({ status }) => status === 'WAITING')) return [];
  if (run.mode !== 'onlyEBS') return [ExportRequested.of({ verdict: { kind: 'succeeded' } })];
  return [ReleaseStarted.of({ verdict: { kind: 'succeeded' } })];
}

/** What follows when the run cannot do what was asked: its policy, unless there is nothing to keep. */
export function afterFailure(run: Run, reason: string, now: number): Ending[] {
  const verdict: Verdict = { kind: 'failed', reason };
  const policy = parameterOf(run, 'onFailure');
  if (!mayHoldResults(run) || policy === 'release') return [ReleaseStarted.of({ verdict })];
  if (policy === 'export') return [ExportRequested.of({ verdict })];
  return [retained(run, verdict, now)];
}

/** What follows a deadline that passed. The event about the deadline itself comes first. */
export function afterDeadline(
  run: Run,
  now: number,
): (Ending | DraftOf<'DeadlinePassed' | 'StopRequested'>)[] {
  const deadline = deadlineOf(run);
  const { status } = run;
  if (isLast(status) || now < deadline) return [];
  if (status === 'retained') return [ReleaseStarted.of({ verdict: run.verdict ?? tooLong(run) })];
  // From all others a way leads out; a release goes on, and its alarm rings once.
  if (status === 'releasing' && run.overdue) return [];
  const passed = DeadlinePassed.of({ overdue: status, deadline: iso(deadline) });
  return [passed, ...afterOverdue(run, now)];
}

function afterOverdue(run: Run, now: number): (Ending | DraftOf<'StopRequested'>)[] {
  switch (run.status) {
    case 'queued':
    case 'provisioning':
      return [ReleaseStarted.of({ verdict: tooLong(run) })];
    case 'ready':
      return afterFailure(run, tooLong(run).reason, now);
    case 'running':
      if (run.stop) return ending(run, run.stop.verdict, now);
      return [StopRequested.of({ verdict: tooLong(run) })];
    case 'exporting':
      return [retained(run, tooLong(run), now)];
    default:
      // Releasing goes on: there is no way back, and the alarm has been raised.
      return [];
  }
}

/** What follows the loss of the storage: nothing can be kept, and no job may go on. */
export function afterLoss(run: Run, reason: string): DraftOf<'StopRequested' | 'ReleaseStarted'>[] {
  const verdict: Verdict = { kind: 'failed', reason };
  if (run.status === 'running') return [StopRequested.of({ verdict })];
  return [ReleaseStarted.of({ verdict })];
}

/** What follows the wish to cancel: the way out of every status, or why there is none. */
export function afterCancel(
  run: Run,
  { reason, requestId }: { readonly reason: string; readonly requestId: string },
  now: number,
): (Ending | DraftOf<'StopRequested' | 'RequestRefused'>)[] {
  const verdict: Verdict = { kind: 'cancelled', reason };
  const refused = (why: string) => [
    RequestRefused.of({ request: 'RunCancelRequested', reason: why, requestId }),
  ];
  switch (run.status) {
    case 'queued':
    case 'provisioning':
    case 'ready':
      return ending(run, verdict, now).map((draft) => answering(draft, requestId));
    case 'running':
      if (run.stop) return refused('the run is stopping already');
      return [StopRequested.of({ verdict, requestId })];
    case 'releasing':
      return refused('the storage is being given back already');
    case 'exporting':
      return refused('the results are on their way to S3: the storage goes when they are there');
    case 'retained':
      return refused('the run is retained: send RunReleaseRequested to give its storage back');
    default:
      return refused(`the run is over: ${run.status}`);
  }
}

/** What follows the wish to go on: the stage that failed, on the same storage. */
export function afterResume(
  run: Run,
  requestId: string,
): DraftOf<'RunResumed' | 'ExportRequested' | 'RequestRefused'>[] {
  const refused = (reason: string) => [
    RequestRefused.of({ request: 'RunResumeRequested', reason, requestId }),
  ];
  if (run.status !== 'retained')
    return refused(`only a retained run resumes, this is ${run.status}`);
  const jobs = Object.values(run.jobs);
  if (jobs.some(isActive)) return refused('a job of this run may still be running');
  if (!jobs.every(({ status }) => status === 'SUCCEEDED')) {
    const failed = jobs.filter(({ status }) => status === 'FAILED');
    return [RunResumed.of({ jobs: failed.map(({ name }) => name), requestId })];
  }
  if (run.storage.kind === 'volume') return refused('all jobs of this run succeeded');
  return [ExportRequested.of({ verdict: { kind: 'succeeded' }, requestId })];
}

/** What follows the wish to give a retained run's storage back before its time. */
export function afterReleaseRequest(
  run: Run,
  { discard, requestId }: { readonly discard: boolean; readonly requestId: string },
): DraftOf<'ReleaseStarted' | 'RequestRefused'>[] {
  const refused = (reason: string) => [
    RequestRefused.of({ request: 'RunReleaseRequested', reason, requestId }),
  ];
  if (run.status !== 'retained')
    return refused(`only a retained run is released, this is ${run.status}`);
  if (mayHoldResults(run) && !discard) {
    return refused(
      'its storage may hold results that are not in S3: say discard true to give them up',
    );
  }
  return [ReleaseStarted.of({ verdict: run.verdict ?? tooLong(run), requestId })];
}

/** Whether the storage is its owner's in the end: only storage that was usable, and is still there. */
export function isToBeKept(run: Run): boolean {
  const { id, availableAt, over } = run.storage;
  if (!id || !availableAt || over) return false;
  return !parameterOf(run, run.storage.kind === 'volume' ? 'deleteEbs' : 'deleteLustre');
}

/** How a run ends once its storage is given back. */
export function endOf({
  verdict = { kind: 'succeeded' },
}: Run): DraftOf<'RunSucceeded' | 'RunFailed' | 'RunCancelled'> {
  if (verdict.kind === 'succeeded') return RunSucceeded.of({});
  if (verdict.kind === 'cancelled') return RunCancelled.of({ reason: verdict.reason });
  return RunFailed.of({ reason: verdict.reason });
}

/** Each of these events has room for the request that it answers. */
function answering({ type, data }: Ending, requestId: string): Ending {
  return { type, data: { ...data, requestId } } as Ending;
}

function ending(run: Run, verdict: Verdict, now: number): Ending[] {
  if (verdict.kind === 'failed') return afterFailure(run, verdict.reason, now);
  // A cancelled volume holds nothing that waits for export; a file system may.
  if (run.storage.kind === 'volume' || !mayHoldResults(run)) {
    return [ReleaseStarted.of({ verdict })];
  }
  return [retained(run, verdict, now)];
}

/** A container has run on the storage, and the storage is still there. */
function mayHoldResults(run: Run): boolean {
  return !run.storage.over && Object.values(run.jobs).some(({ ran }) => ran);
}

function retained(run: Run, verdict: Verdict, now: number): DraftOf<'StorageRetained'> {
  const failed = Object.values(run.jobs).find(({ status }) => status === 'FAILED');
  return StorageRetained.of({
    verdict,
    exitCode: failed?.exitCode,
    logStream: failed?.logStream,
    retainUntil: iso(now + parameterOf(run, 'retainHours') * HOUR_MS),
    pricePerHour: pricePerHour(run),
  });
}

function failureOf(job: Job): string {
  const { name, exitCode, statusReason, attempts, submission, ran } = job;
  const reason = statusReason === LEFT ? undefined : statusReason;
  const why = reason ?? (exitCode === undefined ? 'no reason given' : `exit code ${exitCode}`);
  const tries = `${counted(submission, 'submission')} of ${counted(attempts, 'attempt')}`;
  if (wasInterrupted(job)) {
    const what = ran ? 'was interrupted to the end of' : 'could not be started in';
    return `job ${name} ${what} ${tries}: ${why}`;
  }
  if (exitCode === undefined) return `job ${name} failed: ${why}`;
  const said = statusReason
    ?.split('; ')
    .filter((each) => each !== LEFT)
    .join('; ');
  return `job ${name} failed with exit code ${exitCode}${said ? ` (${said})` : ''}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function tooLong(run: Run): Verdict & { readonly kind: 'failed' } {
  const why = run.storage.failure && run.status === 'queued' ? `: ${run.storage.failure}` : '';
  return { kind: 'failed', reason: `the run was ${run.status} for longer than it may be${why}` };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
