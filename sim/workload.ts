import { INTERRUPTED_EXIT } from '../events';
import type { Marker } from './claim';
import type { Timeline } from './clock';
import type { Container, Containers, Exit, Markers, Task } from './hosts';

/** A simulated job: so much work, saved every so often, and how it ends. */
export interface Workload {
  readonly workMs: number;
  readonly checkpointMs: number;
  /** What it ends with; 0 where absent. */
  readonly exitCode?: number;
  /** The same, where it is not the same every time. */
  readonly exitCodeOf?: () => number;
  /** Does not listen to SIGTERM. */
  readonly isDeaf?: boolean;
  /** Never starts, for this reason. */
  readonly refusal?: string;
}

/** The bytes of simulated storage: how much work is saved, as `<storage>/<job>`, or `<storage>/<job>/<task>`. */
export type SimulatedDisks = Map<string, number>;

interface Parts {
  readonly clock: Timeline;
  readonly disks: SimulatedDisks;
  readonly workloadOf: (task: Task) => Workload;
  /** Writes what a job that succeeds leaves: a volume's job to S3, others where an export finds it. */
  readonly leave: (task: Task, text: string) => void;
}

/** Saving takes a moment, and the host may die during it. */
const SAVE_MS = 1000;

/**
 * Containers in virtual time. The job goes on from what its volume holds, saves at checkpoints and on
 * SIGTERM, and leaves a result that says how much work it found there.
 */
export function simulatedContainers(parts: Parts): Containers {
  return { start: (task) => startOne(task, parts) };
}

function startOne(task: Task, { clock, disks, workloadOf, leave }: Parts): Container {
  const { workMs, checkpointMs, exitCodeOf, isDeaf, refusal, ...workload } = workloadOf(task);
  const place = placeOf(task);
  let isOver = false;
  let finish: (exit: Exit) => void = () => {};
  const exit = new Promise<Exit>((resolve) => {
    finish = (value) => {
      isOver = true;
      resolve(value);
    };
  });

  const later = (ms: number, run: () => void) =>
    clock.at(clock.now() + ms, () => {
      if (!isOver) run();
    });
  const work = () => {
    const done = disks.get(place) ?? 0;
    if (done >= workMs) return end();
    const slice = Math.min(checkpointMs, workMs - done);
    later(slice, () => {
      disks.set(place, done + slice);
      work();
    });
  };
  const end = () =>
    later(SAVE_MS, () => {
      const { runId } = task.wanted;
      const exitCode = exitCodeOf?.() ?? workload.exitCode ?? 0;
      if (exitCode === 0) leave(task, resultOf(runId, disks.get(place)));
      finish({ started: true, exitCode });
    });

  if (refusal) finish({ started: false, reason: `CannotStartContainerError: ${refusal}` });
  else work();
  return {
    started: refusal ? new Promise(() => {}) : Promise.resolve(),
    exit,
    terminate() {
      if (!isDeaf) later(SAVE_MS, () => finish({ started: true, exitCode: INTERRUPTED_EXIT }));
    },
    kill: () => finish({ started: true, exitCode: 137 }),
  };
}

/** Where the bytes of a job, or of one task of an array, lie. */
function placeOf({ wanted, index }: Task): string {
  const place = `${wanted.storage}/${wanted.spec.name}`;
  return index === undefined ? place : `${place}/${index}`;
}

/** What a run's simulated job leaves in S3 when all of its work was on its volume. */
export function resultOf(runId: string, workMs: number | undefined): string {
  return `${runId} did ${workMs ?? 0} ms of work`;
}

/** Markers that last as long as the process. */
export function memoryMarkers(): Markers {
  const markers = new Map<string, Marker>();
  return {
    read: (volumeId) => markers.get(volumeId),
    write: (volumeId, marker) => void markers.set(volumeId, marker),
  };
}
