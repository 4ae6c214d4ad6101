import { ACTIVE_STATUSES, hash, progressOf } from '../../events';
import { attemptOf, BUS_ENTRIES_MAX, type Bus, type Look, type Ports, type SeenJob } from '../lib';
import { probe } from './send-probes';

const MINUTE_MS = 60_000;
const STORAGE_MINUTES = 10;

type Swept = Pick<Ports, 'clock' | 'runs' | 'jobs' | 'volumes'> & { readonly bus: Bus };

/**
 * The minute's look for what nobody looked at in time: a probe for every look that is a minute
 * overdue, and for every running run where AWS and the table differ. Changes nothing itself.
 */
export async function sweep(ports: Swept): Promise<{ readonly probed: readonly Look[] }> {
  const now = ports.clock.now();
  const dueBy = new Date(now - MINUTE_MS).toISOString();
  const overdue: Look[] = [];
  for (const status of ACTIVE_STATUSES) {
    overdue.push(...(await ports.runs.looks(status, dueBy)));
  }
  const running = await ports.runs.looks('running');
  const minute = Math.floor(now / MINUTE_MS);
  const different = [
    ...(await withOtherJobs(
      running.filter((look) => isTurn(look, minute)),
      ports,
    )),
    ...(await withoutStorage(
      running.filter((look) => isStorageTurn(look, minute)),
      ports,
    )),
  ];
  const probed = [
    ...new Map([...overdue, ...different].map((look) => [look.runId, look])).values(),
  ];
  await probeAll(probed, ports.bus);
  return { probed };
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
  return progressOf({ status: seen.status, attempt: attemptOf(seen) }) > progressOf(believed);
}

async function withoutStorage(
  looks: readonly Look[],
  { volumes }: Swept,
): Promise<readonly Look[]> {
  const ids = looks.flatMap(({ storageId }) => (storageId ? [storageId] : []));
  const there = (await volumes.describe(ids))
    .filter(({ state }) => state === 'available' || state === 'in-use')
    .map(({ volumeId }) => volumeId);
  return looks.filter(({ storageId }) => storageId && !there.includes(storageId));
}

async function probeAll(looks: readonly Look[], bus: Bus): Promise<void> {
  for (let start = 0; start < looks.length; start += BUS_ENTRIES_MAX) {
    const taken = await bus.put(looks.slice(start, start + BUS_ENTRIES_MAX).map(probe));
    const lost = taken.filter((isTaken) => !isTaken).length;
    // The next sweep is a minute away and finds the same runs due: nothing is lost but that minute.
    if (lost > 0) throw new Error(`the bus did not take ${lost} probes`);
  }
}
