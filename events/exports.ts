import { mayBeAlive } from './job-rules';
import { parameterOf } from './parameters';
import type { Run } from './run';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What an exporting run needs next, in this order. */
export type ExportStep = 'end-jobs' | 'drain' | 'switch-off' | 'pause' | 'task' | 'wait';

/**
 * The next step of an export. A task and auto-export exclude each other (FSx), so the queue is
 * drained and auto-export switched off first; a switch-off is for good, also when the run resumes.
 */
export function exportStep(run: Run, now: number): ExportStep {
  const { taskId, drainedAt, retryAt } = run.export ?? {};
  // What is written after the export began would be in no proof.
  if (mayBeAlive(run)) return 'end-jobs';
  if (retryAt && now < Date.parse(retryAt)) return 'pause';
  const exportsAlong = run.mode === 'autoExport' && !run.storage.autoExportOffAt;
  if (exportsAlong) return drainedAt ? 'switch-off' : 'drain';
  return taskId ? 'wait' : 'task';
}

/** One value of a metric: the largest within the period that begins at `at` (epoch milliseconds). */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** Which part of the metric must be read to judge the queue; times are epoch milliseconds. */
export interface QueueWindow {
  readonly from: number;
  readonly to: number;
  readonly periodSeconds: number;
}

/** A queue that has just been written to shows it after about a minute (field measurement). */
const TASK_PROOF_AFTER_MS = MINUTE;
const METRICS_PROOF_AFTER_MS = 2 * MINUTE;
/** CloudWatch shows a point late; one that is later than this is missing. */
const POINT_LATE_MS = 3 * MINUTE;

/** The window of the queue's metric that this run must look at. */
export function queueWindow(run: Run, now: number): QueueWindow {
  const periodSeconds = parameterOf(run, 'lambdaPeriodSeconds');
  const span = parameterOf(run, 'lambdaTimeDiffMinutes') * MINUTE;
  const to = now + periodSeconds * SECOND;
  return { from: now - span - POINT_LATE_MS - periodSeconds * SECOND, to, periodSeconds };
}

/**
 * Since when the export queue is known to be empty; undefined: it is not, or nobody knows. A point
 * that is missing is unknown, not zero. Where a task brings the proof one zero is enough of a sign;
 * where the queue itself is the proof, every point of the window must be there and zero.
 */
export function drainedSince(run: Run, points: readonly Point[], now: number): number | undefined {
  // While FSx could not reach S3, or a job was at work, the queue said nothing: what counts begins after.
  const { recoveredAt = '' } = run.storage;
  const requestedAt = run.export?.requestedAt ?? run.since;
  const { jobsEndedAt = '' } = run;
  const marks = [requestedAt, recoveredAt, jobsEndedAt].map((time) => Date.parse(time) || 0);
  const endedAt = Math.max(...marks);
  const period = parameterOf(run, 'lambdaPeriodSeconds') * SECOND;
  // A period that is not over may still see something: its zero proves nothing, anything else does.
  const isBegun = ({ at }: Point) => at + period > now;
  if (points.some((point) => isBegun(point) && point.value !== 0)) return undefined;
  const newestFirst = points.filter((point) => !isBegun(point)).sort((a, b) => b.at - a.at);
  if (parameterOf(run, 'exportProof') === 'task') {
    const [newest] = newestFirst;
    const counts = newest && newest.at >= endedAt + TASK_PROOF_AFTER_MS;
    return counts && newest.value === 0 ? newest.at : undefined;
  }
  return emptyWindow(run, newestFirst, { after: endedAt + METRICS_PROOF_AFTER_MS, now });
}

/** As many periods in a row as the window has, up to the newest point, each of them zero. */
function emptyWindow(
  run: Run,
  newestFirst: readonly Point[],
  { after, now }: { readonly after: number; readonly now: number },
): number | undefined {
  const period = parameterOf(run, 'lambdaPeriodSeconds') * SECOND;
  const count = Math.ceil((parameterOf(run, 'lambdaTimeDiffMinutes') * MINUTE) / period);
  const [newest] = newestFirst;
  if (!newest || newest.at + period < now - POINT_LATE_MS) return undefined;
  const window = newestFirst.slice(0, count);
  const isWhole = window.length === count;
  const isEmpty = window.every(
    ({ at, value }, index) => value === 0 && at > after && at === newest.at - index * period,
  );
  return isWhole && isEmpty ? window.at(-1)?.at : undefined;
}

/** How often an export is tried before its run is retained. */
export const EXPORT_TRIES_MAX = 3;

/** 2 and 16 minutes: what is busy for a moment is so no more, and an association may have healed (15 minutes). */
export function exportPauseMs(tries: number): number {
  return 2 * MINUTE * 8 ** (tries - 1);
}

/** What an export task says of its work. */
export interface Progress {
  readonly total: number;
  readonly done: number;
}

/** FSx writes a task's counts every 30 seconds: looks more often than this see nothing new. */
const TASK_LOOK_MS = 10 * SECOND;

/**
 * When to look at a task again: near its end, as its counts foretell it, and otherwise after a
 * twentieth of the time it has taken so far; at least every `waitForDataRepositoryTaskSeconds`.
 */
export function taskLook(run: Run, now: number, progress?: Progress): number {
  const begun = Date.parse(run.export?.taskCreatedAt ?? run.since);
  const most = parameterOf(run, 'waitForDataRepositoryTaskSeconds') * SECOND;
  const { total = 0, done = 0 } = progress ?? {};
  const left = done > 0 ? ((now - begun) * (total - done)) / done : (now - begun) / 20;
  return now + Math.min(Math.max(most, TASK_LOOK_MS), Math.max(TASK_LOOK_MS, left));
}
