import * as z from 'zod';
import { ActiveStatus, defineEvent, RunId } from './contract';
import { ArrayCounts, BatchStatus, ChildFailure, JobName, JobSpec } from './jobs';

const time = z.iso.datetime();
const reason = z.string();
/** Names the request that an event answers: the same at every delivery of it. */
const requestId = RunId;

/** How a run ends, and why. Set before its storage goes. */
export const Verdict = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('succeeded') }),
  z.object({ kind: z.literal('failed'), reason }),
  z.object({ kind: z.literal('cancelled'), reason }),
]);
export type Verdict = z.infer<typeof Verdict>;

/** Where a request came from, when not from a sender of its own: an upload, or a schedule. */
export const Cause = z.union([
  z.object({
    upload: z.object({
      bucket: z.string(),
      key: z.string(),
      /** Orders the events of one key (S3). */
      sequencer: z.string(),
      /** Why the uploaded file is no request, where it is none. */
      unreadable: z.string().optional(),
    }),
  }),
  z.object({ schedule: z.object({ name: z.string(), time }) }),
]);
export type Cause = z.infer<typeof Cause>;

/** Where a run's results go in S3. */
export const Results = z.object({ bucket: z.string(), prefix: z.string() });

export const RunAccepted = defineEvent(
  'RunAccepted',
  'The request is good and the run exists. Nothing was asked of AWS yet.',
  z.object({
    parameters: z.record(z.string(), z.unknown()),
    jobs: z.array(JobSpec),
    results: Results,
    fingerprint: z.string(),
    /** The layer that each value came from, by the parameter's name; none for a default. */
    sources: z.record(z.string(), z.string()).optional(),
    cause: Cause.optional(),
  }),
);
export const RunRejected = defineEvent(
  'RunRejected',
  'The request cannot become a run. Nothing was created, and nothing will be.',
  z.object({ reason, fingerprint: z.string(), cause: Cause.optional() }),
);

export const StorageRequested = defineEvent(
  'StorageRequested',
  'The run may have its storage now. It was not asked for at AWS yet.',
  z.object({ kind: z.enum(['volume', 'fileSystem']), zone: z.string(), sizeGib: z.int() }),
);
export const StorageDeferred = defineEvent(
  'StorageDeferred',
  'AWS has no room for the storage. It is asked for again at `retryAt`.',
  z.object({
    reason,
    retryAt: time,
    /** What AWS made although it failed. It is deleted before anything is asked for anew. */
    storageId: z.string().optional(),
  }),
);
export const StorageDiscarded = defineEvent(
  'StorageDiscarded',
  'Storage that had failed before anything was on it is gone. Other storage may be asked for.',
  z.object({ storageId: z.string() }),
);
export const StorageFailed = defineEvent(
  'StorageFailed',
  'The storage could not be created, and trying again would not help.',
  z.object({ reason }),
);
export const VolumeCreated = defineEvent(
  'VolumeCreated',
  'A volume was asked for and has an id. It cannot be used yet.',
  z.object({ volumeId: z.string(), zone: z.string() }),
);
export const VolumeAvailable = defineEvent(
  'VolumeAvailable',
  "The run's volume can be attached. Nothing is on it.",
  z.object({ volumeId: z.string(), zone: z.string() }),
);
export const FileSystemCreated = defineEvent(
  'FileSystemCreated',
  'A file system was asked for and has an id. It cannot be mounted yet.',
  z.object({ fileSystemId: z.string(), mountName: z.string() }),
);
export const RepositoryLinked = defineEvent(
  'RepositoryLinked',
  'An association of the file system with S3 was asked for. It need not be available yet.',
  z.object({ associationId: z.string(), path: z.string(), direction: z.enum(['both', 'import']) }),
);
export const RepositoryMisconfigured = defineEvent(
  'RepositoryMisconfigured',
  'FSx cannot reach S3 for this path. That may heal within 15 minutes; import and export stand still meanwhile.',
  z.object({ path: z.string(), reason }),
);
export const RepositoryRecovered = defineEvent(
  'RepositoryRecovered',
  'FSx reaches S3 again for this path, after it could not.',
  z.object({ path: z.string() }),
);
export const FileSystemAvailable = defineEvent(
  'FileSystemAvailable',
  'The file system can be mounted, and its associations are available.',
  z.object({ fileSystemId: z.string() }),
);
export const StorageLost = defineEvent(
  'StorageLost',
  'The storage died or was deleted by somebody else. What was only on it is gone.',
  z.object({
    reason,
    /** AWS did not show it at all: should it be there after all, nothing of ours deletes it. */
    unseen: z.boolean().optional(),
  }),
);

