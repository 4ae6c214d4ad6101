import {
  ACTIVE_STATUSES,
  type ActiveStatus,
  type Mode,
  type RunEvent,
  type RunStatus,
  STATUSES,
} from './contract';
import {
  answeredBy,
  foldAccepted,
  foldAvailable,
  foldJob,
  foldJobsEnded,
  foldResumed,
  nextTry,
  storageOver,
  withExport,
  withJob,
} from './folds';
import type { Job } from './jobs';
import type { RunParameters } from './parameters';
import type { AnyDraft, Cause, DataOf, RunEventType, Verdict } from './run-events';

/** One piece of work with storage of its own, as the table has it. All times are ISO 8601, UTC. */
export interface Run {
  readonly id: string;
  readonly mode: Mode;
  readonly status: RunStatus;
  /** Counts the run's events, is the position of the last one, and is the lock. */
  readonly seq: number;
  /** When the run entered its status. */
  readonly since: string;
  readonly acceptedAt: string;
  /** Tells a request that is sent twice from another one under the same id. */
  readonly fingerprint: string;
  readonly parameters: RunParameters;
  readonly results: { readonly bucket: string; readonly prefix: string };
  readonly storage: Storage;
  readonly jobs: { readonly [name: string]: Job };
  /** The jobs were told to stop, and this is how the run ends then. */
  readonly stop?: { readonly verdict: Verdict; readonly at: string };
  /** The jobs that Batch was told to terminate. */
  readonly stopping?: readonly string[];
  /** Batch was seen to have no living job of this run then; nothing was submitted since. */
  readonly jobsEndedAt?: string;
  readonly verdict?: Verdict;
  readonly retainUntil?: string;
  /** The status whose deadline was reported as passed: it is reported once. */
  readonly overdue?: ActiveStatus;
  /** The last requests that were answered, the newest last: delivered again, they are not answered again. */
  readonly answered?: readonly string[];
  readonly export?: Export;
  readonly cause?: Cause;
}

/** How far the results of a run are on their way to S3. */
export interface Export {
  /** All jobs were over by then. */
  readonly requestedAt: string;
  /** How the run ends when it is done. */
  readonly verdict?: Verdict;
  /** Raised by every event that records a failure, never otherwise. */
  readonly tries: number;
  /** The queue of auto-export was seen empty then. */
  readonly drainedAt?: string;
  readonly taskId?: string;
  readonly taskCreatedAt?: string;
  /** The task before failed; not again before then. */
  readonly retryAt?: string;
  /** Where the list of files lies that an export left behind. */
  readonly report?: string;
}

/** The file system or the volume of a run, as far as we know it. */
export interface Storage {
  readonly kind: 'volume' | 'fileSystem';
  /** Empty until the storage is first asked for. */
  readonly zone: string;
  readonly sizeGib: number;
  /** Raised by every event that records a refusal, never otherwise. */
  readonly tries: number;
  readonly id?: string;
  readonly mountName?: string;
  readonly requestedAt?: string;
  /** It was seen to be usable then. */
  readonly availableAt?: string;
  /** AWS had no room; not before then again. */
  readonly retryAt?: string;
  /** Why there is none, when there is none. */
  readonly failure?: string;
  /** The associations with S3 that were asked for: their ids by path on the file system. */
  readonly links?: { readonly [path: string]: string };
  /** The last of them was asked for then. */
  readonly linkedAt?: string;
  /** The association of this path is seen to be misconfigured since then. */
  readonly misconfigured?: { readonly path: string; readonly since: string };
  /** An association that had been so was seen to be good again then. */
  readonly recoveredAt?: string;
  /** Auto-export was switched off then, for good. */
  readonly autoExportOffAt?: string;
  /** Released, kept or lost: we have nothing more to give back. */
  readonly over?: 'released' | 'kept' | 'lost';
  /** Lost, for AWS did not show it: it may be there all the same. */
  readonly unseen?: boolean;
}

/** One row: where the event may meet a run, where it leads (absent: nowhere), and what it changes. */
interface Transition<Type extends RunEventType> {
  readonly from: readonly RunStatus[];
  readonly to?: RunStatus;
  readonly fold: (run: Run, data: DataOf<Type>, time: string) => Partial<Run>;
}

const moveOnly = (): Partial<Run> => ({});

