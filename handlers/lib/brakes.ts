import { hash } from '../../events';
import type { Brake, Brakes, PortName } from './ports';

/** The first pause; each further one is twice as long. */
const PAUSE_MS = 5000;
const PAUSE_MS_MAX = 5 * 60_000;
/** After so long without another complaint a pause begins at the first length again. */
const FORGOTTEN_MS = 10 * 60_000;

interface Moment {
  readonly brakes: Brakes;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Until when calls of these ports are held back for a run; undefined: they are not. All runs wait
 * together, and go on one after the other: chance spreads them over as long again as they waited.
 */
export async function heldUntil(
  uses: readonly PortName[],
  runId: string,
  { brakes, now }: Moment,
): Promise<number | undefined> {
  const pulled = await Promise.all(uses.map((port) => brakes.read(port)));
  const ends = pulled.flatMap((brake) => (brake ? [endFor(brake, runId)] : []));
  const latest = Math.max(0, ...ends);
  return latest > now ? latest : undefined;
}

/**
 * AWS took a call after a pause: the next one is shorter again. So pauses grow while AWS takes nothing at
 * all, and not because one call in fifty is turned away.
 */
export async function easeBrakes(
  uses: readonly PortName[],
  { brakes, now }: Moment,
): Promise<void> {
  for (const port of uses) {
    const brake = await brakes.read(port);
    if (!brake || brake.level === 0 || now < Date.parse(brake.until)) continue;
    await brakes.set(port, { ...brake, level: Math.floor(brake.level / 2) });
  }
}

/** AWS asked for less: everybody's calls of these ports pause, longer each time in a row. */
export async function pullBrakes(
  uses: readonly PortName[],
  { brakes, now }: Moment,
): Promise<void> {
  for (const port of uses) {
    const brake = await brakes.read(port);
    // Many are turned away in the same moment, and that is one complaint.
    if (brake && Date.parse(brake.until) > now) continue;
    const isInARow = brake !== undefined && now < Date.parse(brake.until) + FORGOTTEN_MS;
    const level = isInARow ? brake.level + 1 : 1;
    await brakes.set(port, { level, until: new Date(now + pauseMs(level)).toISOString() });
  }
}

/** Each time another order: who was last once is not last for ever. */
function endFor({ until, level }: Brake, runId: string): number {
  if (level === 0) return 0;
  return Date.parse(until) + (hash(`${runId} ${until}`) % pauseMs(level));
}

function pauseMs(level: number): number {
  return Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (level - 1));
}
