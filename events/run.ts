import {
  ACTIVE_STATUSES,
  type ActiveStatus,
  type Mode,
  type RunEvent,
  type RunStatus,
  STATUSES,
} from './contract';
import {
  foldAccepted,
  foldAvailable,
  foldJob,
  foldResumed,
  nextTry,
  storageOver,
  withJob,
} from './folds';
import type { Job } from './jobs';
import type { RunParameters } from './parameters';
import type { AnyDraft, DataOf, RunEventType, Verdict } from './run-events';

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
  readonly verdict?: Verdict;
  readonly retainUntil?: string;
  /** The status whose deadline was reported as passed: it is reported once. */
  readonly overdue?: ActiveStatus;
  /** The last request that was answered: delivered again, it is not answered again. */
  readonly lastAnswered?: string;
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
  /** Released, kept or lost: we have nothing more to give back. */
  readonly over?: 'released' | 'kept' | 'lost';
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
    fold: (_run, { reason, fingerprint }) => ({
      verdict: { kind: 'failed', reason },
      fingerprint,
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
  RepositoryLinked: { from: ['provisioning'], fold: moveOnly },
  FileSystemAvailable: { from: ['provisioning'], to: 'ready', fold: foldAvailable },
  StorageLost: {
    from: ['ready', 'running', 'exporting', 'retained'],
    fold: (run, { reason }) => ({ storage: { ...run.storage, failure: reason, over: 'lost' } }),
  },

  JobRequested: {
    from: ['ready', 'running'],
    to: 'running',
    fold: (run, { job, submission }, since) =>
      withJob(run, job, {
        status: 'REQUESTED',
        submission,
        jobId: undefined,
        attempt: 0,
        since,
        statusReason: undefined,
        exitCode: undefined,
        logStream: undefined,
      }),
  },
  JobSubmitted: {
    from: ['running'],
    fold: (run, { job, jobId }, since) =>
      withJob(run, job, { status: 'SUBMITTED', jobId, since, doubtedAt: undefined }),
  },
  JobRefused: {
    from: ['running'],
    fold: (run, { job, reason }, since) =>
      withJob(run, job, {
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
  BatchJobStateChange: { from: ['running'], fold: foldJob },
  StopRequested: {
    from: ['running'],
    fold: (run, { verdict, requestId }, at) => ({
      stop: { verdict, at },
      lastAnswered: requestId ?? run.lastAnswered,
    }),
  },
  JobsStopped: { from: ['running', 'releasing', 'retained'], fold: moveOnly },

  ExportRequested: {
    from: ['ready', 'running', 'retained'],
    to: 'exporting',
    fold: (run, { verdict, requestId }) => ({
      verdict,
      lastAnswered: requestId ?? run.lastAnswered,
    }),
  },
  ExportQueueDrained: { from: ['exporting'], fold: moveOnly },
  AutoExportDisabled: { from: ['exporting'], fold: moveOnly },
  ExportTaskCreated: { from: ['exporting'], fold: moveOnly },
  ExportTaskCompleted: { from: ['exporting'], fold: moveOnly },
  ExportFailed: { from: ['exporting'], fold: moveOnly },

  StorageRetained: {
    from: ['ready', 'running', 'exporting'],
    to: 'retained',
    fold: (run, { verdict, retainUntil, requestId }) => ({
      verdict,
      retainUntil,
      stop: undefined,
      lastAnswered: requestId ?? run.lastAnswered,
    }),
  },
  RunResumed: {
    from: ['retained'],
    to: 'ready',
    fold: (run, { jobs, requestId }, since) => ({
      ...foldResumed(run, jobs, since),
      lastAnswered: requestId,
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
      lastAnswered: requestId ?? run.lastAnswered,
    }),
  },
  StorageReleased: { from: ['releasing'], fold: (run) => storageOver(run, 'released') },
  StorageKept: { from: ['releasing'], fold: (run) => storageOver(run, 'kept') },

  DeadlinePassed: { from: ACTIVE_STATUSES, fold: (_run, { overdue }) => ({ overdue }) },
  RequestRefused: {
    from: STATUSES,
    fold: (_run, { requestId }) => ({ lastAnswered: requestId }),
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
