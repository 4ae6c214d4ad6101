import { PROBE_DUE, SOURCE } from '../../events';
import {
  type Bus,
  type Clock,
  DELAY_SECONDS_MAX,
  type Delays,
  type Look,
  type ProbeMessage,
  type Runs,
} from '../lib';

/** Turns a look of the table's stream into a delayed message. What lies beyond 15 minutes is the sweep's. */
export async function scheduleProbe(
  { runId, status, lookAt }: Look,
  { clock, delays }: { readonly clock: Clock; readonly delays: Delays },
): Promise<void> {
  const delaySeconds = Math.max(0, Math.ceil((Date.parse(lookAt) - clock.now()) / 1000));
  if (delaySeconds > DELAY_SECONDS_MAX) return;
  await delays.send({ runId, status, lookAt }, delaySeconds);
}

/**
 * Turns a message that came back into a probe, if its look is still the run's look. So there is one
 * chain of looks per run, however often a message is delivered. Says whether it was sent.
 */
export async function sendProbe(
  { runId, status, lookAt }: ProbeMessage,
  { runs, bus }: { readonly runs: Pick<Runs, 'look'>; readonly bus: Bus },
): Promise<boolean> {
  const look = await runs.look(runId);
  if (look?.lookAt !== lookAt || look.status !== status) return false;
  const [isTaken] = await bus.put([probe({ runId, status })]);
  if (!isTaken) throw new Error(`the bus did not take the probe of ${runId}`);
  return true;
}

/** The entry that wakes every watcher of a run's status. */
export function probe({ runId, status }: Pick<ProbeMessage, 'runId' | 'status'>) {
  return { source: SOURCE, detailType: PROBE_DUE, detail: { runId, status } };
}
