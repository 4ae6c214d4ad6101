import {
  type AnyDraft,
  apply,
  type BatchStatus,
  type Draft,
  isActive,
  isLast,
  type Mode,
  nextLook,
  parameterOf,
  type Run,
  type RunEvent,
} from '../../events';
import type { BelievedJob, Change, Look } from './ports';

interface Drafts {
  readonly runId: string;
  /** Needed where the run begins with these drafts. */
  readonly mode?: Mode;
  readonly drafts: readonly Draft[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The run after these drafts, with each of them as an event of its own. Throws where a move is not allowed. */
export function changeOf(before: Run | undefined, { runId, mode, drafts, now }: Drafts): Change {
  const time = new Date(now).toISOString();
  const events: RunEvent[] = [];
  let run = before;
  for (const draft of drafts) {
    const modeNow = run?.mode ?? mode;
    if (!modeNow) throw new Error(`${runId} begins with ${draft.type} and no mode`);
    // Drafts come from contracts' `of` alone, so each is one of the table's events.
    run = apply(run, draft as AnyDraft, { time, id: runId, mode: modeNow });
    const { seq, status } = run;
    events.push({ ...draft, runId, mode: run.mode, status, seq, time });
  }
  if (!run) throw new Error(`${runId} has nothing to write`);
  const isNew = run.storage.id && run.storage.id !== before?.storage.id;
  return {
    before: before?.seq ?? 0,
    run,
    events,
    look: lookOf(run, now),
    storageIds: isNew && run.storage.id ? [run.storage.id] : [],
  };
}

/** The run as it will be after these drafts: for rules that judge what follows from news. */
export function foresee(run: Run, drafts: readonly Draft[], now: number): Run {
  if (drafts.length === 0) return run;
  return changeOf(run, { runId: run.id, drafts, now }).run;
}

/** The look of the status a run is in; none in a last one. */
export function lookOf(run: Run, now: number): Look | undefined {
  if (isLast(run.status)) return undefined;
  return {
    runId: run.id,
    status: run.status,
    lookAt: new Date(nextLook(run, now)).toISOString(),
    jobs: believed(run),
    storageId: run.storage.id,
    everySeconds: parameterOf(run, 'waitForJobCompletionSeconds'),
  };
}

function believed(run: Run): BelievedJob[] {
  return Object.values(run.jobs).flatMap((job) => {
    if (!isActive(job) || !job.jobId) return [];
    const { jobId, attempt, arraySize, counts } = job;
    // A job with an id is at Batch: its status is one of Batch's.
    return [{ jobId, status: job.status as BatchStatus, attempt, arraySize, counts }];
  });
}
