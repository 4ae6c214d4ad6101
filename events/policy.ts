import { isLast } from './contract';
import { EXPORT_TRIES_MAX, exportPauseMs } from './exports';
import { hash } from './fingerprint';
import { failureOf, firstFailed, mayBeAlive, nextJobs } from './job-rules';
import { isActive } from './jobs';
import { parameterOf } from './parameters';
import { pricePerHour } from './prices';
import type { Run } from './run';
import {
  DeadlinePassed,
  type DraftOf,
  ExportFailed,
  ExportRequested,
  ReleaseStarted,
  RequestRefused,
  RunCancelled,
  RunFailed,
  RunResumed,
  RunSucceeded,
  StopRequested,
  StorageDeferred,
  StorageFailed,
  StorageRequested,
  StorageRetained,
  type Verdict,
} from './run-events';
import { deadlineOf } from './time';

export {
  INTERRUPTED_EXIT,
  isAtRest,
  mayBeAlive,
  nextJobs,
  RETRY_RULES,
  wasInterrupted,
} from './job-rules';

const HOUR_MS = 3_600_000;

/** The ways out of the jobs, and out of a failure. */
export type Ending = DraftOf<'ReleaseStarted' | 'StorageRetained' | 'ExportRequested'>;

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

/** Storage that could not be made, in words of the outcome. */
export interface StorageRefusal {
  /** A quota or a zone without capacity: waiting may help. */
  readonly noRoom: boolean;
  readonly reason: string;
  /** What AWS made although it failed. */
  readonly storageId?: string;
}

/** A run without room asks again after so long, twice as long each time. */
const NO_ROOM_MS = 60_000;
const NO_ROOM_MS_MAX = 15 * 60_000;

/** What follows storage that could not be made: another try where there was no room, else the end. */
export function afterRefusal(
  run: Run,
  { noRoom, reason, storageId }: StorageRefusal,
  now: number,
): DraftOf<'StorageDeferred' | 'StorageFailed' | 'ReleaseStarted'>[] {
  if (noRoom) {
    const wait = Math.min(NO_ROOM_MS_MAX, NO_ROOM_MS * 2 ** (run.storage.tries - 1));
    return [StorageDeferred.of({ reason, retryAt: iso(now + wait), storageId })];
  }
  return [StorageFailed.of({ reason }), ReleaseStarted.of({ verdict: { kind: 'failed', reason } })];
}

/** What follows a change of the jobs: nothing while one of them can still do something. */
export function afterJobs(run: Run, now: number): Ending[] {
  const jobs = Object.values(run.jobs);
  if (run.status !== 'running' && run.status !== 'ready') return [];
  if (jobs.some(isActive)) return [];
  if (run.stop) return ending(run, run.stop.verdict, now);
  if (nextJobs(run).length > 0) return [];
  const failed = firstFailed(run);
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
  if (policy === 'export' && isQuiet(run)) return [ExportRequested.of({ verdict })];
  return [retained(run, verdict, now)];
}

/** What follows the proof that every file is in S3: the run ends as its jobs have decided. */
export function afterExport({ verdict }: Run): DraftOf<'ReleaseStarted'>[] {
  return [ReleaseStarted.of({ verdict: verdict ?? { kind: 'succeeded' } })];
}

/** An export that did not bring every file to S3. */
export interface ExportFailure {
  readonly reason: string;
  readonly taskId?: string;
  readonly report?: string;
}

/** What follows a failed export: another try after a pause, and after the last one the storage is retained. */
export function afterExportFailure(
  run: Run,
  failure: ExportFailure,
  now: number,
): DraftOf<'ExportFailed' | 'StorageRetained'>[] {
  const tries = run.export?.tries ?? 1;
  if (tries < EXPORT_TRIES_MAX) {
    return [ExportFailed.of({ ...failure, retryAt: iso(now + exportPauseMs(tries)) })];
  }
  const { reason, report } = failure;
  const where = report ? `; the files are listed in ${report}` : '';
  const text = `the export failed ${tries} times, at last because ${reason}${where}`;
  return [ExportFailed.of(failure), retained(run, alsoFailed(run, text), now)];
}

/** The verdict of a run whose export failed, too. */
function alsoFailed({ verdict }: Run, reason: string): Verdict {
  if (!verdict || verdict.kind === 'succeeded') return { kind: 'failed', reason };
  return { ...verdict, reason: `${verdict.reason}; and ${reason}` };
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
      return [retained(run, alsoFailed(run, tooLong(run).reason), now)];
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
      return refused('the run is retained: release it, and its storage is given back');
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
  if (jobs.some(isActive) || mayBeAlive(run)) {
    return refused('a job of this run may still be running: try again in a minute');
  }
  // The stage that failed was the export of what the jobs had left.
  if (run.export) {
    const { verdict = { kind: 'succeeded' } } = run.export;
    return [ExportRequested.of({ verdict, requestId })];
  }
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
      'its storage may hold results that are not in S3: release it with discard to give them up',
    );
  }
  return [ReleaseStarted.of({ verdict: run.verdict ?? tooLong(run), requestId })];
}

/** Whether the storage is its owner's in the end: only storage that was usable, and is still there. */
export function isToBeKept(run: Run): boolean {
  const { id, availableAt, over, unseen } = run.storage;
  // What was lost from sight may be there, with all that was on it.
  if (id && over === 'lost' && unseen) return true;
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
  const policy = parameterOf(run, 'onFailure');
  const isVolume = run.storage.kind === 'volume' && !wasResumed(run);
  if (isVolume || !mayHoldResults(run) || policy === 'release') {
    return [ReleaseStarted.of({ verdict })];
  }
  if (policy === 'export' && isQuiet(run)) return [ExportRequested.of({ verdict })];
  return [retained(run, verdict, now)];
}

/** Somebody wanted to go on with what was on the storage. */
function wasResumed({ jobs }: Run): boolean {
  return Object.values(jobs).some(({ submissionsBefore }) => submissionsBefore > 0);
}

/** Nobody writes to the storage any more: what is exported now is all there will be. */
function isQuiet({ jobs }: Run): boolean {
  return !Object.values(jobs).some(isActive);
}

/** A container has run on the storage, or may have, and the storage is still there. */
function mayHoldResults(run: Run): boolean {
  return !run.storage.over && Object.values(run.jobs).some((job) => job.ran || isActive(job));
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

function tooLong(run: Run): Verdict & { readonly kind: 'failed' } {
  const why = run.storage.failure && run.status === 'queued' ? `: ${run.storage.failure}` : '';
  return { kind: 'failed', reason: `the run was ${run.status} for longer than it may be${why}` };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