/** The whole life of a run: an event missing here does not compile, a move missing here fails. */
export const TRANSITIONS: { readonly [Type in RunEventType]: Transition<Type> } = {
  RunAccepted: { from: [], to: 'queued', fold: foldAccepted },
  RunRejected: {
    from: [],
    to: 'rejected',
    fold: (_run, { reason, fingerprint, cause }) => ({
      verdict: { kind: 'failed', reason },
      fingerprint,
      cause,
    }),
  },

  StorageRequested: {
    from: ['queued'],
    to: 'provisioning',
    fold: (run, data, requestedAt) => ({
      storage: { ...run.storage, ...data, requestedAt, retryAt: undefined },
    }),
  },
  StorageDeferred: {
    from: ['provisioning'],
    to: 'queued',
    fold: (run, { reason, retryAt }) => ({
      storage: { ...run.storage, failure: reason, retryAt, tries: run.storage.tries + 1 },
    }),
  },
  StorageDiscarded: {
    from: ['queued'],
    fold: ({ storage }) => ({
      storage: {
        ...storage,
        id: undefined,
        mountName: undefined,
        links: undefined,
        linkedAt: undefined,
        misconfigured: undefined,
      },
    }),
  },
  StorageFailed: {
    from: ['provisioning'],
    fold: (run, { reason }) => ({
      storage: { ...run.storage, failure: reason, tries: run.storage.tries + 1 },
    }),
  },
  VolumeCreated: {
    from: ['provisioning', 'releasing'],
    fold: (run, { volumeId, zone }) => ({
      storage: { ...run.storage, id: volumeId, zone, failure: undefined },
    }),
  },
  VolumeAvailable: { from: ['provisioning'], to: 'ready', fold: foldAvailable },
  FileSystemCreated: {
    from: ['provisioning', 'releasing'],
    fold: (run, { fileSystemId, mountName }) => ({
      storage: { ...run.storage, id: fileSystemId, mountName, failure: undefined },
    }),
  },
  RepositoryLinked: {
    from: ['provisioning'],
    fold: ({ storage }, { path, associationId }, linkedAt) => ({
      storage: { ...storage, links: { ...storage.links, [path]: associationId }, linkedAt },
    }),
  },
  RepositoryMisconfigured: {
    from: ['provisioning', 'exporting'],
    fold: ({ storage }, { path }, since) => ({
      storage: { ...storage, misconfigured: { path, since } },
    }),
  },
  RepositoryRecovered: {
    from: ['provisioning', 'exporting'],
    fold: ({ storage }, _data, recoveredAt) => ({
      storage: { ...storage, misconfigured: undefined, recoveredAt },
    }),
  },
  FileSystemAvailable: { from: ['provisioning'], to: 'ready', fold: foldAvailable },
  StorageLost: {
    from: ['ready', 'running', 'exporting', 'retained'],
    fold: (run, { reason, unseen }) => ({
      storage: { ...run.storage, failure: reason, over: 'lost', unseen },
    }),
  },

  JobRequested: {
    from: ['ready', 'running'],
    to: 'running',
    fold: (run, { job, submission }, since) => ({
      jobsEndedAt: undefined,
      stopping: undefined,
      ...withJob(run, job, {
        status: 'REQUESTED',
        submission,
        jobId: undefined,
        attempt: 0,
        since,
        statusReason: undefined,
        exitCode: undefined,
        logStream: undefined,
        counts: undefined,
        failures: undefined,
        missedAt: undefined,
      }),
    }),
  },
  JobSubmitted: {
    from: ['running'],
    fold: (run, { job, jobId }, since) =>
      withJob(run, job, { status: 'SUBMITTED', jobId, since, doubtedAt: undefined }),
  },
  JobRefused: {
    from: ['running'],
    fold: (run, { job, reason, unseen }, since) =>
      withJob(run, job, {
        // It may come to be seen yet: then it is stopped.
        missedAt: unseen || run.jobs[job]?.doubtedAt ? since : undefined,
        status: 'FAILED',
        statusReason: reason,
        since,
        doubtedAt: undefined,
        ...nextTry(run, job),
      }),
  },
  JobDoubted: {
    from: ['running'],
    fold: (run, { job }, doubtedAt) => withJob(run, job, { doubtedAt, ...nextTry(run, job) }),
  },
  BatchJobStateChange: { from: ['running', 'retained'], fold: foldJob },
  JobMissed: {
    from: ['running', 'retained'],
    fold: (run, { job }, missedAt) => withJob(run, job, { missedAt }),
  },
  StopRequested: {
    from: ['running'],
    fold: (run, { verdict, requestId }, at) => ({
      stop: { verdict, at },
      answered: answeredBy(run, requestId),
    }),
  },
  JobsStopped: {
    from: ['running', 'exporting', 'releasing', 'retained'],
    fold: (_run, { jobIds: stopping }) => ({ stopping }),
  },
  JobsEnded: { from: ['exporting', 'releasing', 'retained'], fold: foldJobsEnded },

  ExportRequested: {
    from: ['ready', 'running', 'retained'],
    to: 'exporting',
    fold: (run, { verdict, requestId }, requestedAt) => ({
      verdict,
      stop: undefined,
      export: { requestedAt, tries: 1, verdict },
      storage: { ...run.storage, misconfigured: undefined },
      retainUntil: undefined,
      answered: answeredBy(run, requestId),
    }),
  },
  ExportQueueDrained: {
    from: ['exporting'],
    fold: (run, { drainedAt }) => withExport(run, { drainedAt }),
  },
  AutoExportDisabled: {
    from: ['exporting'],
    fold: ({ storage }, _data, autoExportOffAt) => ({ storage: { ...storage, autoExportOffAt } }),
  },
  ExportTaskCreated: {
    from: ['exporting'],
    fold: (run, { taskId }, taskCreatedAt) =>
      withExport(run, { taskId, taskCreatedAt, retryAt: undefined }),
  },
  ExportTaskCompleted: { from: ['exporting'], fold: moveOnly },
  ExportFailed: {
    from: ['exporting'],
    fold: (run, { report, retryAt }) =>
      withExport(run, {
        taskId: undefined,
        taskCreatedAt: undefined,
        tries: (run.export?.tries ?? 0) + 1,
        report: report ?? run.export?.report,
        retryAt,
      }),
  },

  StorageRetained: {
    from: ['ready', 'running', 'exporting'],
    to: 'retained',
    fold: (run, { verdict, retainUntil, requestId }) => ({
      verdict,
      retainUntil,
      stop: undefined,
      answered: answeredBy(run, requestId),
    }),
  },
  RunResumed: {
    from: ['retained'],
    to: 'ready',
    fold: (run, { jobs, requestId }, since) => ({
      ...foldResumed(run, jobs, since),
      export: undefined,
      answered: answeredBy(run, requestId),
      verdict: undefined,
      retainUntil: undefined,
    }),
  },
  ReleaseStarted: {
    from: ['queued', 'provisioning', 'ready', 'running', 'exporting', 'retained'],
    to: 'releasing',
    fold: (run, { verdict, requestId }) => ({
      verdict,
      retainUntil: undefined,
      answered: answeredBy(run, requestId),
    }),
  },
  StorageReleased: { from: ['releasing'], fold: (run) => storageOver(run, 'released') },
  StorageKept: { from: ['releasing'], fold: (run) => storageOver(run, 'kept') },

  DeadlinePassed: { from: ACTIVE_STATUSES, fold: (_run, { overdue }) => ({ overdue }) },
  RequestRefused: {
    from: STATUSES,
    fold: (run, { requestId }) => ({ answered: answeredBy(run, requestId) }),
  },

  RunSucceeded: { from: ['releasing'], to: 'succeeded', fold: moveOnly },
  RunFailed: { from: ['releasing'], to: 'failed', fold: moveOnly },
  RunCancelled: { from: ['releasing'], to: 'cancelled', fold: moveOnly },
};

