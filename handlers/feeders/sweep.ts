import { ACTIVE_STATUSES, hash, progressOf } from '../../events';
import {
  BUS_ENTRIES_MAX,
  type Bus,
  heldUntil,
  type Look,
  type PortName,
  type Ports,
  pullBrakes,
  type SeenJob,
  shownProgress,
  Throttled,
} from '../lib';
import { probe } from './send-probes';

const MINUTE_MS = 60_000;
const STORAGE_MINUTES = 10;

type Swept = Pick<Ports, 'clock' | 'runs' | 'brakes' | 'jobs' | 'volumes' | 'fileSystems'> & {
  readonly bus: Bus;
};

/**
 * The minute's look for what nobody looked at in time: a probe for every look that is a minute
 * overdue, and for every running run where AWS and the table differ. Changes nothing itself.
 */
export async function sweep(ports: Swept): Promise<{ readonly probed: readonly Look[] }> {
  const now = ports.clock.now();
  const dueBy = new Date(now - MINUTE_MS).toISOString();
  const overdue: Look[] = [];
  // First what is due, and each status by itself: a sweep that dies half-way has done half the work.
  for (const status of ACTIVE_STATUSES) {
    const due = await ports.runs.looks(status, dueBy);
    await probeAll(due, ports.bus);
    overdue.push(...due);
  }
  const woken = new Set(overdue.map(({ runId }) => runId));
  const { different, failure } = await compare(ports, Math.floor(now / MINUTE_MS));
  const others = different.filter(({ runId }) => !woken.has(runId) && woken.add(runId));
  await probeAll(others, ports.bus);
  // What could be compared was; the rest is seen as the failure that it is.
  if (failure) throw failure;
  return { probed: [...overdue, ...others] };
}

interface Compared {
  readonly different: readonly Look[];
  readonly failure?: Error;
}

/** The runs whose turn it is, of which AWS says something else than the table. */
async function compare(ports: Swept, minute: number): Promise<Compared> {
  const running = await ports.runs.looks('running');
  const retained = await ports.runs.looks('retained');
  const compared = running.filter((look) => isTurn(look, minute));
  const stored = [...running, ...retained].filter((look) => isStorageTurn(look, minute));
  const comparisons = await Promise.allSettled([
    unlessHeld('jobs', ports, () => withOtherJobs(compared, ports)),
    unlessHeld('volumes', ports, () => withoutVolume(stored, ports)),
    unlessHeld('fileSystems', ports, () => withoutFileSystem(stored, ports)),
  ]);
  return {
    different: comparisons.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])),
    failure: comparisons.find((each) => each.status === 'rejected')?.reason,
  };
}

/** Each run once per its pace; the run's id spreads them over the minutes, so nothing is written. */
function isTurn({ runId, everySeconds }: Look, minute: number): boolean {
  return (minute + hash(runId)) % Math.max(1, Math.round(everySeconds / 60)) === 0;
}

function isStorageTurn({ runId }: Look, minute: number): boolean {
  return (minute + hash(runId)) % STORAGE_MINUTES === 0;
}

/** The runs of which Batch says something else than the table; a run without active jobs differs too. */
async function withOtherJobs(looks: readonly Look[], { jobs }: Swept): Promise<readonly Look[]> {
  const ids = looks.flatMap((look) => look.jobs.map(({ jobId }) => jobId));
  const seen = new Map((await jobs.describe(ids)).map((job) => [job.jobId, job]));
  return looks.filter(
    (look) => look.jobs.length === 0 || look.jobs.some((job) => differs(job, seen.get(job.jobId))),
  );
}

function differs(believed: Look['jobs'][number], seen: SeenJob | undefined): boolean {
  if (!seen) return true;
  return progressOf(shownProgress(seen)) > progressOf(believed);
}

async function withoutVolume(looks: readonly Look[], { volumes }: Swept): Promise<readonly Look[]> {
  const own = looks.filter(({ storageId }) => storageId?.startsWith('vol-'));
  const there = (await volumes.describe(idsOf(own)))
    .filter(({ state }) => state === 'available' || state === 'in-use')
    .map(({ volumeId }) => volumeId);
  return without(own, there);
}

async function withoutFileSystem(
  looks: readonly Look[],
  { fileSystems }: Swept,
): Promise<readonly Look[]> {
  const own = looks.filter(({ storageId }) => storageId?.startsWith('fs-'));
  const there = (await fileSystems.describe(idsOf(own)))
    .filter(({ lifecycle }) => lifecycle !== 'FAILED' && lifecycle !== 'DELETING')
    .map(({ fileSystemId }) => fileSystemId);
  return without(own, there);
}

function idsOf(looks: readonly Look[]): string[] {
  return looks.flatMap(({ storageId }) => (storageId ? [storageId] : []));
}

function without(looks: readonly Look[], there: readonly string[]): Look[] {
  return looks.filter(({ storageId }) => storageId && !there.includes(storageId));
}

/** A comparison that can wait for the next minute, when AWS asks for fewer calls. */
async function unlessHeld(
  port: PortName,
  { brakes, clock }: Swept,
  compare: () => Promise<readonly Look[]>,
): Promise<readonly Look[]> {
  if (await heldUntil([port], '', { brakes, now: clock.now() })) return [];
  try {
    return await compare();
  } catch (error) {
    if (!(error instanceof Throttled)) throw error;
    await pullBrakes([port], { brakes, now: clock.now() });
    return [];
  }
}

async function probeAll(looks: readonly Look[], bus: Bus): Promise<void> {
  for (let start = 0; start < looks.length; start += BUS_ENTRIES_MAX) {
    const taken = await bus.put(looks.slice(start, start + BUS_ENTRIES_MAX).map(probe));
    const lost = taken.filter((isTaken) => !isTaken).length;
    // The next sweep is a minute away and finds the same runs due: nothing is lost but that minute.
    if (lost > 0) throw new Error(`the bus did not take ${lost} probes`);
  }
}