const job = { job: JobName, submission: z.int().positive() };

export const JobRequested = defineEvent(
  'JobRequested',
  'A job is about to be submitted under this name. Batch may have it from now on, or may not.',
  z.object({ ...job, jobName: z.string() }),
);
export const JobSubmitted = defineEvent(
  'JobSubmitted',
  'Batch has the job under this id. No attempt runs yet.',
  z.object({ ...job, jobId: z.string() }),
);
export const JobRefused = defineEvent(
  'JobRefused',
  'Batch refused the job. It is not submitted again unless somebody resumes the run.',
  z.object({
    ...job,
    reason,
    /** Nobody refused it: it was looked for, and not found. */
    unseen: z.boolean().optional(),
  }),
);
export const JobDoubted = defineEvent(
  'JobDoubted',
  'The answer of SubmitJob was lost. The job is looked for by name before it is submitted again.',
  z.object({ ...job, reason }),
);
export const BatchJobStateChange = defineEvent(
  'BatchJobStateChange',
  'A job moved at Batch. `status` is in the words of Batch; `attempt` counts the attempts begun.',
  z.object({
    ...job,
    jobId: z.string(),
    status: BatchStatus,
    attempt: z.int().nonnegative(),
    /** A container of this submission has started at least once. */
    ran: z.boolean(),
    statusReason: z.string().optional(),
    exitCode: z.int().optional(),
    logStream: z.string().optional(),
    /** Of an array: how many of its tasks are where. */
    counts: ArrayCounts.optional(),
    /** Of an array: the first tasks that failed, 20 at the most. */
    failures: z.array(ChildFailure).optional(),
  }),
);
export const JobMissed = defineEvent(
  'JobMissed',
  'Batch does not show this job. It may yet: it is not taken for over before it was missed for ten minutes.',
  z.object({ ...job, jobId: z.string() }),
);
export const StopRequested = defineEvent(
  'StopRequested',
  'The run ends this way as soon as its jobs have stopped. They may still be running.',
  z.object({ verdict: Verdict, requestId: requestId.optional() }),
);
export const JobsStopped = defineEvent(
  'JobsStopped',
  'Batch was told to terminate these jobs. They may still be running.',
  z.object({ jobIds: z.array(z.string()) }),
);

export const JobsEnded = defineEvent(
  'JobsEnded',
  'Batch has no living job of this run any more, known to it or not.',
  z.object({}),
);

export const ExportRequested = defineEvent(
  'ExportRequested',
  'All jobs are over. Their results may go to S3.',
  z.object({ verdict: Verdict, requestId: requestId.optional() }),
);
export const ExportQueueDrained = defineEvent(
  'ExportQueueDrained',
  'Auto-export has nothing waiting. That alone does not say that every file arrived.',
  z.object({ fileSystemId: z.string(), drainedAt: time }),
);
export const AutoExportDisabled = defineEvent(
  'AutoExportDisabled',
  'Auto-export is off, so that an export task can run.',
  z.object({ fileSystemId: z.string() }),
);
export const ExportTaskCreated = defineEvent(
  'ExportTaskCreated',
  'An export task was asked for and has an id. It is not over.',
  z.object({ taskId: z.string() }),
);
export const ExportTaskCompleted = defineEvent(
  'ExportTaskCompleted',
  'The export task reports every file in S3 and none failed. This is the proof.',
  z.object({ taskId: z.string(), exportedCount: z.int() }),
);
export const ExportFailed = defineEvent(
  'ExportFailed',
  'An export did not bring every file to S3. `report` says where the list of the failed ones is.',
  z.object({
    reason,
    taskId: z.string().optional(),
    report: z.string().optional(),
    /** When it is tried again; absent after the last try. */
    retryAt: time.optional(),
  }),
);