/** What the table of transitions says of one event, whatever its data. */
export interface Row {
  readonly from: readonly RunStatus[];
  readonly to?: RunStatus;
}

/** The table's row of an event, without what it changes. */
export function rowOf(type: string): Row {
  if (!Object.hasOwn(TRANSITIONS, type)) throw new Error(`no transition for ${type}`);
  return TRANSITIONS[type as RunEventType];
}

/** Whether the table lets this event meet the run as it is. */
export function allows(run: Run | undefined, type: string): boolean {
  const { from } = rowOf(type);
  return run ? from.includes(run.status) : from.length === 0;
}

/**
 * The run after one more event. The only place where a run changes; throws where the table has no
 * such move. A run begins with RunAccepted or RunRejected, which bring its id and mode.
 */
export function apply(
  run: Run | undefined,
  draft: AnyDraft,
  { time, id, mode }: { time: string; id: string; mode: Mode },
): Run {
  if (!allows(run, draft.type)) {
    throw new Error(`${draft.type} cannot meet a run that is ${run?.status ?? 'not there'}`);
  }
  const { to } = rowOf(draft.type);
  const before = run ?? unborn(id, mode, time);
  const changed = { ...before, ...fold(before, draft, time), seq: before.seq + 1 };
  if (!to || to === before.status) return changed;
  return { ...changed, status: to, since: time, overdue: undefined };
}

function fold(run: Run, { type, data }: AnyDraft, time: string): Partial<Run> {
  // The draft's type names the row, and the row's data type is that type's: TRANSITIONS is mapped so.
  const row = TRANSITIONS[type] as {
    fold: (run: Run, data: unknown, time: string) => Partial<Run>;
  };
  return row.fold(run, data, time);
}

/** A run's events in order, folded into the run. */
export function replay(events: readonly RunEvent[]): Run | undefined {
  let run: Run | undefined;
  for (const event of events) {
    // The journal only holds what `apply` has seen before: every event is one of the table's.
    const draft = event as unknown as AnyDraft;
    run = apply(run, draft, { time: event.time, id: event.runId, mode: event.mode });
  }
  return run;
}

function unborn(id: string, mode: Mode, time: string): Run {
  return {
    id,
    mode,
    // Never seen: the first event of a run has a status to go to.
    status: 'rejected',
    seq: 0,
    since: time,
    acceptedAt: time,
    fingerprint: '',
    parameters: {},
    results: { bucket: '', prefix: '' },
    storage: { kind: 'volume', zone: '', sizeGib: 0, tries: 1 },
    jobs: {},
  };
}