export const StorageRetained = defineEvent(
  'StorageRetained',
  'The run did not succeed, and its storage is kept until `retainUntil`, at this price. Then it is released.',
  z.object({
    verdict: Verdict,
    logStream: z.string().optional(),
    exitCode: z.int().optional(),
    retainUntil: time,
    pricePerHour: z.number(),
    requestId: requestId.optional(),
  }),
);
export const RunResumed = defineEvent(
  'RunResumed',
  'Somebody asked the retained run to go on, on the same storage. Its failed jobs start anew.',
  z.object({ jobs: z.array(JobName), requestId }),
);
export const ReleaseStarted = defineEvent(
  'ReleaseStarted',
  'How the run ends is decided, and its storage goes now. There is no way back from here.',
  z.object({ verdict: Verdict, requestId: requestId.optional() }),
);
export const StorageReleased = defineEvent(
  'StorageReleased',
  'The storage is gone and costs nothing any more.',
  z.object({ storageId: z.string().optional() }),
);
export const StorageKept = defineEvent(
  'StorageKept',
  'The storage was left to its owner for good, at this price.',
  z.object({ storageId: z.string(), pricePerHour: z.number() }),
);

export const DeadlinePassed = defineEvent(
  'DeadlinePassed',
  'The run was in this status for longer than it may be.',
  z.object({ overdue: ActiveStatus, deadline: time }),
);
export const RequestRefused = defineEvent(
  'RequestRefused',
  'Somebody asked something of this run that cannot be done now. The run did not change.',
  z.object({
    request: z.string(),
    reason,
    requestId,
    /** The id under which the refused request is kept as a run of its own. */
    rejectedAs: RunId.optional(),
    /** Where the refused request came from. */
    cause: Cause.optional(),
  }),
);

export const RunSucceeded = defineEvent(
  'RunSucceeded',
  'The run is over: its results are in S3 and its storage was given back or handed over.',
  z.object({}),
);
export const RunFailed = defineEvent(
  'RunFailed',
  'The run is over and did not do what was asked of it.',
  z.object({ reason }),
);
export const RunCancelled = defineEvent(
  'RunCancelled',
  'The run is over because somebody asked for that.',
  z.object({ reason }),
);

/** Every event in the life of a run. One missing in the table of transitions does not compile. */
export const RUN_EVENTS = {
  RunAccepted,
  RunRejected,
  StorageRequested,
  StorageDeferred,
  StorageDiscarded,
  StorageFailed,
  VolumeCreated,
  VolumeAvailable,
  FileSystemCreated,
  RepositoryLinked,
  RepositoryMisconfigured,
  RepositoryRecovered,
  FileSystemAvailable,
  StorageLost,
  JobRequested,
  JobSubmitted,
  JobRefused,
  JobDoubted,
  BatchJobStateChange,
  JobMissed,
  StopRequested,
  JobsStopped,
  JobsEnded,
  ExportRequested,
  ExportQueueDrained,
  AutoExportDisabled,
  ExportTaskCreated,
  ExportTaskCompleted,
  ExportFailed,
  StorageRetained,
  RunResumed,
  ReleaseStarted,
  StorageReleased,
  StorageKept,
  DeadlinePassed,
  RequestRefused,
  RunSucceeded,
  RunFailed,
  RunCancelled,
};

export type RunEventType = keyof typeof RUN_EVENTS;
/** A fact of any kind, not written yet, with the data that belongs to its name. */
export type AnyDraft = {
  [Type in RunEventType]: ReturnType<(typeof RUN_EVENTS)[Type]['of']>;
}[RunEventType];
/** Facts of these kinds, not written yet: what a rule may answer, and a handler may write. */
export type DraftOf<Type extends RunEventType> = Extract<AnyDraft, { readonly type: Type }>;
/** What an event of this kind says. */
export type DataOf<Type extends RunEventType> = z.infer<(typeof RUN_EVENTS)[Type]['schema']>;
